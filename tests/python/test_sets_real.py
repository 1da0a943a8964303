# SPDX-License-Identifier: Apache-2.0
"""bench/real/sets.py: the frozen questions, and the sentences where they cannot be made."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench/real"))
import sets  # noqa: E402


def test_a_question_is_as_eval_reads_it():
    group = {"set": "compose-2", "k": 2, "question": "Two.", "answers": ["1", "2"]}
    assert sets.as_asked(group) == {"question": "Two.", "answer": "(1, 2)", "parts": ["1", "2"], "k": 2}


def test_other_problems_are_refused(tmp_path):
    other = tmp_path / "test.jsonl"
    other.write_text("".join(json.dumps({"question": f"{i}?", "answer": f"#### {i}"}) + "\n" for i in range(9)))
    assert "other questions than those that were frozen" in sets.frozen(other, "4")
    other.write_text('{"question": "?", "answer": "without its mark"}\n')
    assert "is not GSM8K's test part" in sets.frozen(other, "4")


def test_what_is_not_there_is_said(tmp_path):
    assert sets.frozen(tmp_path / "none.jsonl", "4").endswith("none.jsonl cannot be read: No such file or directory")
    assert sets.frozen(tmp_path / "none.jsonl", "5").startswith("there is no set compose-5; there are compose-2, ")
