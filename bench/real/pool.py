#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""By how much lanes differ from one lane of another arm over several sets of questions, each answer counting alike.

  python3 bench/real/pool.py ARM OTHER FOLDER=QUESTIONS... [--problems FILE]

A FOLDER is the --out of `lanerope eval`, QUESTIONS the file that was asked there. What counts is the vote of a group of ARM and one lane of OTHER, with as
many steps as they took, on the questions that both were asked. Intervals as measure.py has them.
"""

import argparse
import pathlib
from types import SimpleNamespace

from groups import problems_of, read_given
from intervals import clustered, told
from measure import Measure

LONGEST = 10**9  # steps: of a lane that was cut off nothing counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arm")
    parser.add_argument("other")
    parser.add_argument("sets", nargs="+", metavar="FOLDER=QUESTIONS")
    parser.add_argument("--problems", type=pathlib.Path, help="a file of single problems, to tell which stand in several questions")
    given = parser.parse_args()
    pooled = []
    print(f"| set | answers | {given.arm} less {given.other} |\n|---|---|---|")
    for named in given.sets:
        folder, _, questions = named.partition("=")
        one = SimpleNamespace(folder=pathlib.Path(folder), questions=pathlib.Path(questions) if questions else None, problems=given.problems)
        arms = read_given(one)
        cells = Measure(problems_of(one)).differences(arms[given.arm], arms[given.other], (LONGEST, LONGEST), at=(1, 0))
        print(f"| {folder} | {len(cells)} | {told(clustered(cells))} |")
        pooled += [cell._replace(question=(folder, cell.question)) for cell in cells]
    print(f"| all | {len(pooled)} | {told(clustered(pooled))} |")


if __name__ == "__main__":
    main()
