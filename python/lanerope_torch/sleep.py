# SPDX-License-Identifier: Apache-2.0
"""Lanes that wait: who sleeps, and in which step each token is fed (docs/couplings.md, src/core/sleepers.h).

A lane sleeps from the moment that it chose the wait token, which is held back. It wakes when another lane has chosen the ready
token or has ended at the same moment or later, when no other lane is left, or when no lane of the group is awake.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class SleepTokens:
    wait: int = -1  # -1: lanes never sleep
    ready: int = -1  # -1: only the end of a lane wakes others


class Sleepers:
    """The lanes of one group, all of which see one another and begin together."""

    def __init__(self, tokens, n):
        self.tokens = tokens
        self.live = [True] * n
        self.asleep = [False] * n
        self.want = set()
        self.news = False

    def chose(self, lane, token):
        if self.tokens.wait < 0:
            return
        if token == self.tokens.wait:
            self.want.add(lane)
        self.news = self.news or token == self.tokens.ready

    def ended(self, lane):
        self.live[lane] = False
        self.news = True

    def settle(self):
        """Once all have chosen for a step."""
        if self.want or self.news or any(self.asleep):
            left = sum(self.live)
            for m, live in enumerate(self.live):
                wants = self.asleep[m] or m in self.want
                self.asleep[m] = wants and live and not self.news and left > 1
            if all(asleep or not live for asleep, live in zip(self.asleep, self.live)):
                self.asleep = [False] * len(self.live)
        self.want, self.news = set(), False


def lane_steps(lanes, tokens):
    """[N][tokens] the step in which each token of these lanes is fed. A lane ends with its last token."""
    sleepers = Sleepers(tokens, len(lanes))
    steps = [[] for _ in lanes]

    def choose(m):
        at = len(steps[m])
        if at < len(lanes[m]):
            sleepers.chose(m, lanes[m][at])
            if at + 1 == len(lanes[m]):
                sleepers.ended(m)

    for m in range(len(lanes)):
        choose(m)
    clock = 0
    while any(len(s) < len(lane) for s, lane in zip(steps, lanes)):
        sleepers.settle()
        fed = [m for m, lane in enumerate(lanes) if len(steps[m]) < len(lane) and not sleepers.asleep[m]]
        for m in fed:
            steps[m].append(clock)
        for m in fed:
            choose(m)
        clock += 1
    return steps


def sleeps_of(steps):
    """[(token, steps)] of a lane whose tokens are fed in these steps: which token was held back, for how long."""
    sleeps, following = [], 0
    for i, step in enumerate(steps):
        if step > following:
            sleeps.append((i, step - following))
        following = step + 1
    return sleeps


def tokens_within(clock, sleeps):
    """How many tokens a lane had spent after so many steps of the clock."""
    slept = asleep = 0
    for token, steps in sleeps:
        asleep += min(max(clock - token - slept, 0), steps)
        slept += steps
    return clock - asleep
