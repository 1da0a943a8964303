# SPDX-License-Identifier: Apache-2.0
"""Lanes that wait: who sleeps, and in which step each token is fed (docs/couplings.md, "Lanes that wait")."""

from collections.abc import Sequence
from itertools import accumulate
from operator import or_


class Sleepers:
    """The lanes of one group, which all see one another and begin together. ``wait`` -1: none ever sleeps."""

    def __init__(self, lanes: int, wait: int = -1, ready: int = -1) -> None:
        self._wait, self._ready = wait, ready
        self._live = [True] * lanes
        self._asleep = [False] * lanes
        self._wanting: set[int] = set()
        self._news = False

    def chose(self, lane: int, token: int) -> None:
        """The lane chose its next token."""
        if self._wait < 0:
            return
        if token == self._wait:
            self._wanting.add(lane)
        self._news = self._news or token == self._ready

    def ended(self, lane: int) -> None:
        """The lane will choose no more."""
        self._live[lane] = False
        self._news = True

    def settle(self) -> None:
        """All have chosen for a step: some fall asleep, some wake."""
        others = sum(self._live) > 1
        for lane, live in enumerate(self._live):
            waits = self._asleep[lane] or lane in self._wanting
            self._asleep[lane] = waits and live and others and not self._news
        if all(asleep or not live for asleep, live in zip(self._asleep, self._live, strict=True)):
            self._asleep = [False] * len(self._live)
        self._wanting, self._news = set(), False

    def asleep(self, lane: int) -> bool:
        """Whether the token that it chose is held back."""
        return self._asleep[lane]


def is_hand_over(token: int, wait: int, ready: int) -> bool:
    """Whether a lane sees others from this token on, where they see one another from their hand-over on."""
    return wait >= 0 and token in (wait, ready)


def sees_others(tokens: Sequence[int], wait: int, ready: int) -> list[bool]:
    """Of each token of a lane whether it is its hand-over, the first wait or ready token, or stands behind it."""
    return list(accumulate((is_hand_over(token, wait, ready) for token in tokens), or_))


def lane_steps(lanes: Sequence[Sequence[int]], wait: int = -1, ready: int = -1) -> list[list[int]]:
    """In which step each token of these lanes is fed, [lanes][tokens]. A lane ends with its last token."""
    sleepers = Sleepers(len(lanes), wait, ready)
    steps: list[list[int]] = [[] for _ in lanes]

    def choose(lane: int) -> None:
        at = len(steps[lane])
        if at < len(lanes[lane]):
            sleepers.chose(lane, lanes[lane][at])
            if at + 1 == len(lanes[lane]):
                sleepers.ended(lane)

    for lane in range(len(lanes)):
        choose(lane)
    clock = 0
    while any(len(done) < len(lane) for done, lane in zip(steps, lanes, strict=True)):
        sleepers.settle()
        fed = [m for m, lane in enumerate(lanes) if len(steps[m]) < len(lane) and not sleepers.asleep(m)]
        for lane in fed:
            steps[lane].append(clock)
        for lane in fed:
            choose(lane)
        clock += 1
    return steps
