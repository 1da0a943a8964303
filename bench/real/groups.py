# SPDX-License-Identifier: Apache-2.0
"""The groups of an evaluation, as `lanerope eval` records them, and what their lanes say: lists of answers, and results on the way to these."""

import argparse
import json
import pathlib
import re
import sys

LINE = 12  # tokens from the box of a solution to the end of the line `Answer 1: 18 \u2713`, in the mean
RESULT = re.compile(r"^Answer (\d+): (.+?)(?: \u2713)?$", re.MULTILINE)


def number(text):
    found = re.fullmatch(r"\\?\$?(-?[\d.]+)\D*", text.replace(",", "").strip())
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def listed(text, k, answer=None):
    """The k values behind the last `####`, None for what is no number; nothing where it is no list of k. A single answer may stand as `lanerope eval` found
    it, in a box for example."""
    lines = re.findall(r"####\s*(.*)", text)
    if not lines:
        return [number(answer)] if k == 1 and answer else None
    said = lines[-1].strip().strip("()$ ")
    values = [number(part) for part in (re.split(r",\s+|;\s*", said) if k > 1 else [said])]
    return values if len(values) == k else None


def results_of(text, k):
    """{problem: result} of what a lane says that it found."""
    return {int(i) - 1: number(value) for i, value in RESULT.findall(text) if 0 < int(i) <= k}


def written_in(lane, k):
    """[(problem, result, step of the clock by which it stands)] of a recorded lane, in order. The steps are those by which eval saw the same answer complete
    (`settled`), right to some tokens; where it saw none they are estimated in proportion to the text, which may be off by a hundred."""
    settled = list(lane.get("settled", []))
    written = []
    for match in RESULT.finditer(lane["text"]):
        value = number(match[2])
        at = next((i for i, (_, said) in enumerate(settled) if number(said) == value), None)
        if at is None:
            step = clock_of(lane, tokens_of(lane) * match.end() / len(lane["text"]))
        else:
            step = settled[at][0] + LINE
            settled = settled[at + 1 :]
        if 0 < int(match[1]) <= k:
            written.append((int(match[1]) - 1, value, step))
    return written


def clock_of(lane, token):
    """The step at which a lane has written so many tokens."""
    return token + sum(steps for at, steps in lane.get("sleeps", []) if at < token)


def recorded(folder):
    """The groups of an evaluation, as `lanerope eval` records them."""
    for line in open(folder / "records.jsonl", encoding="utf-8"):
        record = json.loads(line)
        if "lanes" in record:
            yield record


def tokens_of(lane, budget=float("inf")):
    """Those that were computed within a budget: a lane's length is in steps of the clock, and what it slept is part of it."""
    slept = 0
    for token, steps in lane.get("sleeps", []):
        if token + slept >= budget:
            break
        slept += steps
        if token + slept >= budget:
            return token  # the one that was held back is not fed by then
    return min(lane["length"], budget) - slept


def truth_of(question):
    """Its answers. A list without `parts` is none that could be told apart."""
    parts = question["parts"] if "parts" in question else [question["answer"].rpartition("####")[2]]
    truth = [number(part) for part in parts]
    if None in truth:
        sys.exit(f"the answer {parts[truth.index(None)]} is no number; say --questions with the file that was asked, where lists have `parts`")
    return truth


def read(folder, questions):
    """{arm: {question: [groups]}}; a group is {steps, seconds, truth, lanes: [{end, recorded, list, own, written}]}."""
    asked = [json.loads(line) for line in open(questions, encoding="utf-8")]
    arms = {}
    for record in recorded(folder):
        if record["question"] >= len(asked):
            sys.exit(f"{questions} has {len(asked)} questions, and {folder} has answers to more; say --questions with the file that was asked")
        truth = truth_of(asked[record["question"]])
        lanes = []
        for lane in record["lanes"]:
            own = results_of(lane["text"], len(truth))
            end = lane["length"] if lane["ended"] else float("inf")
            said = {"list": listed(lane["text"], len(truth), lane.get("answer")), "own": own, "written": written_in(lane, len(truth))}
            lanes.append({"end": end, "recorded": lane, **said})
        group = {"steps": record["steps"], "seconds": record["seconds"], "truth": truth, "lanes": lanes}
        arms.setdefault(record["arm"], {}).setdefault(record["question"], []).append(group)
    return arms


def arguments(about):
    """What all that reads an evaluation of lists is told alike."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--questions", type=pathlib.Path, help="the file that was asked, where its `parts` are; FOLDER/questions.jsonl without it")
    parser.add_argument("--problems", type=pathlib.Path, help="a file of single problems, to tell which stand in several questions")
    return parser


def places(question, problems):
    """The index of the problem that stands in each place of a question."""
    found = sorted((at, i) for i, problem in enumerate(problems) if (at := question.find(problem)) >= 0)
    return [i for _, i in found]


def lines_of(file):
    try:
        return [json.loads(line) for line in open(file, encoding="utf-8")]
    except OSError as error:
        sys.exit(f"{error.filename} cannot be read: {error.strerror}")


def problems_of(given):
    """{question: the problem of each of its places} by the file of --problems; nothing without it."""
    if not given.problems:
        return {}
    problems = [row["question"].strip() for row in lines_of(given.problems)]
    found = {}
    for i, asked in enumerate(lines_of(given.questions or given.folder / "questions.jsonl")):
        found[i] = places(asked["question"], problems)
        if len(found[i]) != len(truth_of(asked)):
            sys.exit(f"{given.problems} has {len(found[i])} of the {len(truth_of(asked))} problems of question {i + 1}; name the file of all problems")
    return found


def read_given(given):
    try:
        return read(given.folder, given.questions or given.folder / "questions.jsonl")
    except OSError as error:
        sys.exit(f"{error.filename} cannot be read: {error.strerror}")
