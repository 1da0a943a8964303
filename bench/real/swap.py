#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where a lane takes another lane's result from: numbers are exchanged in what the other one wrote.

  python3 bench/real/swap.py MODEL ADAPTER TRACES [--threads 2]

TRACES is what `lanerope data compose --lanes 4` wrote, of problems that the adapter was not trained on; MODEL's chats are in ChatML with Qwen's system
prompt. In each trace one lane, the solver, has a result that one other lane, the reader, lists. The solver's number is exchanged for a wrong one of as
many digits, in its result line (`Answer 2: 18`), in the solution before it, or in both, and the model says which list of the reader's is likelier: the
one with the number that was there, or the one with the wrong number. Other lists are cut off, so that nothing can be copied from them. Intervals are 95 %,
Wilson's.
"""

import random
import re

from intervals import share, told
from noise import MASKS, arguments, read_traces, scored

LIST = "\n####"
CHANGED = {"nothing": (), "its solution": ("solution",), "its result line": ("line",), "both": ("solution", "line")}
CLOSED = "both, which a closed mask hides"


def wrong(number):
    """Another number of as many digits."""
    return number[:-1] + str((int(number[-1]) + 3) % 10)


def exchanged(text, old, new):
    return re.sub(rf"(?<![\d.,]){re.escape(old)}(?![\d]|[.,]\d)", new, text)


def solver_of(trace, problem, ready):
    """The lane that alone has a result of a problem, as a whole number; nothing where there is no such lane."""
    found = [(m, re.search(rf"^Answer {problem + 1}: (\d+){re.escape(ready)}", text, re.MULTILINE)) for m, text in enumerate(trace["lanes"])]
    there = [(m, match) for m, match in found if match]
    return there[0] if len(there) == 1 else None


def chosen(trace, draw, ready):
    """(problem, solver, number, reader) of a trace, drawn from those that fit."""
    choices = []
    for problem in range(len(trace["parts"])):
        solver = solver_of(trace, problem, ready)
        if solver:
            choices += [(problem, solver[0], solver[1][1], m) for m in range(len(trace["lanes"])) if m != solver[0]]
    return draw.choice(choices) if choices else None


def with_list(text, problem, number):
    """A lane's text with another number in its list."""
    head, said = text.rsplit(LIST, 1)
    values = said.strip().strip("()").split(", ")
    values[problem] = number
    return f"{head}{LIST} ({', '.join(values)})"


def variants(trace, choice):
    """{what is changed: (trace whose reader lists the number that was there, trace whose reader lists the wrong one)}"""
    problem, solver, number, reader = choice
    result = f"\nAnswer {problem + 1}: "
    for name, changed in CHANGED.items():
        lanes = [text if m == reader else text.rsplit(LIST, 1)[0] for m, text in enumerate(trace["lanes"])]
        solution, line = lanes[solver].split(result, 1)
        if "solution" in changed:
            solution = exchanged(solution, number, wrong(number))
        if "line" in changed:
            line = exchanged(line, number, wrong(number))
        lanes[solver] = solution + result + line
        pair = []
        for said in (number, wrong(number)):
            lanes[reader] = with_list(trace["lanes"][reader], problem, said)
            pair.append({**trace, "lanes": list(lanes)})
        yield name, pair


def main():
    parser = arguments(__doc__)
    parser.add_argument("--limit", type=int, default=16, help="only so many traces, the first ones")
    given = parser.parse_args()
    draw = random.Random(1)
    traces = read_traces(given.traces)
    asked = [(trace, choice) for trace in traces if (choice := chosen(trace, draw, given.ready))][: given.limit]
    readers = [choice[3] for _, choice in asked]
    pairs = {name: [] for name in CHANGED}
    for trace, choice in asked:
        for name, pair in variants(trace, choice):
            pairs[name].append(pair)
    pairs[CLOSED] = pairs["both"]
    print(f"| changed in what the solver wrote ({len(asked)} traces) | the wrong number is likelier, % |\n|---|---|")
    for name, of in pairs.items():
        groups = scored(given, [trace for pair in of for trace in pair], MASKS["nothing"] if name == CLOSED else ())
        sums = [[lane["sum"] for lane in group["lanes"]] for group in groups]
        taken = sum(sums[2 * i + 1][m] > sums[2 * i][m] for i, m in enumerate(readers))
        print(f"| {name} | {told(share(taken, len(readers)))} |", flush=True)


if __name__ == "__main__":
    main()
