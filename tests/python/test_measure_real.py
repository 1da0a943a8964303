# SPDX-License-Identifier: Apache-2.0
"""bench/real/measure.py, groups.py and alone.py: what counts of lists of answers, on two records written out by hand."""

import json
import pathlib
import sys
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench/real"))
import alone  # noqa: E402
import groups as groups_of  # noqa: E402
import measure  # noqa: E402


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
    arms = groups_of.read(folder, folder / "questions.jsonl")
    groups = arms["lanes"][0]
    assert measure.right_at(groups, 29) == (0.0, 0.0, 0.0)
    assert measure.right_at(groups, 49) == (0.25, 0.5, 0.5)  # of the one list that is there the first answer is right
    assert measure.right_at(groups, 50) == (0.5, 0.5, 0.5)  # each vote is a tie between a right value and a wrong one
    assert measure.right_at(arms["cut"][0], 1000) == (0.0, 0.0, 0.0)
    assert measure.Measure().paired(arms["lanes"], arms["cut"], (50, 50)) == (0.5, 0.5, 0.5)
    assert measure.Measure().paired(arms["lanes"], arms["lanes"], (29, 49)) == (-0.5, -0.5, -0.5)


def test_results_count_as_they_are_written(folder):
    groups = groups_of.read(folder, folder / "questions.jsonl")["lanes"][0]
    first, second = (lane["written"] for lane in groups[0]["lanes"])
    assert [(i, value) for i, value, _ in first + second] == [(0, 3.0), (1, 40.0)]
    # In proportion to the text: 12 of 24 characters of 30 tokens, and 14 of 26 of 40, of which the 20th was held back for ten steps.
    assert [step for _, _, step in first + second] == pytest.approx([30 * 12 / 24, 40 * 14 / 26 + 10], abs=1)
    at = [measure.right_at(groups, budget, measure.written_by)[1] for budget in (10, 20, 40)]
    assert at == [0.0, 0.5, 1.0]


def test_what_eval_saw_complete_says_when_a_result_stood():
    recorded = {"text": "\\boxed{3}\nAnswer 1: 3 \u2713\n#### (3, 4)", "length": 40, "settled": [[9, "3"]]}
    assert groups_of.written_in(recorded, 2) == [(0, 3.0, 9 + groups_of.LINE)]


def test_a_result_goes_with_the_answer_that_eval_saw_and_not_with_its_number():
    text = "\\boxed{3}\nAnswer 9: 3 \u2713\n\\boxed{3}\nAnswer 1: 3 \u2713\n\\boxed{4}\nAnswer 2: 4 \u2713\n"
    recorded = {"text": text, "length": 60, "settled": [[9, "3"], [49, "4"]]}
    # The box that says 3 again settled nothing new, and of a problem that is not there nothing counts.
    assert [(i, value) for i, value, _ in groups_of.written_in(recorded, 2)] == [(0, 3.0), (1, 4.0)]
    assert groups_of.written_in(recorded, 2)[1][2] == 49 + groups_of.LINE


def test_sets_are_pooled_answer_by_answer(folder):
    arms = groups_of.read(folder, folder / "questions.jsonl")
    cells = measure.Measure({0: [7, 8]}).differences(arms["lanes"], arms["cut"], (50, 50), at=(1, 0))
    assert [(cell.question, cell.problem, cell.value) for cell in cells] == [(0, 7, 0.5), (0, 8, 0.5)]


def test_the_problems_of_questions_are_found_in_their_order(folder):
    problems = folder / "problems.jsonl"
    problems.write_text("".join(json.dumps({"question": text, "answer": "so #### 3"}) + "\n" for text in ("Four?", "Two?", "Six?")))
    (folder / "questions.jsonl").write_text(json.dumps({"question": "1. Two?\n2. Four?", "answer": "(3, 40)", "parts": ["3", "40"]}) + "\n")
    given = SimpleNamespace(problems=problems, questions=None, folder=folder)
    assert groups_of.problems_of(given) == {0: [1, 0]}
    given.problems = None
    assert groups_of.problems_of(given) == {}
    (folder / "questions.jsonl").write_text(json.dumps({"question": "Two? Five?", "answer": "(3, 40)", "parts": ["3", "40"]}) + "\n")
    given.problems = problems
    with pytest.raises(SystemExit, match="1 of the 2 problems of question 1"):
        groups_of.problems_of(given)


