# SPDX-License-Identifier: Apache-2.0
"""The adapter as a LoRA GGUF that llama.cpp and lanerope load (docs/training.md; src/arch/lane_keys.cpp has the keys)."""

import numpy as np
import torch

from .model import TARGETS, to_halves


def write_adapter(path, lora, config, *, name, tag, lanes, stride, visibility="inclusive", kind=np.float16):
    from gguf import GGUFWriter

    writer = GGUFWriter(path, config["architecture"])
    writer.add_string("general.type", "adapter")
    writer.add_string("general.name", name)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(lora.alpha))
    if lanes:
        writer.add_uint32("lanerope.version", 1)
        writer.add_string("lanerope.coupling", "lanerope")
        writer.add_string("lanerope.init", "ntk-by-parts")
        writer.add_int32("lanerope.stride", stride)
        writer.add_string("lanerope.visibility", visibility)
        writer.add_string("lanerope.tag", tag)
        writer.add_key_value("lanerope.lanes", [int(n) for n in lanes], _array(), _int32())
        writer.add_bool("lanerope.prompt", True)
        writer.add_array("lanerope.omega", [float(x) for x in lora.omega.detach().float().cpu().flatten()])
    head = config["width"] // config["heads"]
    for layer in range(config["layers"]):
        for target in TARGETS:
            a = lora.a[f"{layer}_{target}"].detach().float().cpu()
            b = lora.b[f"{layer}_{target}"].detach().float().cpu()
            if target in ("attn_q", "attn_k"):
                b = to_halves(b, head)
            for suffix, values in (("lora_a", a), ("lora_b", b)):
                writer.add_tensor(f"blk.{layer}.{target}.weight.{suffix}", np.ascontiguousarray(values.numpy().astype(kind)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _array():
    from gguf import GGUFValueType

    return GGUFValueType.ARRAY


def _int32():
    from gguf import GGUFValueType

    return GGUFValueType.INT32


def save(path, lora, dtype=torch.float32):
    state = {k: v.detach().cpu().to(torch.float32 if k == "omega" else dtype) for k, v in lora.state_dict().items()}
    torch.save({"rank": lora.rank, "alpha": lora.alpha, "state": state}, path)


def load(path, make):
    """`make` (rank, alpha) gives an empty Lora."""
    data = torch.load(path, weights_only=True)
    lora = make(data["rank"], data["alpha"])
    lora.load_state_dict(data["state"])
    return lora
