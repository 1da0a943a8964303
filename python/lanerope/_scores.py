# SPDX-License-Identifier: Apache-2.0
"""Shares of right answers, with intervals (docs/evaluation.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _core


@dataclass(frozen=True)
class Estimate:
    """A mean over questions with its 95 % interval, by bootstrap."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Score:
    """How an arm does when each lane may spend `budget` tokens. A lane that has not ended by then gives no answer and does not vote."""

    arm: str
    budget: int
    questions: int
    majority: Estimate
    """The answer that most lanes give is right; ties count for the share of right ones among them."""
    pass_at_1: Estimate
    """The share of lanes that are right; of a list the share of its places."""
    oracle: Estimate
    """Some lane is right."""
    ended: float
    """The share of lanes that came to their end."""
    mean_tokens: float
    """That a lane spends."""


@dataclass(frozen=True)
class Said:
    """What a lane says in one place of its answer."""

    answer: str
    right: bool


def said_by(lane: dict[str, Any], truths: Sequence[str]) -> list[Said]:
    """What a lane says in each place; nothing where it gives no answer, or lists another number of them. A command's verdict, where one
    judged the lane, counts for all places."""
    if lane["answer"] is None:
        return []
    places = [lane["answer"]] if len(truths) == 1 else _core.listed_answers(lane["answer"], len(truths))
    verdict = lane.get("passed")
    return [Said(place, _core.same_answer(place, truth) if verdict is None else verdict) for place, truth in zip(places, truths)]


def majority_of(votes: Sequence[Said]) -> float:
    """How right a vote is: 1, 0, or with ties the share of right ones among the best. Of answers that are equal the first one counts."""
    groups: list[tuple[Said, int]] = []
    for vote in votes:
        for i, (first, count) in enumerate(groups):
            if _core.same_answer(vote.answer, first.answer):
                groups[i] = (first, count + 1)
                break
        else:
            groups.append((vote, 1))
    most = max((count for _, count in groups), default=0)
    best = [first for first, count in groups if count == most]
    return sum(first.right for first in best) / len(best) if best else 0.0


def estimate(values: Sequence[float], resamples: int = 2000, seed: int = 1) -> Estimate:
    """The mean of values, one a question; the interval is the 2.5th to the 97.5th percentile of resampled means."""
    if not values:
        return Estimate(float("nan"), float("nan"), float("nan"))
    array = np.asarray(values, dtype=np.float64)
    draw = np.random.default_rng(seed)
    means = np.array([array[draw.integers(0, len(array), len(array))].mean() for _ in range(resamples)])
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(array.mean()), float(low), float(high))


def score_arm(arm: str, questions: Sequence[Sequence[dict[str, Any]]], truths: Sequence[Sequence[str]], budget: int) -> Score:
    """questions: the lanes of each question, of all its groups. truths: what is right in each place of its answer, which counts by
    itself; one place where the answer is no list."""
    majority, passed, oracle, ended, tokens = [], [], [], [], []
    for lanes, of_places in zip(questions, truths):
        done = [lane for lane in lanes if lane["ended"] and lane["length"] <= budget]
        votes = list(zip(*filter(None, (said_by(lane, of_places) for lane in done)))) or [()] * len(of_places)
        majority.append(float(np.mean([majority_of(place) for place in votes])))
        passed.append(sum(said.right for place in votes for said in place) / (len(lanes) * len(of_places)))
        oracle.append(float(np.mean([any(said.right for said in place) for place in votes])))
        ended.append(len(done) / len(lanes))
        tokens.append(float(np.mean([min(lane["length"], budget) for lane in lanes])))
    return Score(
        arm=arm,
        budget=budget,
        questions=len(truths),
        majority=estimate(majority),
        pass_at_1=estimate(passed),
        oracle=estimate(oracle),
        ended=float(np.mean(ended)) if ended else float("nan"),
        mean_tokens=float(np.mean(tokens)) if tokens else float("nan"),
    )
