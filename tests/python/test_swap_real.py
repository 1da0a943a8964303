# SPDX-License-Identifier: Apache-2.0
"""bench/real/swap.py: which numbers are exchanged, in what the solver wrote and in the reader's list."""

import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench/real"))
import swap  # noqa: E402

READY = " \u2713"
TRACE = {
    "question": "?",
    "parts": ["18", "5"],
    "lanes": [
        "Problem 1:\n9 + 9 = 18, not 180 or 1.18.\nAnswer 1: 18 \u2713\n await\n#### (18, 5)",
        "Problem 2:\n2 + 3 = 5.\nAnswer 2: 5 \u2713\n await\n#### (18, 5)",
    ],
}


def test_a_wrong_number_has_as_many_digits():
    assert swap.wrong("18") == "11" and swap.wrong("5") == "8"


def test_only_the_whole_number_is_exchanged():
    assert swap.exchanged("18, 180, 1.18, 18.5, $18.", "18", "11") == "11, 180, 1.18, 18.5, $11."


def test_a_reader_is_another_lane_than_the_only_solver():
    problem, solver, number, reader = swap.chosen(TRACE, random.Random(1), READY)
    assert (solver, number) == ((0, "18"), (1, "5"))[problem] and reader == 1 - solver
    both = {**TRACE, "lanes": [TRACE["lanes"][0]] * 2}
    assert swap.chosen({**both, "parts": ["18"]}, random.Random(1), READY) is None


def test_what_is_changed():
    pairs = dict(swap.variants(TRACE, (0, 0, "18", 1)))
    as_it_was, wrong = pairs["nothing"]
    assert as_it_was["lanes"][0] == "Problem 1:\n9 + 9 = 18, not 180 or 1.18.\nAnswer 1: 18 \u2713\n await"
    assert as_it_was["lanes"][1] == TRACE["lanes"][1]
    assert wrong["lanes"][1].endswith("\n#### (11, 5)")
    assert "= 11, not 180" in pairs["its solution"][0]["lanes"][0] and "Answer 1: 18" in pairs["its solution"][0]["lanes"][0]
    assert "= 18, not 180" in pairs["its result line"][0]["lanes"][0] and "Answer 1: 11" in pairs["its result line"][0]["lanes"][0]
    assert "18 " not in pairs["both"][0]["lanes"][0].replace("180 ", "").replace("1.18", "")
