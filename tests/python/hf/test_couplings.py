# SPDX-License-Identifier: Apache-2.0
"""lanerope.hf and the engine, which share no code: the same logits for every coupling."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from both import furthest, of_engine, of_hf

import lanerope
from lanerope import hf

PROMPT_TOKENS = [11, 45, 3, 200, 7, 99, 150, 21, 64]
LANES = [[5, 17, 80, 33, 120, 8], [90, 14, 14, 61], [200, 101, 7, 55, 18, 29, 77], [9, 80, 31, 6, 44, 11]]
COUPLINGS = [
    {"coupling": "independent"},
    {"coupling": "lanerope", "init": "rope"},
    {"coupling": "lanerope", "init": "gt"},
    {"coupling": "lanerope", "init": "ntk-by-parts"},
    {"coupling": "lanerope", "init": "ntk", "visibility": "strict"},
    {"coupling": "lanerope", "init": "gt", "visibility": "interleaved", "topology": "ring"},
    {"coupling": "lanerope", "init": "gt", "topology": "tree", "prompt_lane": "first"},
    {"coupling": "lanerope", "init": "gt", "window": 2},
    {"coupling": "groupthink"},
    {"coupling": "groupthink", "prompt_lane": "first", "visibility": "strict", "window": 1},
    {"coupling": "hogwild"},
    {"coupling": "hogwild", "visibility": "interleaved", "topology": "tree"},
    {"coupling": "lanerope", "init": "gt", "topology": "blocks", "block": 2},
    {"coupling": "hogwild", "window": 3},
]


def attach(model, *, coupling, init="rope", **options):
    """With the engine's names."""
    return hf.attach(model, coupling=coupling, omega=init, lanes=len(LANES), **options)


def strided(options):
    """The engine refuses a stride where nothing is made of it."""
    return options if options["coupling"] in ("independent", "hogwild") else {**options, "stride": 16}


@pytest.fixture(scope="module")
def engines(files):
    """Plain ggml operations, which round nothing below f32."""
    return {name: lanerope.Model(file, threads=1, back_end="ggml") for name, file in files.items()}


@pytest.mark.parametrize("options", COUPLINGS, ids=lambda o: "-".join(str(v) for v in o.values()))
def test_logits_are_the_engines(files, engines, architecture, options):
    model = hf.from_gguf(files[architecture])
    attach(model, stride=16, **options)
    expected = of_engine(engines[architecture], PROMPT_TOKENS, LANES, **strided(options))
    assert furthest(of_hf(model, PROMPT_TOKENS, LANES), expected) < 1e-3


def test_couplings_are_told_apart(files, engines):
    """So that the tests above can fail: each coupling's logits are its own, but for groupthink's, which are those of omega = K theta."""
    others = [options for options in COUPLINGS if options != {"coupling": "groupthink"}]
    found = [of_engine(engines["qwen2"], PROMPT_TOKENS, LANES, **strided(options)) for options in others]
    for i, one in enumerate(found):
        for other in found[:i]:
            assert furthest(one, other) > 1e-2


@pytest.mark.parametrize("per_layer", [False, True])
def test_omega_may_be_given(files, engines, architecture, per_layer):
    model, engine = hf.from_gguf(files[architecture]), engines[architecture]
    theta = attach(model, coupling="lanerope").omega
    omega = np.random.default_rng(1).uniform(-3, 3, tuple(theta.shape) if per_layer else theta.shape[1:]).astype(np.float32)
    hf.attach(model, omega=omega)
    expected = of_engine(engine, PROMPT_TOKENS, LANES, omega=omega)
    assert furthest(of_hf(model, PROMPT_TOKENS, LANES), expected) < 1e-3


