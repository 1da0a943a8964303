#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The problems that lanes were asked together, each asked in a prompt of its own: what whoever does not need one answer to all could do.

  python3 bench/real/alone.py FOLDER --questions FILE --problems FILE --alone FOLDER [--budgets B,B,...] [--arms ARM,ARM,...]

FOLDER is the --out of `lanerope eval` with questions that ask for several answers, as measure.py reads it; --alone that of the problems in --problems, one
at a time, which may hold more. Steps are those of the longest of the problems, which are computed beside one another; of one that has not ended by then
nothing counts. Differences are paired by question; intervals as measure.py has them.
"""

import pathlib
import statistics

from groups import arguments, problems_of, read, read_given, tokens_of
from intervals import Cell, clustered, told
from measure import rights_at


def right_alone(groups, budget):
    """How right a problem is that was asked alone: the share of its lanes that have ended and say so."""
    return rights_at(groups, budget)[0][0]


class Alone:
    """One arm that was asked every problem alone."""

    def __init__(self, asked, problems):
        self.asked = asked  # {problem: groups}
        self.problems = problems  # {question: the problem of each of its places}

    def cells(self, questions, budget):
        return [Cell(q, i, right_alone(self.asked[i], budget)) for q in questions for i in self.problems[q]]

    def tokens(self, questions):
        return statistics.fmean(sum(self.mean(i, tokens_of) for i in self.problems[q]) for q in questions)

    def steps(self, questions):
        return statistics.median(max(self.mean(i, lambda lane: lane["length"]) for i in self.problems[q]) for q in questions)

    def mean(self, problem, what):
        return statistics.fmean(what(lane["recorded"]) for group in self.asked[problem] for lane in group["lanes"])


def together(arm, problems, budget):
    return [Cell(q, i, right) for q, groups in arm.items() for i, right in zip(problems[q], rights_at(groups, budget)[1])]


def minus(some, other):
    return [Cell(a.question, a.problem, a.value - b.value) for a, b in zip(some, other)]


def main():
    parser = arguments(__doc__)
    parser.add_argument("--alone", type=pathlib.Path, required=True, metavar="FOLDER", help="what was said to single problems")
    parser.add_argument("--budgets", default="256,384,512,1536")
    parser.add_argument("--arms", help="only these, with commas between them")
    given = parser.parse_args()
    if not given.problems:
        parser.error("--problems says which problems were asked alone")
    budgets = [int(budget) for budget in given.budgets.split(",")]
    problems = problems_of(given)
    arms = read_given(given)
    wanted = given.arms.split(",") if given.arms else list(arms)
    singles = {name: Alone(asked, problems) for name, asked in read(given.alone, given.problems).items()}
    print("| per cent of the answers right | " + " | ".join(map(str, budgets)) + " | steps (median) | tokens |\n|---|" + "---|" * (len(budgets) + 2))
    for name in wanted:
        arm = arms[name]
        rights = [told(clustered(together(arm, problems, budget))) for budget in budgets]
        steps = statistics.median(group["steps"] for groups in arm.values() for group in groups)
        tokens = statistics.fmean(sum(tokens_of(lane["recorded"]) for lane in group["lanes"]) for groups in arm.values() for group in groups)
        print(f"| {name}, together | " + " | ".join(rights) + f" | {steps:.0f} | {tokens:.0f} |")
    for single, alone in singles.items():
        questions = [q for q in arms[wanted[0]] if all(i in alone.asked for i in problems[q])]
        if not questions:
            continue
        rights = [told(clustered(alone.cells(questions, budget))) for budget in budgets]
        print(f"| {single}, each alone | " + " | ".join(rights) + f" | {alone.steps(questions):.0f} | {alone.tokens(questions):.0f} |")
        for name in wanted:
            arm = {q: arms[name][q] for q in questions if q in arms[name]}
            more = (told(clustered(minus(together(arm, problems, budget), alone.cells(arm, budget)))) for budget in budgets)
            print(f"| {name} more than {single} | " + " | ".join(more) + " | | |")


if __name__ == "__main__":
    main()