def test_problems_asked_alone_beside_those_asked_together(folder):
    together = groups_of.read(folder, folder / "questions.jsonl")["lanes"]
    single = tuple_of_groups(folder, [("3", 20, True), ("41", 30, True)])
    of_problems = alone.Alone(single, {0: [1, 0]})
    assert [cell.value for cell in of_problems.cells([0], 29)] == [0.0, 1.0], "41 is not 40, and had not ended"
    assert of_problems.tokens([0]) == 50 and of_problems.steps([0]) == 30
    both = alone.together(together, {0: [1, 0]}, 50)
    assert [cell.value for cell in alone.minus(both, of_problems.cells([0], 50))] == [0.5, -0.5]


def tuple_of_groups(folder, answers):
    """{problem: groups} of one lane each that says an answer; problem 0 is 3, problem 1 is 40."""
    arms = {}
    for i, (answer, length, ended) in enumerate(answers):
        recorded = {"text": answer, "length": length, "ended": ended}
        end = length if ended else float("inf")
        arms[i] = [{"truth": [(3.0, 40.0)[i]], "lanes": [{"end": end, "recorded": recorded, "list": [float(answer)]}]}]
    return arms


def test_a_single_answer_needs_no_mark():
    assert groups_of.listed("It is \\boxed{12}.", 1, "12") == [12.0]
    assert groups_of.listed("#### 7", 1, "12") == [7.0]
    assert groups_of.listed("It is \\boxed{12}.", 2, "12") is None


def test_all_groups_of_a_question_vote_together(folder):
    (group,) = groups_of.read(folder, folder / "questions.jsonl")["lanes"][0]
    other = {**group, "lanes": [{**group["lanes"][0], "list": [3.0, 40.0]}]}
    assert measure.right_at([group, other], 50) == (pytest.approx(2 / 3), 0.75, 1.0)
    against_one_lane = measure.Measure().paired({0: [group, other]}, {0: [group, other]}, (50, 50), at=(2, 0))
    assert against_one_lane == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert [what for _, what in measure.counted({0: [group, other]})] == ["one lane", "one group", "vote of 3"]
    assert [what for _, what in measure.counted({0: [group]})] == ["one lane", "vote of 2"]


def test_results_of_ones_own_and_of_others(folder):
    groups = groups_of.read(folder, folder / "questions.jsonl")["lanes"][0]
    assert [lane["own"] for lane in groups[0]["lanes"]] == [{0: 3.0}, {1: 40.0}]
    assert measure.solved(groups) == (2, 2)
    assert measure.handed_over(groups) == (0, 2)
    assert measure.unlisted(groups) == (0, 2)
    assert measure.unlisted([{**groups[0], "lanes": [{**groups[0]["lanes"][0], "list": None}, groups[0]["lanes"][1]]}]) == (1, 2)


def test_tokens_are_those_that_were_computed(folder):
    groups = groups_of.read(folder, folder / "questions.jsonl")["lanes"][0]
    assert [groups_of.tokens_of(lane["recorded"]) for lane in groups[0]["lanes"]] == [30, 40]
    # The second lane's 20th token was held back for ten steps.
    assert [measure.tokens_at(groups, budget) for budget in (10, 21, 29, 31, 50, 90)] == [20, 41, 49, 51, 70, 70]


@pytest.mark.parametrize("text, values", [("#### (1, 2,000)", [1, 2000]), ("####1; 2", [1, 2]), ("#### (1; 2)", [1, 2]), ("#### 1, 2, 3", None), ("none", None), ("#### (x, -0.5)", [None, -0.5])])
def test_lists(text, values):
    assert groups_of.listed(text, 2) == values


def test_a_list_without_its_parts_is_refused_and_not_called_right(folder):
    asked = {"question": "Two?", "answer": "(3, 40)"}  # as eval's own questions.jsonl was, before it had parts
    (folder / "questions.jsonl").write_text(json.dumps(asked) + "\n")
    with pytest.raises(SystemExit, match="--questions"):
        groups_of.read(folder, folder / "questions.jsonl")
    (folder / "questions.jsonl").write_text("")
    with pytest.raises(SystemExit, match="answers to more"):
        groups_of.read(folder, folder / "questions.jsonl")
