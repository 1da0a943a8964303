# SPDX-License-Identifier: Apache-2.0
"""Training with PEFT and TRL, and what is trained in the engine."""

import numpy as np
import pytest
import torch
from both import furthest, of_engine, of_hf
from tokenizer import letters

import lanerope
from lanerope import convert_adapter, hf

datasets = pytest.importorskip("datasets")
peft = pytest.importorskip("peft")
trl = pytest.importorskip("trl")

TRACES = [
    {"question": "abcd", "lanes": ["efg", "hi"]},
    {"question": "xy", "lanes": ["ab", "cd", "ef"]},
    {"question": "one", "lanes": ["two"]},
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, files):
    """A model trained by SFTTrainer, its losses, the omega that it began with, and the folder of its adapter."""
    folder = tmp_path_factory.mktemp("trl")
    torch.manual_seed(1)
    model = hf.from_gguf(files["llama"])
    lanes = hf.attach(model, omega="ntk-by-parts", stride=16)
    begun = lanes.omega.detach().clone()
    adapted = peft.get_peft_model(model, peft.LoraConfig(r=2, target_modules="all-linear", init_lora_weights="gaussian"))
    lanes.omega.requires_grad_(True)  # PEFT freezes what it did not add
    config = trl.SFTConfig(
        output_dir=str(folder / "runs"), max_steps=20, per_device_train_batch_size=3, learning_rate=0.005, lr_scheduler_type="constant",
        remove_unused_columns=False, packing=False, dataset_kwargs={"skip_prepare_dataset": True}, report_to=[], save_strategy="no",
        use_cpu=True, logging_steps=1, bf16=False, disable_tqdm=True,
    )
    trainer = trl.SFTTrainer(
        adapted, config, train_dataset=datasets.Dataset.from_list(TRACES), data_collator=hf.LaneCollator(letters()),
        processing_class=letters(),
    )
    trainer.train()
    adapted.save_pretrained(str(folder / "adapter"))
    lanes.save(folder / "adapter", lanes=[1, 2, 3], tag="<lane{k}>")
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return adapted, losses, begun, folder / "adapter"


def test_the_loss_goes_down(trained):
    _, losses, _, _ = trained
    assert len(losses) == 20 and losses[-1] < 0.8 * losses[0]


def test_the_loss_is_that_of_the_labels(files):
    """Cross entropy of what lanes write, each token after the one before it in its lane."""
    model = hf.from_gguf(files["qwen2"])
    hf.attach(model, omega="gt", stride=16)
    batch = hf.LaneCollator(letters(), tag="#")(TRACES[:1])
    with torch.no_grad():
        loss = float(model(**batch).loss)
    prompt, lanes = [ord(c) + 1 for c in "abcd"], [[36, 102, 103, 104, 0], [36, 105, 106, 0]]
    logits = of_engine(lanerope.Model(files["qwen2"], threads=1, back_end="ggml"), prompt, lanes, coupling="lanerope", init="gt", stride=16)
    chances = [torch.from_numpy(rows).log_softmax(-1)[at, lane[at]] for rows, lane in zip(logits, lanes, strict=True) for at in range(1, len(lane))]
    assert abs(loss + float(torch.stack(chances).mean())) < 1e-3


def test_omega_learns(trained):
    adapted, _, begun, _ = trained
    omega = adapted.get_base_model().lane_coupling.omega.detach()
    assert (omega - begun).abs().max() > 1e-3


def test_the_engine_runs_what_was_trained(trained, files, tmp_path):
    adapted, _, _, folder = trained
    file = convert_adapter.to_gguf(folder, tmp_path / "lanes.gguf", base=files["llama"])
    engine = lanerope.Model(files["llama"], adapters=[file], threads=1, back_end="ggml")
    assert engine.info["adapters"][0]["lanes"]["lanes"] == [1, 2, 3]
    prompt, lanes = [ord(c) + 1 for c in "abcd"], [[61, 102, 103, 104], [61, 105, 106]]
    adapted.eval()
    # Coupled as the adapter says.
    expected = of_engine(engine, prompt, lanes)
    assert furthest(of_hf(adapted, prompt, lanes), expected) < 1e-3
    assert furthest(of_engine(lanerope.Model(files["llama"], threads=1, back_end="ggml"), prompt, lanes), expected) > 1e-2


@pytest.mark.parametrize("options", [{}, {"topology": "ring"}, {"coupling": "hogwild", "window": 2}], ids=lambda o: "-".join(map(str, o.values())))
def test_a_group_is_the_same_beside_others(files, options):
    model = hf.from_gguf(files["qwen2"])
    hf.attach(model, omega="gt", stride=16, **options)
    collate = hf.LaneCollator(letters())
    traces = [{"question": "abcd", "lanes": ["efg", "hi", "j"]}, {"question": "x", "lanes": ["ab", "cd", "ef", "gh", "i"]}]
    with torch.no_grad():
        both, *alone = (model(**collate(rows)).logits for rows in (traces, traces[:1], traces[1:]))
    for row, own in zip(both, alone, strict=True):
        assert np.abs((row[: own.shape[1]] - own[0]).numpy()).max() < 1e-4


@pytest.mark.parametrize("options", [{"window": 4}, {"topology": "tree"}, {"prompt_lane": "first"}], ids=str)
def test_what_an_adapter_cannot_say_is_not_saved(files, tmp_path, options):
    lanes = hf.attach(hf.from_gguf(files["qwen2"]), **options)
    with pytest.raises(lanerope.InvalidRequest, match="cannot say"):
        lanes.save(tmp_path)
