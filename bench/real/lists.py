#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the lanes of an evaluation share a list of problems, and how their lists go wrong.

  python3 bench/real/lists.py FOLDER --questions FILE

FOLDER is the --out of `lanerope eval`. A lane without a list wrote no `####` with as many answers as were asked for: behind a box it stopped as one does that
was asked a plain question. A problem that is not there is one whose number is above the last one's.
"""

import collections
import re

from groups import arguments, read_given


def has_strange_problem(text, k):
    """Whether a lane works on a problem with a number that nobody asked for."""
    return any(int(i) > k for i in re.findall(r"^Problem (\d+)", text, re.MULTILINE))


def solvers(groups):
    """Counter of by how many lanes the problems of groups are solved."""
    return collections.Counter(sum(i in lane["own"] for lane in group["lanes"]) for group in groups for i in range(len(group["truth"])))


def counted(groups):
    """What a row of the table says of groups, in whole numbers."""
    lanes = [(lane, len(group["truth"])) for group in groups for lane in group["lanes"]]
    without = [lane for lane, _ in lanes if not lane["list"]]
    by = solvers(groups)
    return {
        "lanes": len(lanes),
        "not ended": sum(not lane["recorded"]["ended"] for lane, _ in lanes),
        "without a list": len(without),
        "of these behind a box": sum(lane["recorded"]["ended"] and "\\boxed" in lane["recorded"]["text"] for lane in without),
        "on a problem that is not there": sum(has_strange_problem(lane["recorded"]["text"], k) for lane, k in lanes),
        "problems": sum(by.values()),
        "solved by none": by[0],
        "by one": by[1],
        "by two": by[2],
        "by more": sum(count for solved_by, count in by.items() if solved_by > 2),
    }


def main():
    arms = read_given(arguments(__doc__).parse_args())
    rows = {arm: counted([group for groups in questions.values() for group in groups]) for arm, questions in arms.items()}
    heads = list(next(iter(rows.values()), {}))
    print("| arm | " + " | ".join(heads) + " |\n|---|" + "---|" * len(heads))
    for arm, row in rows.items():
        print(f"| {arm} | " + " | ".join(map(str, row.values())) + " |")


if __name__ == "__main__":
    main()
