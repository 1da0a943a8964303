# SPDX-License-Identifier: Apache-2.0
"""lanerope.evaluate, and its scores against those of the command line."""

import json

import numpy as np
import pytest

import lanerope
from lanerope import _scores, plots

pandas = pytest.importorskip("pandas")
QUESTIONS = [{"question": f"Which of {i} and {i + 1}?", "answer": f"it is said to be #### {i}"} for i in range(5)]


@pytest.fixture(scope="module")
def evaluation(tiny):
    arms = {
        "one": {"choices": [str(i) for i in range(6)]},
        "two": {"lanes": 2, "coupling": "lanerope", "tag": "", "choices": [str(i) for i in range(6)]},
    }
    return lanerope.evaluate(tiny, QUESTIONS, arms, budget=24, seed=3, parallel=6)


def test_every_question_gets_its_lanes_under_each_arm(evaluation):
    assert evaluation.arms == ["one", "two"]
    assert [q.truth for q in evaluation.questions] == ["0", "1", "2", "3", "4"]
    frame = evaluation.frame()
    assert len(frame) == 2 * 5 * 4 and set(frame.columns) >= {"arm", "question", "lane", "answer", "right", "length", "mean_logprob"}
    assert (frame.groupby(["arm", "question"]).size() == 4).all()
    assert (frame["right"] == (frame["answer"] == frame["truth"])).all()
    assert evaluation.table().num_rows == len(frame)


def test_what_it_samples_does_not_depend_on_what_runs_beside_it(evaluation, tiny):
    arms = {"one": {"choices": [str(i) for i in range(6)]}}
    alone = lanerope.evaluate(tiny, pandas.DataFrame(QUESTIONS[2:3]), arms, budget=24, seed=3, parallel=1)
    texts = [lane["text"] for record in alone.records for lane in record["lanes"]]
    assert texts == list(evaluation.frame().query("arm == 'one' and question == 2")["text"])


def test_an_answer_settles_with_the_token_that_completes_it(tiny):
    written = "\\boxed{3} so"
    found = lanerope.evaluate(tiny, QUESTIONS[:1], {"one": {"lane_texts": [written]}}, lanes_total=1, budget=24)
    (lane,) = found.records[0]["lanes"]
    assert lane["text"].startswith(written)
    assert lane["settled"][0] == [len(tiny.tokenize("\\boxed{3}", add_special=False)), "3"]


def test_scores_are_counted_as_written_out(evaluation):
    scores = {score.arm: score for score in evaluation.scores()}
    frame = evaluation.frame()
    for arm, score in scores.items():
        own = frame[frame["arm"] == arm]
        right = own["right"] & own["ended"]
        assert np.isclose(score.pass_at_1.value, right.mean())
        assert np.isclose(score.oracle.value, right.groupby(own["question"]).any().mean())
        assert score.majority.low <= score.majority.value <= score.majority.high
    nothing = evaluation.scores([0])
    assert all(score.ended == 0 and score.pass_at_1.value == 0 and score.mean_tokens == 0 for score in nothing)


def test_no_score_claims_more_than_was_sampled(evaluation, tmp_path):
    with pytest.raises(lanerope.InvalidRequest, match="25 is more than the 24 steps"):
        evaluation.scores([8, 25])
    evaluation.save(tmp_path)
    with pytest.raises(lanerope.InvalidRequest, match="25 is more than the 24 steps"):
        lanerope.read_results(tmp_path).scores_frame([25])

    def of(ended):
        lane = {"answer": "7", "ended": ended, "length": 9, "mean_logprob": -1.0}
        record = {"arm": "x", "question": 0, "group": 0, "seconds": 1.0, "steps": 9, "lanes": [lane]}
        return lanerope.Evaluation([lanerope.evaluation.Question("a", "7")], [record]).scores([9, 10])

    # A lane that slept ends behind its budget, on the clock.
    lane = {"answer": "7", "ended": True, "length": 12, "mean_logprob": -1.0, "sleeps": [[5, 6]]}
    record = {"arm": "x", "question": 0, "group": 0, "seconds": 1.0, "steps": 12, "lanes": [lane]}
    slept = lanerope.Evaluation([lanerope.evaluation.Question("a", "7")], [record], 9)
    assert [score.budget for score in slept.scores()] == [12]
    # Where nobody says how much it was: a lane that had ended would have ended so with more.
    assert [score.pass_at_1.value for score in of(True)] == [1, 1]
    with pytest.raises(lanerope.InvalidRequest, match="10 is more than the 9 steps"):
        of(False)


def test_a_vote_with_ties_counts_for_the_share_of_right_ones():
    def of(answers, truth):
        return _scores.majority_of([vote for answer in answers for vote in _scores.said_by({"answer": answer}, [truth])])

    assert of(["1", "2", "1.0"], "1") == 1
    assert of(["1", "2"], "2") == 0.5
    assert of(["1", "2", "3"], "4") == 0
    assert of([], "4") == 0


