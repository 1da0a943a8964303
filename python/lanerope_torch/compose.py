# SPDX-License-Identifier: Apache-2.0
"""Several problems asked together, and what N lanes write about them: the specification of `lanerope data compose`.

A question holds k problems in one of WORDINGS and asks for all answers. Lane m of N works in rounds: round j has the problems
j * N ... j * N + c - 1, where c is N or what is left, and lane m does the one with number j * N + m mod c; so in a
round with more lanes than problems, problems are done twice or more often. For each, a lane writes

    Problem 3:
    <the solution>
    Answer 3: 18

and when it has done all of its rounds, ` wait` at each step until the line break behind the last result of every other lane
is there, then what all lanes found: `#### (5, 18, 7)`, or `#### 5` where there is one problem. The result of a problem is the one
that most lanes found; of several, that of the lowest lane. A lane that is alone does all problems in turn and never waits.

Synchronous simulation: the token at step s + 1 follows from what was written up to step s in every lane (inclusive).
"""

import dataclasses
import hashlib
import json
import random
import re

WAIT = " wait"
N_DEV = 500

# Head, one problem, tail; {i} counts from 1.
WORDINGS = (
    ("Solve each of these problems.\n\n", "Problem {i}: {q}", "\n\nEnd with all the answers in order: #### (answer 1, answer 2, ...)"),
    ("Here are {k} problems. Solve them all.\n\n", "Problem {i}: {q}", "\n\nAt the end write one line with every answer: #### (first, second, ...)"),
    ("", "Problem {i}: {q}", "\n\nSolve all {k} problems. Finish with #### and the answers in order, in parentheses."),
    ("I have {k} questions.\n\n", "{i}. {q}", "\n\nPlease answer all of them, and list the answers at the end as #### (a, b, ...)."),
    ("Answer every question below.\n\n", "({i}) {q}", "\n\nClose with a line that starts with #### and gives all answers in parentheses, separated by commas."),
    ("Work through these {k} tasks:\n\n", "Task {i}: {q}", "\n\nYour last line must be #### followed by the list of the {k} answers in parentheses."),
)


def load_problems(path):
    """[{"question", "answer"}] of a GSM8K file; the answer is the number behind ####, without commas."""
    problems = []
    for line in open(path, encoding="utf-8"):
        record = json.loads(line)
        problems.append({"question": record["question"].strip(), "answer": record["answer"].split("####")[1].strip().replace(",", "")})
    return problems


def dev_numbers(problems):
    """The N_DEV problems of a train file that nothing is trained on: those whose question has the lowest SHA-256."""
    digest = [hashlib.sha256(p["question"].encode()).hexdigest() for p in problems]
    return set(sorted(range(len(problems)), key=lambda i: digest[i])[:N_DEV])


def compose_question(questions, wording):
    head, item, tail = WORDINGS[wording]
    k = len(questions)
    items = "\n\n".join(item.format(i=i + 1, q=q) for i, q in enumerate(questions))
    return head.format(k=k) + items + tail.format(k=k)


def schedule(k, n):
    """[n] the numbers of the problems that each lane does, in order."""
    lanes = [[] for _ in range(n)]
    for first in range(0, k, n):
        count = min(n, k - first)
        for m in range(n):
            lanes[m].append(first + m % count)
    return lanes


def majority(results):
    """The most frequent of [(lane, result)]; of several, that of the lowest lane."""
    counts = {}
    for _, result in results:
        counts[result] = counts.get(result, 0) + 1
    most = max(counts.values())
    return next(result for _, result in sorted(results, key=lambda r: r[0]) if counts[result] == most)


def final_text(answers):
    return f"#### ({', '.join(answers)})" if len(answers) > 1 else f"#### {answers[0]}"


@dataclasses.dataclass
class Solution:
    text: str
    result: str
    right: bool


