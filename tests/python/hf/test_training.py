# SPDX-License-Identifier: Apache-2.0
"""Batches of lane traces, lanes that sleep, generation with kept keys, and training with PEFT and TRL."""

import numpy as np
import pytest
import torch

from lanerope import InvalidRequest, hf
from lanerope.hf.relations import PADDING, PROMPT
from lanerope.hf.sleep import lane_steps


class Letters:
    """A tokenizer of letters, as far as the collator needs one."""

    eos_token_id = 0
    chat_template = None

    def __call__(self, text, add_special_tokens=True):
        return {"input_ids": [ord(c) % 250 + 1 for c in text]}


def row(question="abcd", lanes=("efg", "hi")):
    return {"question": question, "lanes": list(lanes)}


def test_a_group_is_the_prompt_and_its_lanes():
    batch = hf.LaneCollator(Letters(), tag="#{k}")([row(), row("xy", ["z"])])
    assert batch["lane_ids"].tolist() == [
        [PROMPT] * 4 + [0] * 6 + [1] * 5,
        [PROMPT] * 2 + [0] * 2 + [PADDING] * 11,
    ]
    assert batch["position_ids"][0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 4, 5, 6, 7, 8]
    labels = batch["labels"][0].tolist()
    # Neither the prompt nor tags are learned, but the end is; a lane alone has no tag.
    assert labels[:6] == [-100] * 6 and labels[6:10] == batch["input_ids"][0, 6:10].tolist()
    assert labels[9] == labels[14] == 0
    assert batch["labels"][1].tolist()[:4] == [-100, -100, -100, 0]


def test_lanes_that_wait_are_placed_in_time():
    # Lane 0 waits with its second token until lane 1 is ready with its fourth.
    assert lane_steps([[1, 9, 2], [3, 4, 5, 8, 6]], wait=9, ready=8) == [[0, 3, 4], [0, 1, 2, 3, 4]]


@pytest.mark.parametrize("bad", [{}, {"question": "x"}, {"question": "x", "lanes": []}])
def test_traces_without_lanes_are_refused(bad):
    with pytest.raises(InvalidRequest):
        hf.LaneCollator(Letters())([bad])


def test_wrong_arguments_are_refused(files):
    model = hf.from_gguf(files["qwen2"])
    for wrong in ({"coupling": "telepathy"}, {"omega": "none"}, {"omega": [1.0, 2.0]}, {"omega": [float("nan")] * 16}, {"stride": 0}):
        with pytest.raises(InvalidRequest):
            hf.attach(model, **wrong)
    with pytest.raises(InvalidRequest):
        hf.generate(model, [1, 2])


@pytest.mark.parametrize("coupling", ["lanerope", "hogwild"])
def test_keys_that_are_kept_give_what_one_pass_gives(files, architecture, coupling):
    model = hf.from_gguf(files[architecture])
    hf.attach(model, coupling=coupling, omega="gt", stride=16)
    prompt = [11, 45, 3, 200, 7, 99]
    lanes = hf.generate(model, prompt, lanes=3, budget=8, tags=[[5], [6], [9, 8]], end=[])
    ids, places, owners = list(prompt), list(range(6)), [PROMPT] * 6
    for m, lane in enumerate(lanes):
        ids += lane.tokens
        places += range(6, 6 + len(lane.tokens))
        owners += [m] * len(lane.tokens)
    given = {"input_ids": ids, "position_ids": places, "lane_ids": owners}
    with torch.no_grad():
        logits = model(**{key: torch.tensor([value]) for key, value in given.items()}).logits[0].log_softmax(-1)
    at = 6
    for m, lane in enumerate(lanes):
        before = [5, *range(at, at + len(lane.tokens) - 1)]  # the prompt's last token, then the lane's own
        drawn = lane.tokens[-len(lane.logprobs) :]
        rows = before[-len(lane.logprobs) :]
        expected = [float(logits[r, token]) for r, token in zip(rows, drawn, strict=True)]
        assert np.allclose(lane.logprobs, expected, atol=1e-3), f"lane {m}"
        assert all(int(logits[r].argmax()) == token for r, token in zip(rows, drawn, strict=True))
        at += len(lane.tokens)


def test_omega_and_low_rank_pairs_learn(files):
    peft = pytest.importorskip("peft")
    model = hf.from_gguf(files["qwen2"])
    handle = hf.attach(model, omega="ntk-by-parts", stride=16)
    before = handle.omega.detach().clone()
    wrapped = peft.get_peft_model(model, peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"]))
    handle.omega.requires_grad_(True)  # PEFT freezes all that it did not add
    batch = hf.LaneCollator(Letters())([row(), row("xyz", ["ab", "cd", "ef"])])
    optimizer = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=0.01)
    losses = []
    for _ in range(12):
        loss = wrapped(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
    assert not torch.equal(handle.omega.detach(), before)
    keys = handle.adapter_keys(lanes=[1, 4], tag="<lane{k}>")
    assert keys["coupling"] == "lanerope" and len(keys["omega"]) == handle.omega.numel()


def test_trl_trains_on_lane_traces(files, tmp_path):
    trl = pytest.importorskip("trl")
    datasets = pytest.importorskip("datasets")
    model = hf.from_gguf(files["qwen2"])
    hf.attach(model, omega="gt", stride=16)
    config = trl.SFTConfig(
        output_dir=str(tmp_path), max_steps=3, per_device_train_batch_size=2, learning_rate=1e-3, remove_unused_columns=False, packing=False,
        dataset_kwargs={"skip_prepare_dataset": True}, report_to=[], save_strategy="no", use_cpu=True, logging_steps=1, bf16=False,
    )
    traces = datasets.Dataset.from_list([row(), row("xy", ["ab", "cd"])] * 4)
    trainer = trl.SFTTrainer(model=model, args=config, train_dataset=traces, data_collator=hf.LaneCollator(Letters()), processing_class=None)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert len(losses) == 3 and np.isfinite(losses).all()
