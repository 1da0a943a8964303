#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `lanerope eval` wrote of questions that ask for several answers, answer by answer: the table of docs/results.md.

  python3 bench/real/measure.py FOLDER [--questions FILE] [--budgets B,B,...] [--arms ARM,ARM,...] [--against ARM[@BUDGET]] [--figure FILE.svg]

FOLDER is eval's --out. Each answer of a list counts by itself, as in eval's report. A budget is in steps of the clock: of a lane that has not ended by
then nothing counts. All lanes that an arm gave a question vote together, those of several groups too. Intervals are 95 %, by bootstrap over questions, and
paired by question where arms are compared (--against). Seconds are those of a group beside all others that ran (eval's --parallel). The figure needs
matplotlib.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import statistics
import sys

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
    parts = question["parts"] if "parts" in question else [question["answer"]]
    truth = [number(part) for part in parts]
    if None in truth:
        sys.exit(f"the answer {parts[truth.index(None)]} is no number; say --questions with the file that was asked, where lists have `parts`")
    return truth


def read(folder, questions):
    """{arm: {question: [groups]}}; a group is {steps, seconds, truth, lanes: [{end, recorded, list, own}]}."""
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
            lanes.append({"end": end, "recorded": lane, "list": listed(lane["text"], len(truth), lane.get("answer")), "own": own})
        group = {"steps": record["steps"], "seconds": record["seconds"], "truth": truth, "lanes": lanes}
        arms.setdefault(record["arm"], {}).setdefault(record["question"], []).append(group)
    return arms


def vote(values):
    """The most frequent values, more than one where they tie."""
    counts = collections.Counter(value for value in values if value is not None)
    most = max(counts.values(), default=0)
    return [value for value, count in counts.items() if count == most]


def right_at(groups, budget):
    """Shares of a question's answers that are right: of one lane, of one group's vote, and of the vote of all lanes (of tied values the mean)."""
    truth = groups[0]["truth"]

    def voted(lists):
        right = 0.0
        for i, wanted in enumerate(truth):
            best = vote([said[i] for said in lists if said])
            right += (wanted in best) / len(best) if best else 0.0
        return right / len(truth)

    lists = [[lane["list"] if lane["end"] <= budget else None for lane in group["lanes"]] for group in groups]
    flat = [said for group in lists for said in group]
    one = statistics.mean(sum(value == wanted for value, wanted in zip(said, truth)) / len(truth) if said else 0.0 for said in flat)
    return one, statistics.mean(map(voted, lists)), voted(flat)


def counted(arm):
    """What right_at tells of an arm, and in which place: a group of one lane is that lane, and one group's vote that of all."""
    groups = next(iter(arm.values()))
    lanes = sum(len(group["lanes"]) for group in groups)
    yield 0, "one lane"
    if len(groups) > 1 and len(groups[0]["lanes"]) > 1:
        yield 1, "one group"
    if lanes > 1:
        yield 2, f"vote of {lanes}"


def tokens_at(groups, budget):
    return sum(tokens_of(lane["recorded"], budget) for group in groups for lane in group["lanes"])


def interval(values, rounds=2000):
    draw = random.Random(1)
    means = sorted(statistics.fmean(draw.choices(values, k=len(values))) for _ in range(rounds))
    return statistics.fmean(values), means[int(0.025 * rounds)], means[int(0.975 * rounds) - 1]


def handed_over(groups):
    """(as they stood, all): results of other lanes that a lane lists, of problems that it did not solve itself and those who did agree on."""
    right = total = 0
    for group in groups:
        for i in range(len(group["truth"])):
            found = {lane["own"].get(i) for lane in group["lanes"]} - {None}
            if len(found) != 1:
                continue
            takers = [lane for lane in group["lanes"] if i not in lane["own"] and lane["list"]]
            total += len(takers)
            right += sum(lane["list"][i] in found for lane in takers)
    return right, total


def solved(groups):
    """(right, all) of the results that lanes found themselves."""
    pairs = [(value, group["truth"][i]) for group in groups for lane in group["lanes"] for i, value in lane["own"].items()]
    return sum(value == wanted for value, wanted in pairs), len(pairs)


def unlisted(groups):
    """(without, all): lanes that wrote no list of as many answers as were asked for."""
    lanes = [lane for group in groups for lane in group["lanes"]]
    return sum(not lane["list"] for lane in lanes), len(lanes)


def paired(arm, other, budgets, at=(2, 2)):
    """By how much two arms differ in what right_at tells in these places and with these budgets, on the questions that both were asked."""
    asked = [question for question in arm if question in other]
    return interval([right_at(arm[question], budgets[0])[at[0]] - right_at(other[question], budgets[1])[at[1]] for question in asked])


def told(estimate):
    middle, low, high = (100 * value for value in estimate)
    return f"{middle:.1f} [{low:.1f}, {high:.1f}]"


def percent(part, whole):
    return f"{100 * part / whole:.0f} % of {whole}" if whole else "none"


def draw(curves, file):
    from matplotlib.figure import Figure

    axes = Figure(figsize=(7.2, 4.2), layout="constrained").subplots()
    for name, (budgets, estimates) in curves.items():
        middle, low, high = ([100 * estimate[at] for estimate in estimates] for at in range(3))
        line = axes.plot(budgets, middle, marker="o", label=name)[0]
        axes.fill_between(budgets, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set_xlabel("steps (tokens a lane may spend, waiting included)")
    axes.set_ylabel("right answers, %")
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.3)
    axes.legend()
    axes.figure.savefig(file, dpi=110)


def arguments(about):
    """What all that reads an evaluation of lists is told alike."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--questions", type=pathlib.Path, help="the file that was asked, where its `parts` are; FOLDER/questions.jsonl without it")
    return parser


def read_given(given):
    try:
        return read(given.folder, given.questions or given.folder / "questions.jsonl")
    except OSError as error:
        sys.exit(f"{error.filename} cannot be read: {error.strerror}")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--budgets", default="384,512,768,1024,1536")
    parser.add_argument("--arms", help="only these, with commas between them")
    parser.add_argument("--against", metavar="ARM[@BUDGET]", help="the arm that the others are compared with, of equal budget or always of this one")
    parser.add_argument("--figure", help="a picture of the first table")
    given = parser.parse_args()
    budgets = [int(budget) for budget in given.budgets.split(",")]
    arms = read_given(given)
    than_arm, _, than_budget = (given.against or "").partition("@")
    if than_budget and not than_budget.isdigit():
        parser.error(f"--against {given.against}: the budget behind the @ is no number of steps")
    wanted = (given.arms.split(",") if given.arms else list(arms)) + ([than_arm] if given.against else [])
    for arm in wanted:
        if arm not in arms:
            sys.exit(f"{given.folder} has no arm {arm}; it has {', '.join(arms)}")
    arms = {arm: arms[arm] for arm in wanted}
    print("| arm, per cent of the answers right | " + " | ".join(map(str, budgets)) + " |\n|---|" + "---|" * len(budgets))
    curves = {}
    for arm, questions in arms.items():
        for at, what in counted(questions):
            estimates = [interval([right_at(groups, budget)[at] for groups in questions.values()]) for budget in budgets]
            print(f"| {arm}, {what} | " + " | ".join(map(told, estimates)) + " |")
            curves[f"{arm}, {what}"] = (budgets, estimates)
        tokens = (statistics.fmean(tokens_at(groups, budget) for groups in questions.values()) for budget in budgets)
        print(f"| {arm}, tokens of all lanes | " + " | ".join(f"{mean:.0f}" for mean in tokens) + " |")
    if given.against:
        print("\n| per cent more right | " + " | ".join(map(str, budgets)) + " |\n|---|" + "---|" * len(budgets))
        against = arms[than_arm]
        for arm, questions in arms.items():
            for at, what in counted(questions) if arm != than_arm else ():
                for other, than in counted(against):
                    pairs = ((budget, int(than_budget or budget)) for budget in budgets)
                    differences = (told(paired(questions, against, pair, (at, other))) for pair in pairs)
                    print(f"| {arm}, {what}, than {given.against}, {than} | " + " | ".join(differences) + " |")
    print("\n| arm | questions | steps (median) | seconds (median) | found itself: right | taken over as it stood | lanes without a list |"
          "\n|---|---|---|---|---|---|---|")
    for arm, questions in arms.items():
        groups = [group for own in questions.values() for group in own]
        steps, seconds = (statistics.median(group[what] for group in groups) for what in ("steps", "seconds"))
        print(f"| {arm} | {len(questions)} | {steps:.0f} | {seconds:.1f} | {percent(*solved(groups))} | {percent(*handed_over(groups))} | "
              "{} of {} |".format(*unlisted(groups)))
    if given.figure:
        draw(curves, given.figure)


if __name__ == "__main__":
    main()
