# SPDX-License-Identifier: Apache-2.0
"""bench/real/functions.py: functions asked together, found in what lanes wrote, run and counted."""

import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench/real"))
import functions  # noqa: E402


def row(name, wanted):
    prompt = f"from typing import List\n\n\ndef {name}(numbers: List[int]) -> int:\n    \"\"\" Says {wanted}.\n    \"\"\"\n"
    return {"prompt": prompt, "entry_point": name, "test": f"def check(candidate):\n    assert candidate([1]) == {wanted}\n"}


def block(name, value):
    return f"```python\ndef {name}(numbers: List[int]) -> int:\n    return {value}\n```\n"


ROWS = [row("one", 1), row("two", 2), row("three", 3)]


def test_every_function_is_in_one_question_and_what_is_over_in_none():
    questions = list(functions.compose(ROWS, 2, seed=1))
    assert len(questions) == 1
    names = [of["entry_point"] for of in questions[0]["functions"]]
    assert len(set(names)) == 2
    for i, of in enumerate(questions[0]["functions"]):
        assert f"Problem {i + 1}: " in questions[0]["question"] and of["prompt"].strip() in questions[0]["question"]
    assert list(functions.compose(ROWS, 2, seed=1)) == questions


def test_the_last_whole_block_that_defines_a_function_is_its_version():
    text = block("one", 0) + "No:\n" + block("one", 1) + "```python\ndef one(numbers):\n    return"
    assert "return 1" in functions.written(text, "one")
    assert functions.written(text, "on") is None


def test_versions_run_with_what_their_prompt_begins_with():
    assert functions.versions(block("one", 1) + block("two", 1), ROWS) == [True, False, None]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "asked.jsonl").write_text(json.dumps({"question": "?", "answer": "", "functions": ROWS}) + "\n")
    lanes = [
        {"text": "Problem 1:\n" + block("one", 1) + block("two", 2), "length": 40, "sleeps": [[20, 10]]},
        {"text": "Problem 2: as in Problem 1\n" + block("two", 0), "length": 20},
    ]
    records = [{"settings_of": "lanes"}]
    for arm, some in (("lanes", lanes), ("one", [{**lanes[0], "text": block("one", 0) + block("two", 2)}])):
        records.append({"arm": arm, "question": 0, "group": 0, "steps": 40, "lanes": some})
    (tmp_path / "records.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return tmp_path


def test_a_function_that_several_lanes_wrote_counts_the_share_of_right_versions(folder):
    (groups,) = functions.read(folder, folder / "asked.jsonl")["lanes"].values()
    assert functions.right(groups[0]) == pytest.approx((1 + 0.5 + 0) / 3)
    assert groups[0]["tokens"] == 50
    assert functions.writers(groups) == [1, 2, 0]


def test_lanes_share_problems_out_where_each_begins_with_another_one():
    groups = [{"begun": [1, 2]}, {"begun": [2, 2]}, {"begun": [1, None]}, {"begun": [1]}]
    assert functions.shared_out(groups) == pytest.approx(1 / 3)
    assert functions.shared_out(groups[3:]) is None


def test_the_table(folder, capsys):
    functions.measure(folder, folder / "asked.jsonl")
    lines = capsys.readouterr().out.splitlines()
    assert "| lanes | 1 | 50.0 [50.0, 50.0] |  | 33 | 33 | 33 | 100 | 40 | 50 |" in lines
    assert "| one | 1 | 33.3 [33.3, 33.3] | -16.7 [-16.7, -16.7] | 33 | 67 | 0 |  | 40 | 30 |" in lines
