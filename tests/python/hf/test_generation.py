# SPDX-License-Identifier: Apache-2.0
"""Lanes that an attached model writes, with keys kept from step to step."""

import numpy as np
import pytest
import torch
from both import of_engine, of_hf

import lanerope
from lanerope import InvalidRequest, hf

PROMPT_TOKENS = [11, 45, 3, 200, 7, 99]
COUPLINGS = [{"coupling": "independent"}, {"coupling": "lanerope"}, {"coupling": "groupthink", "window": 2}, {"coupling": "hogwild"}]


def drawn_rows(lane, logits):
    """The rows of logits that a lane's drawn tokens were drawn from; what was forced came before."""
    return logits[len(lane.tokens) - len(lane.logprobs) :], lane.tokens[len(lane.tokens) - len(lane.logprobs) :]


@pytest.mark.parametrize("options", COUPLINGS, ids=lambda o: o["coupling"])
def test_keys_that_are_kept_give_what_one_pass_gives(files, architecture, options):
    model = hf.from_gguf(files[architecture])
    hf.attach(model, omega="gt", stride=16, **options)
    lanes = hf.generate(model, PROMPT_TOKENS, lanes=3, budget=8, tags=[[5], [6], [9, 8]], end=[])
    assert [lane.tokens[: len(tag)] for lane, tag in zip(lanes, [[5], [6], [9, 8]], strict=True)] == [[5], [6], [9, 8]]
    for lane, logits in zip(lanes, of_hf(model, PROMPT_TOKENS, [lane.tokens for lane in lanes]), strict=True):
        rows, tokens = drawn_rows(lane, torch.from_numpy(logits))
        assert rows.argmax(-1).tolist() == tokens
        expected = rows.log_softmax(-1)[range(len(tokens)), tokens]
        assert np.allclose(lane.logprobs, expected, atol=1e-4)


@pytest.mark.parametrize("sees_from", ["start", "hand-over"])
def test_lanes_that_sleep_are_the_engines(files, sees_from):
    engine = lanerope.Model(files["llama"], threads=1, back_end="ggml")
    wait, ready = engine.tokenize("w", add_special=False)[0], engine.tokenize("r", add_special=False)[0]
    model = hf.from_gguf(files["llama"])
    hf.attach(model, omega="gt", stride=16, sees_from=sees_from)
    tags = [[5, 17, wait, 20], [90, 14, 61, 7, ready, 12], [20, wait, 40]]
    lanes = hf.generate(model, PROMPT_TOKENS, lanes=3, budget=10, tags=tags, end=[], wait=wait, ready=ready)
    written = [lane.tokens for lane in lanes]
    asked = {"coupling": "lanerope", "init": "gt", "stride": 16, "wait": "w", "ready": "r", "sees_from": sees_from}
    for lane, logits in zip(lanes, of_engine(engine, PROMPT_TOKENS, written, **asked), strict=True):
        rows, tokens = drawn_rows(lane, torch.from_numpy(logits))
        expected = rows.log_softmax(-1)[range(len(tokens)), tokens]
        assert np.allclose(lane.logprobs, expected, atol=1e-3)


def test_draws_are_those_of_the_seed(files):
    model = hf.from_gguf(files["qwen2"])
    hf.attach(model, omega="gt", stride=16)
    asked = {"lanes": 2, "budget": 12, "temperature": 3.0, "top_p": 0.9, "end": []}
    first, again, other = (hf.generate(model, PROMPT_TOKENS, seed=seed, **asked) for seed in (1, 1, 2))
    assert [lane.tokens for lane in first] == [lane.tokens for lane in again]
    assert [lane.tokens for lane in first] != [lane.tokens for lane in other]


def test_a_lane_ends_with_an_end_token(files):
    model = hf.from_gguf(files["qwen2"])
    hf.attach(model, coupling="independent")
    free = hf.generate(model, PROMPT_TOKENS, lanes=1, budget=8, end=[])[0]
    assert not free.ended and len(free.tokens) == 8
    end = free.tokens[3]
    ended = hf.generate(model, PROMPT_TOKENS, lanes=1, budget=8, end=end)[0]
    assert ended.ended and ended.tokens == free.tokens[: free.tokens.index(end) + 1]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"prompt": []}, "prompt"),
        ({"lanes": 0}, "lane"),
        ({"budget": 0}, "budget"),
        ({"lanes": 2, "tags": [[1]]}, "2 lanes and 1 tags"),
        ({"tags": [[1], [2], [3], [4] * 9], "budget": 8}, "budget"),
        ({"prompt": [1, 100000]}, "token"),
        ({"top_p": 0.0}, "top_p"),
        ({"temperature": float("nan")}, "temperature"),
        ({"coupling": "hogwild", "wait": 5}, "wait"),
        ({"topology": "ring", "wait": 5}, "wait"),
        ({"sees_from": "hand-over"}, "wait"),
        ({"ready": 5}, "as wait, or leave ready out"),
    ],
)
def test_requests_that_make_no_sense_are_refused(files, wrong, says):
    model = hf.from_gguf(files["qwen2"])
    coupled = {key: value for key, value in wrong.items() if key in ("coupling", "topology", "sees_from")}
    hf.attach(model, **coupled)
    with pytest.raises(InvalidRequest, match=says):
        hf.generate(model, **({"prompt": PROMPT_TOKENS} | {key: value for key, value in wrong.items() if key not in coupled}))


def test_a_model_without_lanes_is_refused(files):
    with pytest.raises(InvalidRequest, match="attach"):
        hf.generate(hf.from_gguf(files["qwen2"]), PROMPT_TOKENS)
