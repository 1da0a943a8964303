# SPDX-License-Identifier: Apache-2.0
"""bench/real/intervals.py: means with intervals, against what they must be."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench/real"))
from intervals import Cell, clustered, interval, over, share  # noqa: E402


def test_the_mean_of_what_never_varies_is_certain():
    assert interval([0.5] * 10) == (0.5, 0.5, 0.5)


def test_clusters_count_by_their_values():
    middle, low, high = over([[1.0, 1.0, 1.0], [0.0]])
    assert middle == 0.75
    assert (low, high) == (0.0, 1.0)


def test_the_wider_interval_counts():
    # Eight questions of four problems each: what is right follows from the problem alone, so questions look alike and say that all is certain.
    cells = [Cell(question, problem, float(problem % 2)) for question in range(8) for problem in range(4)]
    middle, low, high = clustered(cells)
    assert middle == 0.5 and low < 0.1 and high > 0.9
    # Where each problem stands once and answers of a question go wrong together, questions are what varies.
    cells = [Cell(question, 4 * question + i, float(question % 2)) for question in range(8) for i in range(4)]
    assert clustered(cells) == over([[float(question % 2)] * 4 for question in range(8)])
    # A problem that is not known says nothing.
    assert clustered([cell._replace(problem=None) for cell in cells]) == clustered(cells)


def test_a_share_of_none_or_all_is_not_certain():
    assert share(0, 16) == pytest.approx((0, 0, 0.194), abs=1e-3)
    assert share(16, 16) == pytest.approx((1, 0.806, 1), abs=1e-3)
    assert share(5, 10)[1] + share(5, 10)[2] == pytest.approx(1)