@dataclasses.dataclass
class Lane:
    """Ids, and whether each is learned: tags and wrong solutions are only read."""

    ids: list
    learned: list


def simulate(solutions, n, encode, end, tags):
    """The lanes of a group. `solutions` are draw_solutions'; `tags` [n] are ids. A lane alone with one problem writes its solution and nothing else.
    """
    plan = solutions.plan
    k = 1 + max(i for lane in plan for i in lane)
    lanes, results = [], {}
    for m in range(n):
        ids, learned = list(tags[m]), [False] * len(tags[m])
        for i, solution in zip(plan[m], solutions[m]):
            if n == 1 and k == 1:
                block = encode(solution.text)
            else:
                heading = f"Problem {i + 1}:\n" if k > 1 else ""
                block = encode(f"{heading}{solution.text}\nAnswer {i + 1}: {solution.result}\n")
            ids += block
            learned += [solution.right] * len(block)
            results.setdefault(i, []).append((m, solution.result))
        lanes.append(Lane(ids, learned))
    if n > 1 or k > 1:
        done = max(len(lane.ids) for lane in lanes)  # the step from which on every result can be used
        wait = encode(WAIT)
        last = encode(final_text([majority(results[i]) for i in range(k)]))
        broken = encode("\n")
        for lane in lanes:
            waits = done - len(lane.ids)
            tail = wait * waits + (broken if waits else []) + last
            lane.ids += tail
            lane.learned += [True] * len(tail)
    for lane in lanes:
        lane.ids.append(end)
        lane.learned.append(True)
    return lanes


class Drawn(list):
    """[n][rounds] Solutions with the schedule that they follow."""

    def __init__(self, lanes, plan):
        super().__init__(lanes)
        self.plan = plan


def draw_solutions(pools, n, draw, wrong_share=0.3):
    """Solutions for the lanes of a group. `pools` [k] are ([right Solutions], [wrong Solutions]), right ones in order of length.

    A problem that one lane does gets a right solution. Of one that several lanes do, one lane's is wrong with probability
    `wrong_share` where that leaves the majority right: where three or more do it, or two and the wrong one is the higher lane.
    """
    plan = schedule(len(pools), n)
    lanes = [[] for _ in range(n)]
    for i, (right, wrong) in enumerate(pools):
        solvers = [m for m in range(n) for p in plan[m] if p == i]
        chosen = []
        while len(chosen) < len(solvers):
            chosen += draw.sample(right, min(len(right), len(solvers) - len(chosen)))
        if len(solvers) > 1 and wrong and draw.random() < wrong_share:
            place = draw.randrange(0 if len(solvers) > 2 else 1, len(solvers))
            chosen[place] = draw.choice(wrong)
        for m, solution in zip(solvers, chosen):
            lanes[m].append((i, solution))
    return Drawn([[s for _, s in sorted(lane, key=lambda x: x[0])] for lane in lanes], plan)


UNFIT = re.compile(r"####|Answer \d|Problem \d|<lane")


def fit(text):
    """Whether a sampled solution can stand in a trace without being taken for something else."""
    return bool(text.strip()) and not UNFIT.search(text)


def test_sets(problems, numbers, seed, name, sizes=(2, 3, 4, 6), count=300):
    """[{"set", "k", "problems", "question", "answers"}]: `count` groups of each size from the problems with these numbers."""
    draw = random.Random(seed)
    groups = []
    for k in sizes:
        for _ in range(count):
            chosen = draw.sample(sorted(numbers), k)
            wording = draw.randrange(len(WORDINGS))
            groups.append(
                {
                    "set": f"{name}-{k}",
                    "k": k,
                    "problems": chosen,
                    "question": compose_question([problems[i]["question"] for i in chosen], wording),
                    "answers": [problems[i]["answer"] for i in chosen],
                }
            )
    return groups


def digest(groups):
    return hashlib.sha256(json.dumps(groups, sort_keys=True).encode()).hexdigest()
