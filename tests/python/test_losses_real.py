# SPDX-License-Identifier: Apache-2.0
"""bench/real/losses.py: adapters are compared with the first one, group by group."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench/real"))
import losses  # noqa: E402

READY = 7


def group(own, behind):
    """One lane: a head of eight tokens, which do not count, its own work, the sign and what is behind it."""
    return {"lanes": [{"tokens": [1] * 8 + [2] * len(own) + [READY, 4], "logprobs": [-9.0] * 8 + own + behind}]}


def test_adapters_are_compared_with_the_first_group_by_group():
    first = [group([-0.1, -0.3], [-1.0, -1.0]), group([-0.4], [-2.0, -2.0])]
    worse = [group([-0.2, -0.4], [-0.5, -0.5]), group([-0.5], [-1.5, -1.5])]
    (name, own_and_behind), (other, (own, behind)) = losses.rows({"first": first, "worse": worse}, READY)
    assert (name, other) == ("first", "worse")
    assert own_and_behind == [(pytest.approx(0.8 / 3), (0, 0, 0)), (pytest.approx(1.5), (0, 0, 0))]  # a token, not a group, counts
    assert own == (pytest.approx(1.1 / 3), pytest.approx((0.1, 0.1, 0.1)))
    assert behind == (pytest.approx(1.0), pytest.approx((-0.5, -0.5, -0.5)))


def test_adapters_of_one_file_name_are_told_apart():
    assert losses.names_of(["a/parts.gguf", "a/gold.gguf"]) == ["parts", "gold"]
    assert losses.names_of(["a/lanes.gguf", "b/lanes.gguf"]) == ["a/lanes.gguf", "b/lanes.gguf"]
