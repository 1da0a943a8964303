# SPDX-License-Identifier: Apache-2.0
"""Bad input raises one clear exception of the kind that Python has for it."""

import numpy as np
import pytest

import lanerope


def refused(kind, match, call, *arguments, **options):
    with pytest.raises(kind, match=match or None) as caught:
        call(*arguments, **options)
    return caught.value


def test_files_that_are_not_there_or_no_models(tmp_path):
    refused(FileNotFoundError, "nothing.gguf", lanerope.Model, tmp_path / "nothing.gguf")
    (tmp_path / "text.gguf").write_text("this is a text and no model of any kind")
    error = refused(lanerope.ModelError, "", lanerope.Model, tmp_path / "text.gguf")
    assert isinstance(error, RuntimeError) and isinstance(error, lanerope.Error)
    refused(lanerope.InvalidRequest, "offline", lanerope.Model, "hf:nobody/nothing", offline=True)


def test_arguments_of_a_model(tiny_file, adapter_file):
    refused(ValueError, "no device", lanerope.Model, tiny_file, device="abacus")
    refused(ValueError, "automatic, kernels or ggml", lanerope.Model, tiny_file, back_end="fast")
    refused(ValueError, "threads", lanerope.Model, tiny_file, threads=-1)
    refused(ValueError, "gpu_layers must be 0 or more", lanerope.Model, tiny_file, gpu_layers=-1)
    refused(ValueError, "gpu-layers is about devices", lanerope.Model, tiny_file, gpu_layers=2)
    refused(ValueError, "tensor-split is about devices", lanerope.Model, tiny_file, tensor_split=[3, 1])
    refused(ValueError, "no tensor", lanerope.Model, tiny_file, override_tensor="nonsense=CPU")
    assert lanerope.Model(tiny_file, threads=1, gpu_layers=0, override_tensor="ffn=CPU").info["device"] == "cpu"
    refused(TypeError, "list of addresses", lanerope.Model, tiny_file, workers="127.0.0.1:1")
    refused(TypeError, "list of files", lanerope.Model, tiny_file, adapters=adapter_file)
    refused(lanerope.Error, "", lanerope.Model, adapters=[adapter_file])  # of another model
    refused(lanerope.InvalidRequest, 'no bundled adapter "none"; there is qwen2.5-coder-0.5b', lanerope.Model, tiny_file, adapters=["lanes:none"])
    refused(lanerope.Error, "lanes|qwen2.5-coder-0.5b.gguf", lanerope.Model, tiny_file, adapters=["lanes:qwen2.5-coder-0.5b"])  # found, and of another model


def test_a_progress_that_raises_ends_the_loading(tiny_file):
    shares = []

    def enough(share):
        shares.append(share)
        raise KeyError("enough")

    refused(KeyError, "enough", lanerope.Model, tiny_file, progress=enough)
    assert len(shares) == 1
    lanerope.Model(tiny_file, progress=shares.append)
    assert shares[-1] == 1


@pytest.mark.parametrize(
    "options,kind,match",
    [
        ({"lanes": 0}, ValueError, "at least one lane"),
        ({"lanes": "four"}, TypeError, "lanes must be a whole number"),
        ({"lanes": 2.5}, TypeError, "lanes must be a whole number"),
        ({"lane": 4}, TypeError, "no option 'lane'"),
        ({"tool_calls": 3}, ValueError, "tool_calls does nothing without lane_tools"),
        ({"policy_timeout": 3}, ValueError, "without policy_command"),
        ({"coupling": "independent", "window": 3}, ValueError, "has no window"),
        ({"budget": 10**9}, ValueError, "too large"),
        ({"budget": 100_000}, ValueError, "context"),
        ({"coupling": "tight"}, ValueError, "independent, lanerope, groupthink, hogwild or bridge"),
        ({"select": "luck"}, ValueError, "select is vote, logprob"),
        ({"temperature": float("nan")}, ValueError, "temperature"),
        ({"seed": -1}, TypeError, "seed must be a whole number of 0 or more"),
        ({"consensus": 9}, ValueError, "consensus"),
        ({"policies": "prun"}, ValueError, "there is no policy"),
        ({"policies": ["prune:keep=0"]}, ValueError, "keep of the policy prune"),
        ({"policies": 3}, TypeError, "policies must be a str or a list of str"),
        ({"stop": [1]}, TypeError, "stop must be"),
        ({"lane_texts": "abc"}, TypeError, "lane_texts must be a list"),
        ({"omega": [float("nan")] * 16}, ValueError, "not a number"),
        ({"omega": np.zeros(3)}, ValueError, "omega has 3 values"),
        ({"omega": np.zeros((2, 2, 2))}, ValueError, r"omega has the shape \(2, 2, 2\)"),
        ({"omega": np.zeros((16, 1))}, ValueError, r"omega has the shape \(16, 1\)"),
        ({"omega": np.zeros(8), "coupling": "hogwild"}, ValueError, "belong to the lanerope coupling"),
        ({"init": "gt", "omega": np.zeros(8)}, ValueError, "omega was given together"),
        ({"adapter_scales": [1.0]}, ValueError, "0 are loaded"),
        ({"verifier": "cat"}, ValueError, "verifier"),
        ({"json": True, "regex": "a"}, ValueError, "one format"),
        ({"regex": "("}, ValueError, ""),
        ({"json_schema": {"type": "nonsense"}}, ValueError, ""),
        ({"logit_bias": {10**6: 1.0}}, ValueError, ""),
        ({"raw": True, "system": "x"}, ValueError, "raw goes with"),
        ({"attention": 3}, TypeError, "attention must be a bool"),
    ],
)
def test_requests_that_make_no_sense(tiny, options, kind, match):
    refused(kind, match, tiny.generate, "abc", **options)