def test_lanes_that_wait_see_what_the_engines_see(files, engines):
    engine = engines["llama"]
    wait, ready = engine.tokenize("w", add_special=False), engine.tokenize("r", add_special=False)
    lanes = [[5, 17, *wait, 33, 8], [90, 14, 61, 7, *ready, 12], [20, *wait, 40, *wait, 50]]
    model = hf.from_gguf(files["llama"])
    attach(model, coupling="lanerope", init="gt", stride=16)
    asked = {"coupling": "lanerope", "init": "gt", "stride": 16}
    expected = of_engine(engine, PROMPT_TOKENS, lanes, wait="w", ready="r", **asked)
    assert furthest(of_hf(model, PROMPT_TOKENS, lanes, wait[0], ready[0]), expected) < 1e-3
    assert furthest(of_hf(model, PROMPT_TOKENS, lanes), expected) > 1e-2


@pytest.mark.parametrize("options", [{}, {"visibility": "strict", "window": 3}, {"coupling": "groupthink"}])
def test_lanes_that_see_from_their_hand_over_on_see_what_the_engines_see(files, engines, options):
    engine = engines["llama"]
    wait, ready = engine.tokenize("w", add_special=False), engine.tokenize("r", add_special=False)
    lanes = [[5, 17, *wait, 33, 8], [90, 14, 61, 7, *ready, 12], [20, 5, 40, *wait, 50], [9, 80, 31, 6, 44, 11]]
    asked = {"coupling": "lanerope", "init": "gt", "stride": 16, "sees_from": "hand-over"} | options
    if asked["coupling"] == "groupthink":
        del asked["init"]
    model = hf.from_gguf(files["llama"])
    attach(model, **asked)
    expected = of_engine(engine, PROMPT_TOKENS, lanes, wait="w", ready="r", **asked)
    assert furthest(of_hf(model, PROMPT_TOKENS, lanes, wait[0], ready[0]), expected) < 1e-3
    attach(model, **asked | {"sees_from": "start"})
    assert furthest(of_hf(model, PROMPT_TOKENS, lanes, wait[0], ready[0]), expected) > 1e-2
    attach(model, **asked)
    with pytest.raises(lanerope.InvalidRequest, match="sees_others"):
        model(input_ids=torch.tensor([[1]]), position_ids=torch.tensor([[0]]), lane_ids=torch.tensor([[0]]))


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory):
    """SmolLM2-135M-Instruct with its weights unpacked to f32, in both."""
    packed = Path(os.environ.get("LANEROPE_SMOLLM2", "/nowhere"))
    if not packed.exists():
        pytest.skip("script/model smollm2 fetches it")
    file = tmp_path_factory.mktemp("smollm2") / "f32.gguf"
    unpack(packed, file)
    yield hf.from_gguf(packed), lanerope.Model(str(file), threads=1, back_end="ggml")
    file.unlink()


def unpack(packed, file):
    """Writes a GGUF file's weights as f32."""
    gguf = pytest.importorskip("gguf")
    read = gguf.GGUFReader(packed)
    writer = gguf.GGUFWriter(file, "llama")
    for key, field in read.fields.items():
        if not key.startswith("GGUF.") and key not in ("general.architecture", "general.file_type"):
            kind = field.types[0]
            writer.add_key_value(key, field.contents(), kind, sub_type=field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    for tensor in read.tensors:
        writer.add_tensor(tensor.name, gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(tensor.shape[::-1]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("coupling", ["independent", "lanerope", "groupthink", "hogwild"])
def test_smollm2_says_the_same(smollm2, coupling):
    model, engine = smollm2
    prompt = engine.tokenize("<|im_start|>user\nWhat is 12 + 30?<|im_end|>\n<|im_start|>assistant\n")
    lanes = [engine.tokenize(text, add_special=False) for text in ("<lane1> I add 12 and 30: 42.", "<lane2> Forty-two, I think.")]
    options = strided({"coupling": coupling, **({"init": "ntk-by-parts"} if coupling == "lanerope" else {})})
    attach(model, **options)
    expected = of_engine(engine, prompt, lanes, **options)
    assert furthest(of_hf(model, prompt, lanes), expected) < 1e-3
