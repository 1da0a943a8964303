# SPDX-License-Identifier: Apache-2.0
"""What N lanes write about several problems: the lanes of `lanerope data compose --lanes` (src/data/compose_lanes.cpp).

Lane m of N works in rounds: round j has the problems j * N ... j * N + c - 1, where c is N or what is left, and lane m does the one with
number j * N + m mod c; so in a round with more lanes than problems, problems are done twice or more often. For each, a lane writes

    Problem 3:
    <the solution>
    Answer 3: 18 READY

and when it has done all of its rounds, it sleeps (WAIT, one for each time that it is woken before) until it can read the results of
every other lane, then writes what all lanes found: `#### (5, 18, 7)`, or `#### 5` where there is one problem. The result of a
problem is the one that most lanes found; of several, that of the lowest lane. A lane that is alone does all problems in turn and never
waits; one that is asked a single problem writes its solution and nothing else.

Synchronous simulation: what is chosen at step s + 1 follows from what was fed up to step s in every lane (inclusive).
"""

import dataclasses
import re

from .sleep import Sleepers, SleepTokens

WAIT = " await"
READY = " ✓"


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
    """Ids, whether each is learned (tags and wrong solutions are only read), and the steps in which they are fed; None: 0, 1, 2 ..."""

    ids: list
    learned: list
    steps: list | None = None
    text: str = ""


class Unfit(ValueError):
    """A text that does not fall into tokens where a lane's next piece begins."""


class Writer:
    """One lane on its way. Pieces of its text are encoded one by one, since the first are fed before the next are known."""

    def __init__(self, todo, tag, encode):
        self.todo, self.encode = list(todo), encode
        self.lane = Lane(list(tag), [False] * len(tag), [])
        self.n_tag = len(tag)
        self.chosen = 0
        self.over = self.waited = False
        self.results = []  # (a problem, the number of the token that makes its answer readable)

    def add(self, text, learned=True):
        text = "\n" + text if self.waited else text
        self.waited = False
        ids = self.encode(text)
        self.lane.text += text
        self.lane.ids += ids
        self.lane.learned += [learned] * len(ids)

    def sign(self, text, learned=True):
        """The wait or the ready token."""
        self.lane.text += text
        self.lane.ids += self.encode(text)
        self.lane.learned.append(learned)

    def end(self, token):
        if self.encode(self.lane.text) != self.lane.ids[self.n_tag :]:
            raise Unfit(self.lane.text)
        self.lane.ids.append(token)
        self.lane.learned.append(True)
        self.over = True


def simulate(solutions, n, encode, end, tags):
    """The Lanes of a group. `solutions` are draw_solutions'; `tags` [n] are ids. Raises Unfit."""
    plan = solutions.plan
    k = 1 + max(i for lane in plan for i in lane)
    if n == 1 and k == 1:
        only = Writer([], tags[0], encode)
        only.add(solutions[0][0].text, solutions[0][0].right)
        only.end(end)
        only.lane.steps = list(range(len(only.lane.ids)))
        return [only.lane]
    signs = SleepTokens(*(encode(text)[0] for text in (WAIT, READY)))
    if any(len(encode(text)) != 1 for text in (WAIT, READY)):
        raise Unfit("the wait and the ready text must be one token each")
    writers = [Writer(zip(plan[m], solutions[m]), tags[m], encode) for m in range(n)]
    sleepers = Sleepers(signs, n)
    known = {}  # (problem, lane): the step in which its answer became readable
    expected = [(i, m) for m in range(n) for i in plan[m]]
    found = {}
    for m in range(n):
        for i, solution in zip(plan[m], solutions[m]):
            found.setdefault(i, []).append((m, solution.result))
    last = final_text([majority(found[i]) for i in range(k)])

    def write_on(w, clock):
        if w.todo:
            i, solution = w.todo.pop(0)
            heading = f"Problem {i + 1}:\n" if k > 1 else ""
            w.add(f"{heading}{solution.text}\nAnswer {i + 1}: {solution.result}", solution.right)
            w.sign(READY, solution.right)
            w.results.append((i, len(w.lane.ids) - 1))
            w.add("\n", solution.right)
        elif n > 1 and not all(known.get(x, clock) < clock for x in expected):
            w.sign(WAIT)
            w.waited = True
        else:
            w.add(last)
            w.end(end)

    def choose(m, clock):
        w = writers[m]
        if w.chosen == len(w.lane.ids) and not w.over:
            write_on(w, clock)
        if w.chosen < len(w.lane.ids):
            sleepers.chose(m, w.lane.ids[w.chosen])
            w.chosen += 1
            if w.over and w.chosen == len(w.lane.ids):
                sleepers.ended(m)

    for m in range(n):
        choose(m, 0)
    clock = 0
    while True:
        sleepers.settle()
        pending = [m for m in range(n) if len(writers[m].lane.steps) < writers[m].chosen]
        if not pending:
            return [w.lane for w in writers]
        fed = [m for m in pending if not sleepers.asleep[m]]
        for m in fed:
            at = len(writers[m].lane.steps)
            writers[m].lane.steps.append(clock)
            for i, token in writers[m].results:
                if token == at:
                    known[i, m] = clock
        for m in fed:
            choose(m, clock + 1)
        clock += 1


class Drawn(list):
    """[n][rounds] Solutions with the schedule that they follow."""

    def __init__(self, lanes, plan):
        super().__init__(lanes)
        self.plan = plan


def draw_solutions(pools, n, draw, wrong_share=0.3):
    """Solutions for the lanes of a group. `pools` [k] are ([right Solutions], [wrong Solutions]), right ones in order of length.

    Right ones come from the shorter half, another one for each lane while there are enough. A problem that one lane does gets a right
    solution. Of one that several lanes do, one lane's is wrong with probability `wrong_share` where that leaves the majority
    right: where three or more do it, or two and the wrong one is the higher lane.
    """
    plan = schedule(len(pools), n)
    lanes = [[] for _ in range(n)]
    for i, (right, wrong) in enumerate(pools):
        solvers = [m for m in range(n) for p in plan[m] if p == i]
        half = draw.sample(right[: (len(right) + 1) // 2], (len(right) + 1) // 2)
        chosen = [half[j % len(half)] for j in range(len(solvers))]
        if len(solvers) > 1 and wrong and draw.random() < wrong_share:
            place = draw.randrange(0 if len(solvers) > 2 else 1, len(solvers))
            chosen[place] = draw.choice(wrong)
        for m, solution in zip(solvers, chosen):
            lanes[m].append((i, solution))
    return Drawn([[s for _, s in sorted(lane, key=lambda x: x[0])] for lane in lanes], plan)


UNFIT = re.compile(rf"####|Answer \d|Problem \d|<lane|{re.escape(WAIT)}|{re.escape(READY)}")


def fit(text):
    """Whether a sampled solution can stand in a trace without being taken for something else."""
    return bool(text.strip()) and not UNFIT.search(text)
