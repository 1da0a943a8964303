# SPDX-License-Identifier: Apache-2.0
"""Means with intervals of 95 %, and how they are told."""

import collections
import math
import random
import statistics
from typing import Any, NamedTuple


class Cell(NamedTuple):
    """One of the answers that a question asks for: how right it is, or by how much two arms differ in it."""

    question: Any
    problem: Any  # None: not known
    value: float


def interval(values, rounds=2000):
    """(mean, low, high), by bootstrap."""
    draw = random.Random(1)
    means = sorted(statistics.fmean(draw.choices(values, k=len(values))) for _ in range(rounds))
    return statistics.fmean(values), means[int(0.025 * rounds)], means[int(0.975 * rounds) - 1]


def over(clusters, rounds=2000):
    """(mean, low, high) of all values, by bootstrap over the clusters in which they come, which need not be of one size."""
    sums = [(sum(values), len(values)) for values in clusters]
    draw = random.Random(1)

    def mean(drawn):
        return sum(total for total, _ in drawn) / sum(count for _, count in drawn)

    means = sorted(mean(draw.choices(sums, k=len(sums))) for _ in range(rounds))
    return mean(sums), means[int(0.025 * rounds)], means[int(0.975 * rounds) - 1]


def clustered(cells, rounds=2000):
    """(mean, low, high) of cells. Answers of one question come out of one text, and one problem may stand in several questions: by bootstrap over questions
    or over problems, whichever is wider."""
    estimates = []
    for key in ("question", "problem"):
        clusters = collections.defaultdict(list)
        for cell in cells:
            clusters[getattr(cell, key)].append(cell.value)
        if None not in clusters:
            estimates.append(over(list(clusters.values()), rounds))
    return max(estimates, key=lambda estimate: estimate[2] - estimate[1])


def share(right, of):
    """(share, low, high) of so many that are right, by Wilson's interval, which says something of none and of all too."""
    z = 1.96
    middle = (right + z * z / 2) / (of + z * z)
    half = z * math.sqrt(right * (of - right) / of + z * z / 4) / (of + z * z)
    return right / of, max(0.0, middle - half), min(1.0, middle + half)


def told(estimate):
    middle, low, high = (100 * value for value in estimate)
    return f"{middle:.1f} [{low:.1f}, {high:.1f}]"


def percent(part, whole):
    return f"{100 * part / whole:.0f} % of {whole}" if whole else "none"
