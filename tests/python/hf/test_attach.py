# SPDX-License-Identifier: Apache-2.0
"""What attach() and an attached model refuse, and that detach() leaves nothing behind."""

import pytest
import torch
import transformers

from lanerope import InvalidRequest, hf

ROW = {"input_ids": [[1, 2, 3, 4]], "position_ids": [[0, 1, 2, 2]], "lane_ids": [[-1, -1, 0, 1]]}


def tensors(**changes):
    return {key: torch.tensor(value) for key, value in (ROW | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"coupling": "telepathy"}, "coupling must be one of"),
        ({"visibility": "all"}, "visibility must be one of"),
        ({"topology": "star"}, "topology must be one of"),
        ({"prompt_lane": "last"}, "prompt_lane must be one of"),
        ({"omega": "none"}, "omega must begin as one of"),
        ({"omega": [1.0, 2.0]}, "omega must have"),
        ({"omega": [float("nan")] * 16}, "not a number"),
        ({"stride": 0}, "stride"),
        ({"window": -1}, "window"),
        ({"sees_from": "nowhere"}, "sees_from must be one of"),
        ({"lanes": 0}, "lanes"),
    ],
)
def test_what_makes_no_coupling_is_refused(files, wrong, says):
    model = hf.from_gguf(files["qwen2"])
    with pytest.raises(InvalidRequest, match=says):
        hf.attach(model, **wrong)
    assert not hasattr(model, "lane_coupling")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"position_ids": None}, "need position_ids"),
        ({"lane_ids": [[-1, -1, 0]]}, "the shape"),
        ({"position_ids": [[0, 1, 2]]}, "the shape"),
        ({"lane_ids": [[-1.0, -1.0, 0.0, 1.0]]}, "whole numbers"),
        ({"lane_ids": [[-3, -1, 0, 1]]}, "begin at 0"),
        ({"position_ids": [[0, 1, 2, -2]]}, "begin at 0"),
    ],
)
def test_tokens_that_stand_nowhere_are_refused(files, changes, says):
    model = hf.from_gguf(files["qwen2"])
    hf.attach(model)
    with pytest.raises(InvalidRequest, match=says):
        model(**tensors(**changes))


def test_lanes_are_not_lost_with_another_attention(files):
    model = hf.from_gguf(files["qwen2"])
    hf.attach(model)
    model.set_attn_implementation("eager")
    with pytest.raises(InvalidRequest, match="knows no lanes"):
        model(**tensors())


def test_models_of_other_kinds_are_refused():
    model = transformers.AutoModelForCausalLM.from_config(
        transformers.GPT2Config(vocab_size=20, n_positions=16, n_embd=8, n_layer=1, n_head=1)
    )
    with pytest.raises(InvalidRequest, match="gpt2"):
        hf.attach(model)


def test_files_of_other_kinds_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        hf.from_gguf(tmp_path / "none.gguf")


def test_without_lane_ids_the_model_is_what_it_was(files):
    model = hf.from_gguf(files["qwen2"])
    ids, attention = torch.tensor([[11, 45, 3, 200]]), model.config._attn_implementation
    with torch.no_grad():
        before = model(ids).logits
        hf.attach(model)
        assert torch.equal(model(ids).logits, before)
        hf.attach(model, coupling="hogwild")  # in place of the first
        hf.detach(model)
        assert torch.equal(model(ids).logits, before)
    assert model.config._attn_implementation == attention
    assert not hasattr(model, "lane_coupling")
    assert not any("lane" in name for name in model.state_dict())
