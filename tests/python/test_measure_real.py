# SPDX-License-Identifier: Apache-2.0
"""bench/real/measure.py: what counts of lists of answers, on two records written out by hand."""

import importlib.util
import json
import pathlib

import pytest

FILE = pathlib.Path(__file__).parents[2] / "bench/real/measure.py"
spec = importlib.util.spec_from_file_location("measure", FILE)
measure = importlib.util.module_from_spec(spec)
spec.loader.exec_module(measure)


def lane(text, length, ended=True, sleeps=()):
    return {"text": text, "length": length, "ended": ended, "sleeps": [list(sleep) for sleep in sleeps]}


@pytest.fixture
def folder(tmp_path):
    asked = {"question": "Two?", "answer": "(3, 40)", "parts": ["3", "40"]}
    # Both lanes are right on one answer each; the second one took over 4 where the first one had 3, and slept for ten of its 50 steps.
    group = [lane("Answer 1: 3 \u2713\n#### (3, 41)", 30), lane("Answer 2: $40 \u2713\n#### (4, 40)", 50, sleeps=[(20, 10)])]
    cut = [lane("Answer 1: 3 \u2713\n#### (3, 40)", 60, ended=False)]
    records = [{"settings_of": "lanes"}] + [{"arm": arm, "question": 0, "group": 0, "steps": 49, "seconds": 2.5, "lanes": lanes} for arm, lanes in (("lanes", group), ("cut", cut))]
    (tmp_path / "questions.jsonl").write_text(json.dumps(asked) + "\n")
    (tmp_path / "records.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return tmp_path


def test_a_budget_is_steps_and_of_a_lane_that_is_over_nothing_counts(folder):
    arms = measure.read(folder, folder / "questions.jsonl")
    groups = arms["lanes"][0]
    assert measure.right_at(groups, 29) == (0.0, 0.0, 0.0)
    assert measure.right_at(groups, 49) == (0.25, 0.5, 0.5)  # of the one list that is there the first answer is right
    assert measure.right_at(groups, 50) == (0.5, 0.5, 0.5)  # each vote is a tie between a right value and a wrong one
    assert measure.right_at(arms["cut"][0], 1000) == (0.0, 0.0, 0.0)
    assert measure.paired(arms["lanes"], arms["cut"], (50, 50)) == (0.5, 0.5, 0.5)
    assert measure.paired(arms["lanes"], arms["lanes"], (29, 49)) == (-0.5, -0.5, -0.5)


def test_a_single_answer_needs_no_mark():
    assert measure.listed("It is \\boxed{12}.", 1, "12") == [12.0]
    assert measure.listed("#### 7", 1, "12") == [7.0]
    assert measure.listed("It is \\boxed{12}.", 2, "12") is None


def test_all_groups_of_a_question_vote_together(folder):
    (group,) = measure.read(folder, folder / "questions.jsonl")["lanes"][0]
    other = {**group, "lanes": [{**group["lanes"][0], "list": [3.0, 40.0]}]}
    assert measure.right_at([group, other], 50) == (pytest.approx(2 / 3), 0.75, 1.0)
    against_one_lane = measure.paired({0: [group, other]}, {0: [group, other]}, (50, 50), at=(2, 0))
    assert against_one_lane == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert [what for _, what in measure.counted({0: [group, other]})] == ["one lane", "one group", "vote of 3"]
    assert [what for _, what in measure.counted({0: [group]})] == ["one lane", "vote of 2"]


def test_results_of_ones_own_and_of_others(folder):
    groups = measure.read(folder, folder / "questions.jsonl")["lanes"][0]
    assert [lane["own"] for lane in groups[0]["lanes"]] == [{0: 3.0}, {1: 40.0}]
    assert measure.solved(groups) == (2, 2)
    assert measure.handed_over(groups) == (0, 2)
    assert measure.unlisted(groups) == (0, 2)
    assert measure.unlisted([{**groups[0], "lanes": [{**groups[0]["lanes"][0], "list": None}, groups[0]["lanes"][1]]}]) == (1, 2)


def test_tokens_are_those_that_were_computed(folder):
    groups = measure.read(folder, folder / "questions.jsonl")["lanes"][0]
    assert [measure.tokens_of(lane["recorded"]) for lane in groups[0]["lanes"]] == [30, 40]
    # The second lane's 20th token was held back for ten steps.
    assert [measure.tokens_at(groups, budget) for budget in (10, 21, 29, 31, 50, 90)] == [20, 41, 49, 51, 70, 70]


@pytest.mark.parametrize("text, values", [("#### (1, 2,000)", [1, 2000]), ("####1; 2", [1, 2]), ("#### (1; 2)", [1, 2]), ("#### 1, 2, 3", None), ("none", None), ("#### (x, -0.5)", [None, -0.5])])
def test_lists(text, values):
    assert measure.listed(text, 2) == values


def test_a_list_without_its_parts_is_refused_and_not_called_right(folder):
    asked = {"question": "Two?", "answer": "(3, 40)"}  # as eval's own questions.jsonl was, before it had parts
    (folder / "questions.jsonl").write_text(json.dumps(asked) + "\n")
    with pytest.raises(SystemExit, match="--questions"):
        measure.read(folder, folder / "questions.jsonl")
    (folder / "questions.jsonl").write_text("")
    with pytest.raises(SystemExit, match="answers to more"):
        measure.read(folder, folder / "questions.jsonl")
