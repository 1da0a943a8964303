#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several functions asked together, each judged by its tests: what lanes that learned to share word problems make of code.

  python3 bench/real/functions.py compose HumanEval.jsonl.gz [-k 4] [--seed 1] > functions.jsonl
  lanerope eval --questions functions.jsonl --kind code --judge "python3 bench/real/functions.py judge" --out results ...
  python3 bench/real/functions.py measure results --questions functions.jsonl

`compose` puts every function of the set into one question, k of them in each, and leaves out what is left over. To `lanerope eval` a lane is right if all k
functions in its text pass; `measure` counts every function by itself. Programs run in the sandbox of examples/judge_python.py.
"""

import argparse
import functools
import gzip
import json
import pathlib
import random
import re
import statistics
import sys

from groups import recorded, tokens_of
from intervals import interval

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples"))
import judge_python  # noqa: E402

ASKED = "Problem {i}: Complete this Python function.\n\n```python\n{prompt}\n```"
TAIL = "Write each of the {k} functions in a fenced block of its own."


def rows_of(file):
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def compose(rows, k, seed):
    """Questions of k functions each, every function in one."""
    rows = random.Random(seed).sample(rows, len(rows))
    for at in range(0, len(rows) - k + 1, k):
        some = rows[at : at + k]
        items = [ASKED.format(i=i + 1, prompt=row["prompt"].strip()) for i, row in enumerate(some)]
        yield {"question": "\n\n".join([*items, TAIL.format(k=k)]), "answer": "", "functions": some}


def written(text, name):
    """The last whole block of code that defines the function, or None."""
    blocks = re.findall(r"```(?:python|py)?[^\S\n]*\n(.*?)```", text, re.DOTALL)
    return next((block for block in reversed(blocks) if re.search(rf"^def {re.escape(name)}\b", block, re.MULTILINE)), None)


passes = functools.cache(judge_python.passes)


def versions(text, functions):
    """For each function whether the lane's version passes, or None where it wrote none."""
    said = ((row, written(text, row["entry_point"])) for row in functions)
    return [None if code is None else passes(judge_python.program_of(row, code)) for row, code in said]


def begun(text):
    """The number of the problem that a lane names first, or None."""
    found = re.search(r"\bProblem (\d+)", text)
    return int(found[1]) if found else None


def read(folder, questions):
    """{arm: {question: [groups]}}; a group is {steps, tokens, lanes: [versions], begun: [numbers of problems]}."""
    asked = rows_of(questions)
    arms = {}
    for record in recorded(folder):
        rows, lanes = asked[record["question"]]["functions"], record["lanes"]
        group = {"steps": record["steps"], "tokens": sum(map(tokens_of, lanes))}
        group["lanes"] = [versions(lane["text"], rows) for lane in lanes]
        group["begun"] = [begun(lane["text"]) for lane in lanes]
        arms.setdefault(record["arm"], {}).setdefault(record["question"], []).append(group)
    return arms


def right(group):
    """The share of the functions that are right: where several lanes wrote one, each version counts its part."""
    by_function = ([version for version in of_lanes if version is not None] for of_lanes in zip(*group["lanes"]))
    return statistics.fmean(statistics.fmean(said) if said else 0.0 for said in by_function)


def writers(groups):
    """How many lanes of its group wrote each function."""
    return [sum(version is not None for version in of_lanes) for group in groups for of_lanes in zip(*group["lanes"])]


def shared_out(groups):
    """The share of groups whose lanes begin with problems that all differ; None where lanes are alone."""
    several = [group["begun"] for group in groups if len(group["begun"]) > 1]
    return statistics.fmean(None not in numbers and len(set(numbers)) == len(numbers) for numbers in several) if several else None


def told(values):
    return "{:.1f} [{:.1f}, {:.1f}]".format(*(100 * value for value in interval(values)))


def measure(folder, questions):
    arms = read(folder, questions)
    rights = {arm: {question: statistics.fmean(map(right, groups)) for question, groups in of_arm.items()} for arm, of_arm in arms.items()}
    first = next(iter(arms))
    heads = ["arm", "questions", "functions right, %", f"beside {first}", "written by no lane, %", "by one", "by more"]
    heads += ["groups begun apart, %", "steps (median)", "tokens of a group"]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for arm, of_arm in rights.items():
        groups = [group for of_question in arms[arm].values() for group in of_question]
        differences = [share - rights[first][question] for question, share in of_arm.items() if question in rights[first]]
        counts = [min(count, 2) for count in writers(groups)]
        shares = [counts.count(of) / len(counts) for of in (0, 1, 2)]
        cells = [arm, str(len(of_arm)), told(list(of_arm.values())), told(differences) if arm != first and differences else ""]
        apart = shared_out(groups)
        cells += [f"{100 * share:.0f}" for share in shares] + ["" if apart is None else f"{100 * apart:.0f}"]
        cells += [f"{statistics.median(group['steps'] for group in groups):.0f}", f"{statistics.fmean(group['tokens'] for group in groups):.0f}"]
        print("| " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    of = commands.add_parser("compose", help="write questions of k functions each")
    of.add_argument("file", type=pathlib.Path)
    of.add_argument("-k", type=int, default=4)
    of.add_argument("--seed", type=int, default=1)
    commands.add_parser("judge", help="a judge for `lanerope eval`")
    of = commands.add_parser("measure", help="the table of an evaluation's folder")
    of.add_argument("folder", type=pathlib.Path)
    of.add_argument("--questions", type=pathlib.Path, required=True)
    given = parser.parse_args()
    try:
        if given.command == "compose":
            for question in compose(rows_of(given.file), given.k, given.seed):
                print(json.dumps(question))
        elif given.command == "judge":
            line = json.loads(sys.stdin.readline())
            print(int(all(versions(line["text"], line["row"]["functions"]))))
        else:
            measure(given.folder, given.questions)
    except OSError as error:
        sys.exit(f"{error.filename} cannot be read: {error.strerror}")


if __name__ == "__main__":
    main()