@pytest.mark.parametrize(
    "prompt,kind,match",
    [
        ([], ValueError, "empty"),
        ([10**6], ValueError, "vocabulary"),
        ([1.5], TypeError, "token ids"),
        (np.zeros((2, 2), dtype=int), TypeError, "token ids"),
        (7, TypeError, "token ids"),
        ([{"content": "x"}], ValueError, "role"),
        ([{"role": "user", "content": "x", "mood": "good"}], ValueError, "mood"),
        ([{"role": "user", "content": 3}], TypeError, "content must be"),
    ],
)
def test_prompts_that_are_none(tiny, prompt, kind, match):
    refused(kind, match, tiny.generate, prompt, budget=4)


def test_what_does_not_fit_is_a_memory_error(tiny):
    with tiny.engine(cells=16) as engine:
        error = refused(lanerope.DoesNotFit, "KV cells", engine.submit, "abc", lanes=4, budget=64)
        assert isinstance(error, MemoryError)
    refused(ValueError, "two KV cells", lanerope.Engine, tiny, cells=0)
    refused(ValueError, "f16, f32 or q8_0", lanerope.Engine, tiny, kv_type="int4")


def test_a_closed_model_and_a_closed_engine(tiny_file):
    other = lanerope.Model(tiny_file, threads=1).engine(cells=128)
    with lanerope.Model(tiny_file, threads=1) as model:
        stream = model.stream("abc", lanes=1, budget=4)
        engine = model.engine(cells=128)
        queued = engine.submit("abc", lanes=1, budget=4)
    assert model.closed and repr(model) == "Model(closed)"
    for call in (lambda: model.generate("abc"), lambda: model.tokenize("a"), lambda: model.info, lambda: model.score("a", ["b"]), lambda: model.engine()):
        refused(ValueError, "the model is closed", call)
    assert len(stream.result().lanes) == 1  # what ran keeps the weights
    engine.close()
    refused(ValueError, "the engine is closed", queued.result)
    other.close()
    refused(ValueError, "the engine is closed", other.submit, "abc", lanes=1, budget=4)


def test_changes_of_lanes_that_cannot_be(tiny):
    stream = tiny.stream("abc", lanes=1, budget=8, ignore_end=True, seed=1)
    refused(ValueError, "not running", stream.push, 0, "x")
    for event in stream:
        if event.kind == "token" and event.step == 1:
            refused(ValueError, "no lane 5", stream.push, 5, "x")
            refused(ValueError, "left of its budget", stream.push, 0, "a text that is far too long for it")
            refused(ValueError, "no lane 7", stream.fork, 7)
            refused(ValueError, "no lane -1", stream.fork, -1)
            refused(ValueError, "no step -2", stream.fork, 0, -2)
            refused(MemoryError, "KV cells", stream.spawn)
    assert len(stream.result().lanes[0].tokens) == 8
    refused(ValueError, "no running group", stream.retire, 0)


def test_scores_of_nothing(tiny):
    refused(TypeError, "not a str", tiny.score, "a", "bc")
    refused(TypeError, "no option", tiny.score, "a", ["b"], budget=3)
    refused(ValueError, "", tiny.score, "a", [])
    refused(ValueError, "", tiny.score, "a", [[]])


def test_a_verifier_that_fails_is_told_in_a_note(tiny):
    result = tiny.generate("abc", lanes=2, budget=4, seed=1, select="verifier", verifier="exit 3")
    assert result.note and result.selected is not None


def test_conversations_that_are_none(tiny):
    refused(ValueError, "empty", tiny.chat_template, [])
    refused(TypeError, "messages", tiny.chat_template, "x")
