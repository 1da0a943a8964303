#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What policies cost and give, beside plain lanes with as many tokens: the table of docs/policies.md.

  python3 bench/real/policies.py FOLDER [--questions FILE] [--plain ARM]

FOLDER is the --out of `lanerope eval`. A lane votes with the answer that it had settled on last; of answers that tie each counts its share. Any k of the
plain arm's lanes are k plain lanes, so their mean over all choices of k is the line of accuracy by tokens, and a policy is compared with that line at the
tokens that it took, question by question: differences and their 95 % intervals are by bootstrap over the questions that all arms have.

Policies that only end a group need no run of their own: plain lanes are the same to the bit in any company, so what `consensus` and `budget` do with the first
of them is read off their records. Where the folder has groups that ran under such a policy, each is compared with what was read off, lane by lane.
"""

import argparse
import collections
import itertools
import json
import pathlib
import random
import statistics
import sys

from groups import recorded

RESAMPLES = 1000


def same(a, b):
    if a == b:
        return True
    try:
        return abs(float(a.replace(",", "")) - float(b.replace(",", ""))) < 1e-9
    except (AttributeError, ValueError):
        return False


def voted(answers, truth):
    """1 if the most frequent answer is right, a share where answers tie."""
    kinds = []  # [answer, votes]
    for answer in answers:
        if answer is None:
            continue
        for kind in kinds:
            if same(kind[0], answer):
                kind[1] += 1
                break
        else:
            kinds.append([answer, 1])
    if not kinds:
        return 0.0
    most = max(votes for _, votes in kinds)
    best = [answer for answer, votes in kinds if votes == most]
    return sum(same(answer, truth) for answer in best) / len(best)


def settled_by(lane, step):
    """What a lane has answered by a step, marked and complete."""
    return next((answer for tokens, answer in reversed(lane["settled"]) if tokens <= step), None)


def cut(lanes, step):
    """[(answer, tokens)] of a group that ends behind a step."""
    return [(settled_by(lane, step), min(lane["length"], step)) for lane in lanes]


def adaptive(lanes, votes, wave):
    """`wave` lanes at a time, until `votes` of all so far agree; the lanes of a wave end there. In a group a wave reads the prompt as the first one does, but
    for rounding: it is rotated there from where the clock is."""
    before = []
    for first in range(0, len(lanes), wave):
        new = lanes[first : first + wave]
        for step in sorted({tokens for lane in new for tokens, _ in lane["settled"]}):
            here = before + cut(new, step)
            answers = [answer for answer, _ in here if answer is not None]
            if any(sum(same(a, b) for b in answers) >= votes for a in answers):
                return here
        before += cut(new, max(lane["length"] for lane in new))
    return before


def consensus(lanes, wanted):
    """The group ends as soon as `wanted` lanes have given one answer."""
    return adaptive(lanes, wanted, len(lanes))


def purse(lanes, tokens):
    """The group ends when what is left of the purse is less than its next step takes."""
    spent = step = 0
    while True:
        next_step = sum(lane["length"] > step for lane in lanes)
        if next_step == 0 or spent + next_step > tokens:
            return cut(lanes, step)
        spent += next_step
        step += 1


# Of the first `lanes` plain lanes: a name, as in script/lib/policies.sh, and what ends the group.
READ_OFF = (
    ("consensus", 4, lambda lanes: consensus(lanes, 3)),
    ("consensus-2", 4, lambda lanes: consensus(lanes, 2)),
    ("consensus-8", 8, lambda lanes: consensus(lanes, 5)),
    ("budget", 4, lambda lanes: purse(lanes, 1024)),
    ("adaptive-at-the-prompt", 8, lambda lanes: adaptive(lanes, 2, 2)),
)


def read(folder, questions):
    """{arm: {question: (truth, [(answer, tokens)])}}, and {question: lanes as they were written} of each arm."""
    truths = [json.loads(line)["answer"].split("####")[-1].strip() for line in open(questions, encoding="utf-8")]
    arms, written = collections.OrderedDict(), {}
    for record in recorded(folder):
        # A lane that was added joined at a step of the clock, which its length counts too.
        lanes = [(lane["settled"][-1][1] if lane.get("settled") else None, lane["length"] - lane.get("start_step", 0)) for lane in record["lanes"]]
        arms.setdefault(record["arm"], {})[record["question"]] = (truths[record["question"]], lanes)
        written.setdefault(record["arm"], {})[record["question"]] = record["lanes"]
    return arms, written


def read_off(arms, plain, written):
    """Adds what policies that only end a group come to, in place of arms that ran; returns with how many groups were compared."""
    compared = 0
    for name, n_lanes, ends in READ_OFF:
        if any(len(lanes) < n_lanes for lanes in written.values()):
            continue
        figures = {question: (plain[question][0], ends(written[question][:n_lanes])) for question in plain}
        for question, (_, lanes) in arms.get(name, {}).items():
            if question in figures and lanes != figures[question][1]:
                sys.exit(f"policies.py: question {question} under {name} went otherwise than its plain lanes say: {lanes}, not {figures[question][1]}")
            compared += 1
        arms[name] = figures
    return compared


def line_of(plain, question):
    """[(tokens, share right)] of 1, 2, ... plain lanes of a question, each the mean over all choices of them."""
    truth, lanes = plain[question]
    line = []
    for k in range(1, len(lanes) + 1):
        chosen = list(itertools.combinations(lanes, k))
        right = statistics.mean(voted([answer for answer, _ in some], truth) for some in chosen)
        line.append((k * statistics.mean(tokens for _, tokens in lanes), right))
    return line


def at_tokens(line, tokens):
    """The line's value between its points; its ends beyond them."""
    if tokens <= line[0][0]:
        return line[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(line):
        if tokens <= x1:
            return y0 + (y1 - y0) * (tokens - x0) / (x1 - x0)
    return line[-1][1]


def mean_line(lines):
    return [(statistics.mean(x for x, _ in points), statistics.mean(y for _, y in points)) for points in zip(*lines)]


def interval(values):
    values = sorted(values)
    return values[int(0.025 * len(values))], values[int(0.975 * len(values)) - 1]


def row(name, arm, lines, questions):
    """Of an arm: tokens a question, per cent right, and how both differ from four and from all plain lanes, and the latter from the line at as many tokens."""
    tokens = [sum(t for _, t in arm[q][1]) for q in questions]
    right = [voted([a for a, _ in arm[q][1]], arm[q][0]) for q in questions]

    def figures(chosen):
        spent = statistics.fmean(tokens[i] for i in chosen)
        share = statistics.fmean(right[i] for i in chosen)
        line = mean_line([lines[questions[i]] for i in chosen])
        beside = [x for plain in (line[min(3, len(line) - 1)], line[-1]) for x in (100 * (spent / plain[0] - 1), 100 * (share - plain[1]))]
        return [100 * share, *beside, 100 * (share - at_tokens(line, spent))]

    draw = random.Random(1)
    everything = range(len(questions))
    here = figures(everything)
    again = [figures([draw.randrange(len(questions)) for _ in everything]) for _ in range(RESAMPLES)]
    spread = [interval(column) for column in zip(*again)]
    shown = [f"{value:+.1f} [{low:+.1f}, {high:+.1f}]" for value, (low, high) in zip(here, spread)]
    for column in (1, 3):
        shown[column] = f"{here[column]:+.0f} % [{spread[column][0]:+.0f}, {spread[column][1]:+.0f}]"
    cells = [f"{statistics.fmean(tokens):,.0f}", f"{here[0]:.1f} [{spread[0][0]:.1f}, {spread[0][1]:.1f}]"]
    cells += [f"{shown[1]}, {shown[2]}", f"{shown[3]}, {shown[4]}", shown[5]]
    return f"| {name} | " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--questions", type=pathlib.Path, help="default: questions.jsonl beside the folder")
    parser.add_argument("--plain", default="plain", help="the arm of plain lanes")
    options = parser.parse_args()
    try:
        arms, written = read(options.folder, options.questions or options.folder.parent / "questions.jsonl")
    except (OSError, ValueError, KeyError, IndexError) as error:
        sys.exit(f"policies.py: these are no records of questions with one answer each: {error}")
    plain = arms.pop(options.plain, None)
    if plain is None:
        sys.exit(f"policies.py: there is no arm {options.plain} to compare with; name it with --plain")
    compared = read_off(arms, plain, written[options.plain])
    whole = [arm for arm in arms if len(arms[arm]) >= len(plain)]
    missing = [arm for arm in arms if arm not in whole]
    questions = sorted(set(plain).intersection(*(arms[arm] for arm in whole)))
    lines = {question: line_of(plain, question) for question in questions}
    line = mean_line(list(lines.values()))
    print(f"{len(questions)} questions; plain lanes by their number, tokens a question and per cent right by vote:")
    print("| lanes | " + " | ".join(str(k) for k in range(1, len(line) + 1)) + " |")
    print("|---" * (len(line) + 1) + "|")
    print("| tokens | " + " | ".join(f"{tokens:,.0f}" for tokens, _ in line) + " |")
    print("| right | " + " | ".join(f"{100 * right:.1f}" for _, right in line) + " |")
    print()
    print(f"| arm | tokens | right | beside {min(4, len(line))} plain lanes: tokens, right | beside {len(line)}: tokens, right | right, beside plain lanes of as many tokens |")
    print("|---|---|---|---|---|---|")
    for arm in whole:
        print(row(arm, arms[arm], lines, questions))
    if compared:
        print(f"\n{compared} groups that ran under such policies are what was read off", file=sys.stderr)
    if missing:
        print(f"\nnot whole, and left out: {', '.join(missing)}", file=sys.stderr)


if __name__ == "__main__":
    main()
