# SPDX-License-Identifier: Apache-2.0
"""bench/real/lists.py: who solves what, and lists that are not there, on a group written out by hand."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench/real"))
import groups  # noqa: E402
import lists  # noqa: E402


def lane(text, ended=True):
    return {"recorded": {"text": text, "ended": ended}, "own": groups.results_of(text, 2), "list": groups.listed(text, 2)}


def test_lanes_and_problems_are_counted():
    group = {
        "truth": [3.0, 40.0],
        "lanes": [
            lane("Problem 1: ...\nAnswer 1: 3 \u2713\n#### (3, 40)"),
            lane("Problem 1: ...\nAnswer 1: 3 \u2713\nIt is \\boxed{3}."),  # stopped as if it was asked one thing
            lane("Problem 1: ...\nAnswer 1: 4 \u2713\nThen \\boxed{3} and", ended=False),
            lane("Problem 3: ...\nAnswer 3: 7 \u2713\n#### (3, 40)"),
        ],
    }
    assert lists.counted([group]) == {
        "lanes": 4,
        "not ended": 1,
        "without a list": 2,
        "of these behind a box": 1,
        "on a problem that is not there": 1,
        "problems": 2,
        "solved by none": 1,
        "by one": 0,
        "by two": 0,
        "by more": 1,
    }
