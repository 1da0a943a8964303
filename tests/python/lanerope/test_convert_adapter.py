# SPDX-License-Identifier: Apache-2.0
"""Adapters between GGUF and PEFT's folders."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import lanerope
from lanerope import _adapter_file, convert_adapter
from lanerope._adapter_names import Rows, architecture

safetensors_numpy = pytest.importorskip("safetensors.numpy")
pytest.importorskip("gguf")


def test_a_round_trip_is_the_same_to_the_bit(llama_file, llama_adapter, tmp_path):
    before = _adapter_file.read_gguf(Path(llama_adapter))
    folder = convert_adapter.to_peft(llama_adapter, tmp_path / "peft", base=llama_file)
    after = convert_adapter.to_gguf(folder, tmp_path / "again.gguf", base=llama_file)
    assert convert_adapter.equal(before, _adapter_file.read_gguf(after))
    assert {a.dtype for pair in before.pairs.values() for a in pair} == {np.dtype(np.float32)}
    # And the engine takes it for the same.
    options = dict(lanes=2, budget=24, seed=1, ignore_end=True)
    first = lanerope.Model(llama_file, adapters=[llama_adapter], threads=1)
    second = lanerope.Model(llama_file, adapters=[after], threads=1)
    assert first.info["adapters"][0]["lanes"] == second.info["adapters"][0]["lanes"]
    assert first.info["adapters"][0]["rank"] == second.info["adapters"][0]["rank"]
    a, b = first.generate("abc", **options), second.generate("abc", **options)
    assert all(np.array_equal(x.logprobs, y.logprobs, equal_nan=True) for x, y in zip(a.lanes, b.lanes))


def test_omega_goes_over_to_the_bit(llama_file, llama_adapter, tmp_path):
    plain = _adapter_file.read_gguf(Path(llama_adapter))
    omega = np.random.default_rng(1).standard_normal(8).astype(np.float32)
    lanes = {**plain.lanes, "omega": [float(x) for x in omega], "tag": "<sprecher {k}>\n", "lanes": [2, 4], "prompt": False}
    lanes |= {"wait": " await", "ready": "!", "sees_from": "hand-over", "prompt_lane": "first"}
    with_omega = _adapter_file.GgufAdapter(plain.architecture, "an adapter", plain.alpha, plain.pairs, lanes)
    _adapter_file.write_gguf(tmp_path / "a.gguf", with_omega)
    folder = convert_adapter.to_peft(tmp_path / "a.gguf", tmp_path / "peft", base=llama_file)
    again = _adapter_file.read_gguf(convert_adapter.to_gguf(folder, tmp_path / "b.gguf", base=llama_file))
    assert np.array_equal(np.array(again.lanes["omega"], np.float32), omega)
    assert again.lanes == _adapter_file.read_gguf(tmp_path / "a.gguf").lanes
    assert again.lanes["sees_from"] == "hand-over" and again.lanes["prompt_lane"] == "first"
    assert again.lanes["prompt"] is False and again.lanes["lanes"] == [2, 4] and again.name == "an adapter"


def test_peft_finds_what_it_expects(llama_file, llama_adapter, tmp_path):
    folder = convert_adapter.to_peft(llama_adapter, tmp_path / "peft", base=llama_file, base_name="somebody/tiny")
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = safetensors_numpy.load_file(folder / "adapter_model.safetensors")
    assert config["peft_type"] == "LORA" and config["task_type"] == "CAUSAL_LM" and config["base_model_name_or_path"] == "somebody/tiny"
    a = tensors["base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight"]
    b = tensors["base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight"]
    info = lanerope.Model(llama_file).info
    assert a.shape == (config["r"], info["n_embd"]) and b.shape == (info["n_head"] * info["head_dim"], config["r"])
    assert set(config["target_modules"]) <= {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head"}


def test_rows_of_a_pair_lie_half_a_head_apart():
    """Row 2t + s of head h in GGUF is row s * half + t of that head in transformers."""
    heads, half, rank = 3, 4, 2
    b = np.arange(heads * half * 2 * rank, dtype=np.float32).reshape(-1, rank)
    other = Rows(heads, 1).to_halves("blk.0.attn_q.weight", b)
    for h in range(heads):
        for t in range(half):
            for s in range(2):
                assert (other[h * 2 * half + s * half + t] == b[h * 2 * half + 2 * t + s]).all()
    assert (Rows(heads, 1).to_pairs("blk.0.attn_q.weight", other) == b).all()
    assert (Rows(heads, 1).to_halves("blk.0.attn_v.weight", b) == b).all()


def test_names_go_there_and_back():
    for name, tensor, module in [
        ("llama", "blk.11.attn_output.weight", "model.layers.11.self_attn.o_proj"),
        ("qwen2", "blk.0.ffn_gate.weight", "model.layers.0.mlp.gate_proj"),
        ("phi3", "blk.2.attn_qkv.weight", "model.layers.2.self_attn.qkv_proj"),
        ("qwen3moe", "blk.2.ffn_gate_inp.weight", "model.layers.2.mlp.gate"),
        ("gemma3", "output.weight", "lm_head"),
    ]:
        assert architecture(name).module_of(tensor) == module
        assert architecture(name).tensor_of(module) == tensor


def a_folder(path, tensors, **config):
    path.mkdir()
    usual = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "bias": "none", "target_modules": ["q_proj"]}
    (path / "adapter_config.json").write_text(json.dumps(usual | config))
    safetensors_numpy.save_file(tensors, path / "adapter_model.safetensors")
    return path


def halves(dtype=np.float32):
    draw = np.random.default_rng(2)
    name = "base_model.model.model.layers.0.mlp.up_proj.lora_"
    return {name + "A.weight": draw.standard_normal((2, 8)).astype(dtype), name + "B.weight": draw.standard_normal((6, 2)).astype(dtype)}


def test_what_a_gguf_adapter_has_no_place_for_is_refused(tmp_path, llama_file):
    for i, config in enumerate([{"use_dora": True}, {"bias": "all"}, {"peft_type": "IA3"}, {"modules_to_save": ["lm_head"]}]):
        with pytest.raises(lanerope.InvalidRequest):
            convert_adapter.to_gguf(a_folder(tmp_path / f"f{i}", halves(), **config), tmp_path / "x.gguf", base=llama_file)
    with pytest.raises(lanerope.ModelError, match="halves"):
        odd = {k: v for k, v in halves().items() if "lora_A" in k}
        convert_adapter.to_gguf(a_folder(tmp_path / "odd", odd), tmp_path / "x.gguf", base=llama_file)
    with pytest.raises(lanerope.InvalidRequest, match="--base"):
        convert_adapter.convert_adapter(tmp_path / "odd", tmp_path / "x.gguf")
    with pytest.raises(FileNotFoundError):
        convert_adapter.convert_adapter(tmp_path / "nothing", tmp_path / "x.gguf")
    (tmp_path / "not.gguf").write_bytes(b"GGUF" + bytes(3))
    with pytest.raises(lanerope.Error):
        convert_adapter.convert_adapter(tmp_path / "not.gguf", tmp_path / "x")
    folder = a_folder(tmp_path / "nan", halves())
    (folder / "lanerope.json").write_text(json.dumps({"version": 1, "omega": [float("nan")]}))
    with pytest.raises(lanerope.InvalidRequest, match="not a number"):
        convert_adapter.to_gguf(folder, tmp_path / "x.gguf", base=llama_file)


def test_rank_stabilised_adapters_get_their_scale(tmp_path, llama_file):
    convert_adapter.to_gguf(a_folder(tmp_path / "rs", halves(np.float16), use_rslora=True), tmp_path / "rs.gguf", base=llama_file)
    found = _adapter_file.read_gguf(tmp_path / "rs.gguf")
    assert np.isclose(found.alpha / 2, 4 / np.sqrt(2))
    assert found.pairs["blk.0.ffn_up.weight"][0].dtype == np.float16


def test_the_command_says_what_is_wrong_in_one_line(tmp_path, llama_adapter, capsys):
    assert convert_adapter.main([llama_adapter, str(tmp_path / "peft")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert convert_adapter.main([str(tmp_path / "nothing"), str(tmp_path / "peft")]) == 1


def test_the_command_line_hands_over_to_it(command, tmp_path, llama_file, llama_adapter):
    command("convert-adapter", llama_adapter, str(tmp_path / "peft"), "--base", llama_file)
    assert (tmp_path / "peft/adapter_config.json").exists()


def test_a_trained_adapter_becomes_one_of_half_the_bytes(tmp_path, llama_file, llama_adapter):
    before = _adapter_file.read_gguf(Path(llama_adapter))
    after = _adapter_file.read_gguf(convert_adapter.convert_adapter(llama_adapter, tmp_path / "small.gguf", type="f16"))
    assert after.lanes == before.lanes and after.alpha == before.alpha and after.name == before.name
    for name, (a, b) in before.pairs.items():
        assert np.array_equal(after.pairs[name][0], a.astype(np.float16)) and np.array_equal(after.pairs[name][1], b.astype(np.float16))
        assert after.pairs[name][0].dtype == np.float16
    lanerope.Model(llama_file, adapters=[str(tmp_path / "small.gguf")], threads=1).generate("abc", lanes=2, budget=24)
    with pytest.raises(ValueError, match="GGUF adapter already"):
        convert_adapter.convert_adapter(llama_adapter, tmp_path / "same.gguf")
    with pytest.raises(ValueError, match="beyond what f16 has"):
        name, (a, b) = next(iter(before.pairs.items()))
        large = dataclasses.replace(before, pairs={**before.pairs, name: (a * 1e9, b)})
        _adapter_file.write_gguf(tmp_path / "large.gguf", large)
        convert_adapter.convert_adapter(tmp_path / "large.gguf", tmp_path / "small.gguf", type="f16")