def test_each_answer_of_a_list_counts_by_itself(tmp_path):
    said = ["(5, 18, 7)", "(5, 18, 8)", "(5, 19, 8)", "(5, 18)"]  # right, wrong in one place, in two, and too few
    lanes = [{"answer": answer, "ended": True, "length": 9, "mean_logprob": -1.0} for answer in said]
    record = {"arm": "x", "question": 0, "group": 0, "seconds": 1.0, "steps": 9, "lanes": lanes}
    lanerope.Evaluation([lanerope.evaluation.Question("a", "(5, 18, 7)", ("5", "18", "7"))], [record]).save(tmp_path)
    read = lanerope.read_results(tmp_path)
    (score,) = read.scores()
    assert np.isclose(score.pass_at_1.value, (3 + 2 + 1) / 12)
    assert np.isclose(score.majority.value, 2 / 3)  # 5 by all three, 18 by two, and 8 by two
    assert score.oracle.value == 1
    assert [row["right"] for row in read.rows()] == [True, False, False, False]


def test_a_commands_verdict_counts(tmp_path):
    lane = {"answer": "def f(): pass", "ended": True, "length": 9, "mean_logprob": -1.0, "passed": True}
    record = {"arm": "x", "question": 0, "group": 0, "seconds": 1.0, "steps": 9, "lanes": [lane, {**lane, "answer": "pass", "passed": False}]}
    evaluation = lanerope.Evaluation([lanerope.evaluation.Question("a", "7")], [record])
    (score,) = evaluation.scores()
    assert score.pass_at_1.value == 0.5 and score.majority.value == 0.5
    assert [row["right"] for row in evaluation.rows()] == [True, False]


def test_results_of_the_command_line_give_its_scores(command, tmp_path):
    questions = tmp_path / "questions.jsonl"
    store = "Amy counts tiles in 2 stores. Store 1: {} full boxes of 5 tiles. Store 2: 3 full boxes of 4 tiles. Give the total number of tiles."
    questions.write_text("".join(json.dumps({"question": store.format(n), "answer": str(5 * n + 12)}) + "\n" for n in range(2, 8)))
    out = tmp_path / "results"
    command("eval", "--questions", str(questions), "--out", str(out), "--budgets", "32,64", "-t", "1", "--arm", "independent", "--arm", "lanerope:n=2")
    report = json.loads((out / "report.json").read_text())
    evaluation = lanerope.read_results(out)
    found = {(score.arm, score.budget): score for score in evaluation.scores([32, 64])}
    assert len(report["arms"]) == 2
    for arm in report["arms"]:
        for of_budget in arm["budgets"]:
            score = found[arm["arm"], of_budget["budget"]]
            assert np.isclose(score.majority.value, of_budget["maj"]["value"])
            assert np.isclose(score.pass_at_1.value, of_budget["pass"]["value"])
            assert np.isclose(score.oracle.value, of_budget["oracle"]["value"])
            assert np.isclose(score.mean_tokens, of_budget["mean_tokens"])


def test_records_there_and_back(evaluation, tmp_path):
    evaluation.save(tmp_path / "saved")
    again = lanerope.read_results(tmp_path / "saved")
    assert again.records == evaluation.records and again.questions == evaluation.questions and again.budget == evaluation.budget == 24


def test_figures(evaluation, tiny, tmp_path):
    pytest.importorskip("matplotlib")
    axes = plots.accuracy(evaluation, [4, 8, 24])
    assert [line.get_label() for line in axes.get_lines()] == ["one", "two"]
    assert list(axes.get_lines()[0].get_xdata()) == [4, 8, 24]
    axes.figure.savefig(tmp_path / "accuracy.png")
    attention = tiny.attention("abc", lanes=3, budget=6, seed=1, coupling="lanerope", tag="", ignore_end=True)
    axes = plots.attention(attention)
    assert axes.get_images()[0].get_array().shape == (3, 4)
    axes.figure.savefig(tmp_path / "attention.png")
    assert (tmp_path / "attention.png").stat().st_size > 1000


def test_bad_plans_are_refused(tiny):
    def refused(match, dataset=QUESTIONS, arms={"one": {}}, **options):
        with pytest.raises(lanerope.InvalidRequest, match=match):
            lanerope.evaluate(tiny, dataset, arms, **options)

    refused("no questions", [])
    refused("no arms", arms={})
    refused("no field 'frage'", question="frage")
    refused("does not list as many", [{"question": "a", "answer": "(5, 7)", "parts": ["5", "7", "9"]}])
    refused("do not divide", arms={"three": {"lanes": 3}}, lanes_total=4)
    refused("same for all arms", arms={"one": {"seed": 1}})
    refused("the arm none has 0 lanes", arms={"none": {"lanes": 0}})
    refused("must be at least 1", lanes_total=0)
    refused("must be at least 1", parallel=-3)
