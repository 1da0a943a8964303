# SPDX-License-Identifier: Apache-2.0
"""Model.generate against the command line, and what a result holds."""

import json
import pickle

import numpy as np
import pytest

import lanerope

PROMPT = "Amy counts tiles. Store 1: 3 full boxes of 5 tiles."


def of_command_line(command, *arguments):
    """(texts, tokens, log-probabilities of the lanes, last event) of a run with --json."""
    events = [json.loads(line) for line in command("run", "--json", "--logprobs", *arguments).splitlines()]
    return events


@pytest.mark.parametrize(
    "options,flags",
    [
        ({}, []),
        ({"lanes": 3, "temperature": 1.5, "top_k": 0}, ["-n", "3", "--temp", "1.5", "--top-k", "0"]),
        ({"coupling": "groupthink", "stride": 64}, ["--coupling", "groupthink", "--stride", "64"]),
        ({"coupling": "hogwild"}, ["--coupling", "hogwild"]),
        ({"init": "gt", "window": 8}, ["--init", "gt", "--window", "8"]),
        ({"raw": True, "tag": "<{k}>"}, ["--raw", "--tag", "<{k}>"]),
        ({"select": "logprob", "stop": "e"}, ["--select", "logprob", "--stop", "e"]),
    ],
)
@pytest.mark.parametrize("which", ["tiny", "bundled"])
def test_defaults_and_texts_are_those_of_the_command_line(command, tiny, tiny_file, which, options, flags):
    model = tiny if which == "tiny" else lanerope.Model(threads=1)
    file = tiny_file if which == "tiny" else lanerope.bundled_model()
    result = model.generate(PROMPT, budget=48, seed=7, **options)
    events = of_command_line(command, "-m", file, "-t", "1", "-b", "48", "--seed", "7", *flags, PROMPT)
    last = events[-1]["result"]
    assert [lane.text for lane in result.lanes] == [lane["text"] for lane in last["lanes"]]
    assert [lane.tokens.tolist() for lane in result.lanes] == [
        [e["token"] for e in events if e["kind"] == "token" and e["lane"] == m] for m in range(len(result.lanes))
    ]
    assert result.answer == last["lanes"][last["selected"]].get("answer")
    assert result.selected == last["selected"]


def test_a_lane_has_its_log_probabilities_beside_its_tokens(tiny):
    result = tiny.generate("abc", lanes=2, budget=12, seed=1, tag="xy", coupling="lanerope", ignore_end=True)
    for lane in result.lanes:
        assert lane.tokens.dtype == np.int32 and lane.logprobs.dtype == np.float32
        assert lane.tokens.shape == lane.logprobs.shape == (12,)
        forced = np.isnan(lane.logprobs)
        assert forced.tolist() == [True] * (12 - lane.generated) + [False] * lane.generated
        assert lane.generated < 12
        assert np.isclose(lane.logprobs[~forced].mean(dtype=np.float64), lane.mean_logprob, atol=1e-5)


def test_what_was_drawn_scores_as_it_was_drawn(tiny):
    """The log-probabilities of decoding step by step are those of all lanes scored at once."""
    for coupling in ("independent", "lanerope", "groupthink", "hogwild"):
        options = {"coupling": coupling, **({"stride": 32} if coupling == "groupthink" else {})}
        prompt = tiny.tokenize("abcdef")
        result = tiny.generate(prompt, lanes=3, budget=16, seed=2, tag="", ignore_end=True, **options)
        scored = tiny.score(prompt, [lane.tokens for lane in result.lanes], **options)
        for lane, score in zip(result.lanes, scored):
            assert np.abs(lane.logprobs - score.logprobs).max() < 2e-2
            assert np.isclose(score.sum, score.logprobs.sum(), atol=1e-4)


def test_the_same_seed_gives_the_same_lanes_and_a_missing_one_is_told(tiny):
    first = tiny.generate("abc", lanes=2, budget=8)
    again = tiny.generate("abc", lanes=2, budget=8, seed=first.seed)
    assert [lane.text for lane in first.lanes] == [lane.text for lane in again.lanes]


