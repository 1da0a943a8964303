# SPDX-License-Identifier: Apache-2.0
"""bench/real/notes.py: which notes say what their expression comes to."""

import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench/real"))
import notes  # noqa: E402


@pytest.mark.parametrize(
    "expression, result, right",
    [
        ("48/2", "24", True),
        ("48/2", "25", False),
        ("175*.10", "17.5", True),
        ("240-(40+84)", "116", True),
        ("1/3", "0.33", True),
        ("1/3", "0.34", False),
        ("10/4", "2", False),
        ("$1,200+5", "1,205", True),
        ("x+1", "3", None),
        ("1/0", "0", None),
        ("2**999999999", "1", None),
        ("5", "five", None),
    ],
)
def test_a_note_is_right_to_the_digits_that_it_has(expression, result, right):
    assert notes.is_right(expression, result) is right


def test_notes_of_every_lane_count(tmp_path):
    lanes = [{"text": "7*12 = <<7*12=84>>84, half of it <<84/2=41>>41"}, {"text": "<<x=1>> <<3+4=7>>7"}]
    records = [{"settings_of": "alone"}, {"arm": "alone", "question": 0, "group": 0, "lanes": lanes}]
    (tmp_path / "records.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert notes.count(tmp_path) == {"alone": {True: 2, False: 1}}
