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
    """The share of lanes that are right."""
    oracle: Estimate
    """Some lane is right."""
    ended: float
    """The share of lanes that came to their end."""
    mean_tokens: float
    """That a lane spends."""


def majority_of(answers: Sequence[str], truth: str) -> float:
    """How right a vote among the answers is: 1, 0, or with ties the share of right ones among the best."""
    groups: list[tuple[str, int]] = []
    for answer in answers:
        for i, (first, count) in enumerate(groups):
            if _core.same_answer(answer, first):
                groups[i] = (first, count + 1)
                break
        else:
            groups.append((answer, 1))
    most = max((count for _, count in groups), default=0)
    best = [first for first, count in groups if count == most]
    return sum(_core.same_answer(first, truth) for first in best) / len(best) if best else 0.0


def estimate(values: Sequence[float], resamples: int = 2000, seed: int = 1) -> Estimate:
    """The mean of values, one a question; the interval is the 2.5th to the 97.5th percentile of resampled means."""
    if not values:
        return Estimate(float("nan"), float("nan"), float("nan"))
    array = np.asarray(values, dtype=np.float64)
    draw = np.random.default_rng(seed)
    means = np.array([array[draw.integers(0, len(array), len(array))].mean() for _ in range(resamples)])
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(array.mean()), float(low), float(high))


def score_arm(arm: str, questions: Sequence[Sequence[dict[str, Any]]], truths: Sequence[str], budget: int) -> Score:
    """questions: the lanes of each question, of all its groups."""
    majority, passed, oracle, ended, tokens = [], [], [], [], []
    for lanes, truth in zip(questions, truths):
        done = [lane for lane in lanes if lane["ended"] and lane["length"] <= budget]
        answers = [lane["answer"] for lane in done if lane["answer"] is not None]
        right = [_core.same_answer(answer, truth) for answer in answers]
        majority.append(majority_of(answers, truth))
        passed.append(sum(right) / len(lanes))
        oracle.append(float(any(right)))
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
