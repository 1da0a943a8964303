# SPDX-License-Identifier: Apache-2.0
"""Lanes that wait: the rule, sampling and training with gaps in the clock."""

import random

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lanerope_torch import compose_lanes, generate, train  # noqa: E402
from lanerope_torch.sleep import SleepTokens, lane_steps, sleeps_of, tokens_within  # noqa: E402
from reference import OMEGA, ROWS, random_model, reference  # noqa: E402

W, R = 100, 101

# Lanes and the steps in which their tokens are fed, as tests/core/sleepers_test.cpp has them.
CASES = {
    "fed with the ready token of another": ([[1, W, 2], [1, 2, 3, 4, R, 5]], [[0, 4, 5], [0, 1, 2, 3, 4, 5]]),
    "fed with the last token of another": ([[1, W, 2], [1, 2, 3]], [[0, 2, 3], [0, 1, 2]]),
    "a ready token that was there before wakes nobody": ([[1, 1, W, 2], [1, R, 3, 4, 5]], [[0, 1, 4, 5], [0, 1, 2, 3, 4]]),
    "one of the same moment is not missed": ([[1, W, 2], [1, R, 3, 4]], [[0, 1, 2], [0, 1, 2, 3]]),
    "again until the next one": ([[W, W, 9], [1, 2, R, 3, 4], [1, 2, 3, 4, 5]], [[2, 4, 5], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]),
    "all asleep wake at once": ([[1, W, 2], [1, 2, W, 3]], [[0, 2, 3], [0, 1, 2, 3]]),
    "alone": ([[1, W, 2]], [[0, 1, 2]]),
}


@pytest.mark.parametrize("case", CASES)
def test_steps_are_those_of_the_engine(case):
    lanes, steps = CASES[case]
    assert lane_steps(lanes, SleepTokens(W, R)) == steps


def test_sleeps_of_a_lane_and_its_tokens_by_a_step():
    steps = [2, 3, 7, 8, 12]
    sleeps = sleeps_of(steps)
    assert sleeps == [(0, 2), (2, 3), (4, 3)]
    assert [tokens_within(clock, sleeps) for clock in range(14)] == [sum(s < clock for s in steps) for clock in range(14)]


def test_without_a_ready_token_only_an_end_wakes_and_without_tokens_nobody_sleeps():
    assert lane_steps([[W, 2], [1, R, 3, 4]], SleepTokens(W)) == [[3, 4], [0, 1, 2, 3]]
    assert lane_steps([[1, W, 2], [1, 2, 3, 4]], SleepTokens()) == [[0, 1, 2], [0, 1, 2, 3]]


def sampled(n, joint, visibility, budgets=(14, 14, 14), tags=([10], [11, 12], [])):
    """Groups of a model of which the most frequent tokens make lanes sleep and wake; their prompts, and what they wrote."""
    decoder, tensors = random_model()
    prompts = [[1, 2, 3], [4, 5, 6, 7, 8], [9]]
    groups = [generate.Group(p, list(tags[:n]), joint, visibility, OMEGA.float()[None], b) for p, b in zip(prompts, budgets)]
    sampling = generate.Sampling(temperature=0)
    free = [t for lanes in generate.generate(decoder, groups, sampling, end=0) for lane in lanes for t in lane.rows[3:]]
    wait, ready = sorted(set(free), key=free.count)[-2:]
    sampling.sleep = SleepTokens(wait, ready)
    return tensors, prompts, generate.generate(decoder, groups, sampling, end=0), sampling.sleep


@pytest.mark.parametrize("visibility", ["inclusive", "strict", "interleaved"])
def test_sampled_lanes_sleep_by_the_rule_and_see_what_was_written_meanwhile(visibility):
    tensors, prompts, results, sleep = sampled(3, True, visibility)
    assert any(lane.steps[-1] >= len(lane.rows) for lanes in results for lane in lanes), "a lane sleeps"
    for prompt, lanes in zip(prompts, results):
        rows, steps = [lane.rows for lane in lanes], [lane.steps for lane in lanes]
        assert steps == lane_steps(rows, sleep)
        assert all(len(r) == 14 or r[-1] == 0 for r in rows), "the budget counts tokens, not steps"
        logits = reference(tensors, prompt, rows, OMEGA.numpy(), visibility, True, steps)
        for m, tag in enumerate([[10], [11, 12], []]):
            for i in range(len(tag), len(rows[m])):
                before = logits[(m, steps[m][i - 1]) if i > 0 else (-1, -1)]
                assert before[rows[m][i]] > before.max() - 1e-3


def test_lanes_that_see_no_other_do_not_sleep():
    for _, _, results, _ in (sampled(1, True, "inclusive"), sampled(3, False, "inclusive")):
        assert all(lane.steps == list(range(len(lane.rows))) for lanes in results for lane in lanes)


def test_groups_have_budgets_of_their_own(monkeypatch):
    monkeypatch.setattr(generate.Run, "growth", 8)
    _, _, results, sleep = sampled(3, True, "inclusive", budgets=(6, 30, 17))
    assert all(len(lane.rows) == b or (len(lane.rows) < b and lane.rows[-1] == 0) for lanes, b in zip(results, (6, 30, 17)) for lane in lanes)
    assert [max(len(lane.rows) for lane in lanes) for lanes in results][::2] == [6, 17]
    assert all([lane.steps for lane in lanes] == lane_steps([lane.rows for lane in lanes], sleep) for lanes in results)


@pytest.mark.parametrize("visibility", ["inclusive", "interleaved"])
def test_whole_groups_with_gaps_follow_the_definition(visibility):
    decoder, tensors = random_model()
    draw = random.Random(1)
    prompt = [draw.randrange(ROWS) for _ in range(5)]
    lanes = [[draw.randrange(ROWS) for _ in range(4 + m)] for m in range(3)]
    steps = [[0, 1, 6, 7], [0, 1, 2, 3, 4], [0, 3, 4, 5, 6, 9]]
    rows = train.to_rows(prompt, [compose_lanes.Lane(x, [True] * len(x), s) for x, s in zip(lanes, steps)])
    batch = train.make_batch([rows], decoder.device, decoder.dtype, visibility, multiple=16)
    logits = decoder.logits(decoder.hidden(batch, None, OMEGA.float().expand(2, -1)))[0].numpy()
    expected = reference(tensors, prompt, lanes, OMEGA.numpy(), visibility, steps=steps)
    for row, (lane, step) in enumerate(zip(rows.lanes, rows.steps)):
        assert np.abs(logits[row] - expected[int(lane), int(step)]).max() < 2e-3
    # A lane that was held back learned its next token from the one before, however long it slept.
    following = {(m, s): lane[i + 1] if i + 1 < len(lane) else -1 for m, lane in enumerate(lanes) for i, s in enumerate(steps[m])}
    assert all(following[int(m), int(s)] == t for m, s, t in zip(rows.lanes, rows.steps, rows.targets) if m >= 0)
