#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `lanerope eval` wrote of questions that ask for several answers, answer by answer: the tables of docs/results.md.

  python3 bench/real/measure.py FOLDER [--questions FILE] [--problems FILE] [--budgets B,B,...] [--arms ARM,ARM,...] [--against ARM[@BUDGET]]
                                [--as-written] [--figure FILE.svg]

FOLDER is eval's --out. Each answer of a list counts by itself, as in eval's report. A budget is in steps of the clock: of a lane that has not ended by
then nothing counts, or with --as-written the results that it had written on the way, and lists do not. All lanes that an arm gave a question vote together,
those of several groups too. Intervals are 95 %, by bootstrap over questions, and paired by question where arms are compared (--against). Where one problem
stands in several questions, --problems (GSM8K's test.jsonl) tells which: then they are by bootstrap over questions or over problems,
whichever is wider. Seconds are those of a group beside all others that ran (eval's --parallel). The figure needs matplotlib.
"""

import collections
import statistics
import sys

from groups import arguments, problems_of, read_given, tokens_of
from intervals import Cell, clustered, percent, told


def vote(values):
    """The most frequent values, more than one where they tie."""
    counts = collections.Counter(value for value in values if value is not None)
    most = max(counts.values(), default=0)
    return [value for value, count in counts.items() if count == most]


def listed_by(lane, budget, k):
    """What counts of a lane: its list, where it has ended."""
    return lane["list"] if lane["end"] <= budget else None


def written_by(lane, budget, k):
    """What counts of a lane --as-written: the results that stand in its text by then."""
    by_then = {i: value for i, value, step in lane["written"] if step <= budget}
    return [by_then.get(i) for i in range(k)] if by_then else None


def rights_at(groups, budget, counted_of=listed_by):
    """How right each of a question's answers is: by one lane, by one group's vote, and by the vote of all lanes (of tied values the mean)."""
    truth = groups[0]["truth"]
    k = len(truth)

    def voted(said):
        rights = []
        for i, wanted in enumerate(truth):
            best = vote([values[i] for values in said if values])
            rights.append((wanted in best) / len(best) if best else 0.0)
        return rights

    said = [[counted_of(lane, budget, k) for lane in group["lanes"]] for group in groups]
    flat = [values for group in said for values in group]
    one = [statistics.mean(float(bool(values) and values[i] == wanted) for values in flat) for i, wanted in enumerate(truth)]
    by_group = [voted(group) for group in said]
    return one, [statistics.mean(rights[i] for rights in by_group) for i in range(k)], voted(flat)


def right_at(groups, budget, counted_of=listed_by):
    """The share of a question's answers that are right, as rights_at has them."""
    return tuple(statistics.mean(rights) for rights in rights_at(groups, budget, counted_of))


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


class Measure:
    """What of an arm counts, with intervals."""

    def __init__(self, problems=None, counted_of=listed_by):
        self.problems = problems or {}  # {question: the problem of each of its places}
        self.counted_of = counted_of

    def cells(self, question, rights):
        named = self.problems.get(question, [None] * len(rights))
        return [Cell(question, problem, right) for problem, right in zip(named, rights)]

    def right(self, arm, budget, at):
        """How much of what an arm was asked is right in one place of rights_at."""
        return clustered([cell for question, groups in arm.items() for cell in self.cells(question, rights_at(groups, budget, self.counted_of)[at])])

    def paired(self, arm, other, budgets, at=(2, 2)):
        """By how much two arms differ in these places of rights_at and with these budgets, on the questions that both were asked."""
        return clustered(self.differences(arm, other, budgets, at))

    def differences(self, arm, other, budgets, at):
        """What that is the mean of: a cell for each answer."""
        cells = []
        for question in (question for question in arm if question in other):
            here = rights_at(arm[question], budgets[0], self.counted_of)[at[0]]
            there = rights_at(other[question], budgets[1], self.counted_of)[at[1]]
            cells += self.cells(question, [a - b for a, b in zip(here, there)])
        return cells


def draw(curves, file):
    from matplotlib.figure import Figure

    axes = Figure(figsize=(7.2, 4.2), layout="constrained").subplots()
    for name, (budgets, estimates) in curves.items():
        middle, low, high = ([100 * estimate[at] for estimate in estimates] for at in range(3))
        line = axes.plot(budgets, middle, marker="o", label=name)[0]
        axes.fill_between(budgets, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set_xlabel("steps of the clock, those that a lane sleeps included")
    axes.set_ylabel("right answers, %")
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.3)
    axes.legend()
    axes.figure.savefig(file, dpi=110)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--budgets", default="384,512,768,1024,1536")
    parser.add_argument("--arms", help="only these, with commas between them")
    parser.add_argument("--against", metavar="ARM[@BUDGET]", help="the arm that the others are compared with, of equal budget or always of this one")
    parser.add_argument("--as-written", action="store_true", help="results count as lanes write them, and lists do not")
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
    measure = Measure(problems_of(given), written_by if given.as_written else listed_by)
    print("| arm, per cent of the answers right | " + " | ".join(map(str, budgets)) + " |\n|---|" + "---|" * len(budgets))
    curves = {}
    for arm, questions in arms.items():
        for at, what in counted(questions):
            estimates = [measure.right(questions, budget, at) for budget in budgets]
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
                    differences = (told(measure.paired(questions, against, pair, (at, other))) for pair in pairs)
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
