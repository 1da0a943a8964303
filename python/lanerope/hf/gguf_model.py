# SPDX-License-Identifier: Apache-2.0
"""A model of transformers out of a GGUF file, its weights unpacked to f32: what the engine reads, in PyTorch. Needs ``lanerope[peft]`` too."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from .._adapter_file import reader, value_of
from .._adapter_names import Rows, architecture
from .._errors import InvalidRequest

_NORMS = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"}
_GEMMA_NORMS = _NORMS | {
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
_KINDS = {
    "llama": "LlamaConfig",
    "qwen2": "Qwen2Config",
    "qwen3": "Qwen3Config",
    "gemma3": "Gemma3TextConfig",
    "smollm3": "SmolLM3Config",
}


def from_gguf(file: str | os.PathLike[str]) -> Any:
    """The model of the file (llama, qwen2, qwen3, gemma3, smollm3), in f32, on the CPU, set to evaluate."""
    read = reader(Path(file))
    name = str(value_of(read, "general.architecture", ""))
    if name not in _KINDS:
        raise InvalidRequest(f"models of the architecture {name} cannot be built; those of {', '.join(_KINDS)} can")
    scaling = value_of(read, f"{name}.rope.scaling.type", "none")
    if scaling not in ("none", ""):
        raise InvalidRequest(f"{file} scales its RoPE ({scaling}), which from_gguf does not build; load the model's own folder instead")
    tensors = {tensor.name: tensor for tensor in read.tensors}
    config = _config(read, name, tensors)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    state = _state(read, name, tensors)
    missing, unexpected = model.load_state_dict(state, strict=False)
    tied = {"lm_head.weight"} if config.tie_word_embeddings else set()
    if set(missing) - tied or unexpected:
        raise InvalidRequest(f"{file} does not hold what the model needs: missing {missing}, unknown {unexpected}")
    model.tie_weights()
    return model.eval()


def _config(read: Any, name: str, tensors: dict[str, Any]) -> Any:
    def get(key: str, otherwise: Any = None) -> Any:
        value = value_of(read, f"{name}.{key}", otherwise)
        if value is None:
            raise InvalidRequest(f"the file has no {name}.{key}")
        return value

    heads, width = int(get("attention.head_count")), int(get("embedding_length"))
    head = int(get("attention.key_length", width // heads))
    facts: dict[str, Any] = {
        "vocab_size": int(tensors["token_embd.weight"].shape[1]),
        "hidden_size": width,
        "intermediate_size": int(get("feed_forward_length")),
        "num_hidden_layers": int(get("block_count")),
        "num_attention_heads": heads,
        "num_key_value_heads": int(get("attention.head_count_kv", heads)),
        "head_dim": head,
        "max_position_embeddings": int(get("context_length")),
        "rms_norm_eps": float(get("attention.layer_norm_rms_epsilon")),
        "tie_word_embeddings": "output.weight" not in tensors,
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": None,
    }
    base = float(get("rope.freq_base", 10000.0))
    facts["rope_parameters"] = {"rope_type": "default", "rope_theta": base}
    if name == "llama":
        facts["attention_bias"] = "blk.0.attn_q.bias" in tensors
    if name == "gemma3":
        window = int(get("attention.sliding_window"))
        every = int(get("attention.sliding_window_pattern", 6))
        layers = ["full_attention" if (i + 1) % every == 0 else "sliding_attention" for i in range(facts["num_hidden_layers"])]
        facts |= {
            "sliding_window": window,
            "layer_types": layers,
            "query_pre_attn_scalar": head,
            "rope_parameters": {
                "full_attention": {"rope_type": "default", "rope_theta": base},
                "sliding_attention": {"rope_type": "default", "rope_theta": float(get("rope.freq_base_swa", 10000.0))},
            },
        }
    if name == "smollm3":
        facts["no_rope_layers"] = [int((i + 1) % 4 != 0) for i in range(facts["num_hidden_layers"])]
    return getattr(transformers, _KINDS[name])(**facts)


def _state(read: Any, name: str, tensors: dict[str, Any]) -> dict[str, torch.Tensor]:
    import gguf

    known = architecture(name)
    norms = _GEMMA_NORMS if name == "gemma3" else _NORMS
    heads = int(value_of(read, f"{name}.attention.head_count", 0))
    rows = Rows(heads, int(value_of(read, f"{name}.attention.head_count_kv", heads)))
    state = {}
    for tensor, entry in tensors.items():
        values = gguf.quants.dequantize(entry.data, entry.tensor_type).astype(np.float32).reshape(entry.shape[::-1])
        if known.adjacent and (".attn_q." in tensor or ".attn_k." in tensor):
            values = rows.to_halves(tensor, values.reshape(len(values), -1)).reshape(values.shape)
        if name == "gemma3" and "norm" in tensor:
            values = values - 1  # transformers adds it
        if tensor == "rope_freqs.weight":
            raise InvalidRequest("the file scales its RoPE by factors, which from_gguf does not build; load the model's own folder instead")
        state[_name_of(tensor, known, norms)] = torch.from_numpy(np.ascontiguousarray(values))
    return state


def _name_of(tensor: str, known: Any, norms: dict[str, str]) -> str:
    whole = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight", "output.weight": "lm_head.weight"}
    if tensor in whole:
        return whole[tensor]
    stem, _, kind = tensor.rpartition(".")
    of_block = stem.split(".", 2)
    if len(of_block) == 3 and of_block[2] in norms:
        return f"model.layers.{of_block[1]}.{norms[of_block[2]]}.{kind}"
    return f"{known.module_of(stem + '.weight')}.{kind}"