def test_votes_and_selection(tiny):
    result = tiny.generate("abc", lanes=4, budget=8, seed=1, choices=["12", "34"])
    assert sum(vote.count for vote in result.votes) == 4
    assert {vote.answer for vote in result.votes} <= {"12", "34"}
    assert result.answer == result.votes[0].answer
    assert result.confidence == result.votes[0].count / 4 and result.confidence_kind == "vote_share"
    assert result.text == result.lanes[result.selected].text


def test_formats_messages_and_prompt_log_probabilities(tiny):
    schema = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"], "additionalProperties": False}
    result = tiny.generate([1, 2, 3], lanes=1, budget=64, seed=1, json_schema=schema, prompt_logprobs=0)
    if result.lanes[0].finish == "end":
        assert set(json.loads(result.lanes[0].text)) == {"n"}
    assert result.prompt_logprobs.shape == (3,)
    assert np.isnan(result.prompt_logprobs[0]) and (result.prompt_logprobs[1:] < 0).all()


def test_messages_go_into_the_chat_template(tiny_file):
    model = lanerope.Model(tiny_file, threads=1, chat_template="chatml")
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    text = model.chat_template(messages)
    assert "Be brief." in text and text.endswith("<|im_start|>assistant\n")
    options = dict(lanes=1, budget=8, seed=3)
    assert model.generate(messages, **options).text == model.generate("Hi", system="Be brief.", **options).text
    assert model.generate(messages, **options).text == model.generate(text, raw=True, **options).text


def test_attention_is_a_share_of_one(tiny):
    result = tiny.generate("abc", lanes=3, budget=6, seed=1, coupling="lanerope", tag="", ignore_end=True, attention=True)
    attention = result.attention
    rows = len(attention.lanes)
    assert attention.shares.shape == (rows, tiny.info["n_layer"], tiny.info["n_head"], 4)
    assert np.allclose(attention.shares.sum(-1), 1, atol=1e-3)
    assert set(attention.lanes) == {0, 1, 2} and attention.steps.max() <= 6
    between = attention.between_lanes()
    assert between.shape == (3, 4) and np.allclose(between.sum(-1), 1, atol=1e-3)
    alone = tiny.attention("abc", lanes=2, budget=6, seed=1, coupling="independent", ignore_end=True).between_lanes()
    assert alone[0, 2] == 0 and alone[1, 1] == 0


def test_a_result_is_plain_data(tiny):
    result = tiny.generate("abc", lanes=2, budget=6, seed=1)
    again = pickle.loads(pickle.dumps(result))
    assert again.lanes[1].text == result.lanes[1].text
    assert (again.lanes[1].tokens == result.lanes[1].tokens).all()


def test_tokens_and_text(tiny):
    tokens = tiny.tokenize("tiles", add_special=False)
    assert tiny.detokenize(tokens) == "tiles"
    assert b"".join(tiny.piece(t) for t in tokens) == b"tiles"
    assert not tiny.is_end(tokens[0])


def test_an_adapter_brings_its_coupling(tiny_file, adapter_file):
    model = lanerope.Model(tiny_file, adapters=[adapter_file], threads=1)
    assert model.info["adapters"][0]["lanes"]["stride"] == 64
    trained = model.generate("abc", lanes=2, budget=24, seed=1)
    assert trained.coupling.startswith("lanerope") and not trained.untrained
    off = lanerope.Model(tiny_file, adapters={adapter_file: 0.0}, threads=1).generate("abc", lanes=2, budget=24, seed=1)
    assert off.coupling == "independent" and off.untrained
    plain = lanerope.Model(tiny_file, threads=1).generate("abc", lanes=2, budget=24, seed=1)
    assert [lane.text for lane in off.lanes] == [lane.text for lane in plain.lanes]


def test_omega_may_be_given(tiny):
    pairs = tiny.info["head_dim"] // 2
    options = dict(lanes=2, budget=12, seed=1, coupling="lanerope", tag="", ignore_end=True)
    zero = tiny.generate("abc", omega=np.zeros(pairs), **options)
    rope = tiny.generate("abc", init="rope", **options)
    per_layer = tiny.generate("abc", omega=np.zeros((tiny.info["n_layer"], pairs)), **options)
    other = tiny.generate("abc", omega=np.full(pairs, 0.7), **options)
    texts = [[lane.logprobs.tolist() for lane in result.lanes] for result in (zero, rope, per_layer, other)]
    assert texts[0] == texts[1] == texts[2] != texts[3]
