# SPDX-License-Identifier: Apache-2.0
"""bench/real/noise.py: which tokens of a scored lane are its own work, and how masks are compared."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench/real"))
import noise  # noqa: E402

READY = 7


def lane(own, behind):
    """A head of eight tokens, which do not count, two of own work, the sign, one behind it."""
    return {"tokens": [1] * 8 + [2, 3, READY, 4], "logprobs": [-9.0] * 8 + own + behind}


def test_own_work_is_between_the_head_and_the_sign():
    group = {"lanes": [lane([-0.1, -0.2], [-1.0, -2.0]), {"tokens": [1] * 9, "logprobs": [-9.0] * 8 + [-0.5]}]}
    assert noise.parts_of(group, READY) == ([-0.1, -0.2, -0.5], [-1.0, -2.0])


def test_masks_are_compared_group_by_group():
    closed = [{"lanes": [lane([-0.1, -0.1], [-3.0, -3.0])]}, {"lanes": [lane([-0.2, -0.2], [-3.0, -3.0])]}]
    seen = [{"lanes": [lane([-0.15, -0.15], [-0.1, -0.1])]}, {"lanes": [lane([-0.25, -0.25], [-0.1, -0.1])]}]
    (mask, own, more, behind), nothing = noise.rows({"all": seen, "nothing": closed}, READY)
    assert (mask, own, behind) == ("all", pytest.approx(0.2), pytest.approx(0.1))
    assert more == pytest.approx((0.05, 0.05, 0.05))
    assert nothing[2] == (0, 0, 0)


def test_lanes_have_their_tags_and_their_end():
    scored = noise.as_scored({"question": "2 + 2?", "lanes": ["4", "5"]})
    assert scored["lanes"] == ["<lane1>4<|im_end|>", "<lane2>5<|im_end|>"]
    assert "\n2 + 2?<|im_end|>\n" in scored["prompt"]
    assert noise.as_scored({"question": "2 + 2?", "lanes": ["4"]})["lanes"] == ["4<|im_end|>"]
