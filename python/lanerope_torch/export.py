# SPDX-License-Identifier: Apache-2.0
"""The adapter as a LoRA GGUF that llama.cpp and lanerope load (docs/training.md; src/arch/lane_keys.cpp has the keys).

  python3 -m lanerope_torch.export lanes.pt MODEL.gguf OUT.gguf [--one-lane] [--name NAME]
"""

import argparse

import numpy as np
import torch

from .compose_lanes import READY, WAIT
from .model import TARGETS, Lora, to_halves


def write_adapter(path, lora, config, *, name, tag, lanes, stride, visibility="inclusive", wait=WAIT, ready=READY, kind=np.float16):
    """`lanes` [numbers that it was trained with]; none where it knows nothing of lanes. An empty `wait`: they never sleep."""
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
        if wait:
            writer.add_string("lanerope.wait", wait)
            writer.add_string("lanerope.ready", ready)
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


def main():
    from gguf import GGUFReader

    from .gguf_weights import read_facts
    from .mixture import Mixture

    parser = argparse.ArgumentParser()
    for name in ("adapter", "model", "out"):
        parser.add_argument(name)
    parser.add_argument("--one-lane", action="store_true", help="of the control: no word of lanes in it")
    parser.add_argument("--stride", type=int, default=256, help="that it was trained with")
    parser.add_argument("--name", default="lanes")
    options = parser.parse_args()
    config = read_facts(GGUFReader(options.model))["config"]
    zero = torch.zeros(config["width"] // config["heads"] // 2)
    lora = load(options.adapter, lambda rank, alpha: Lora(config, rank, alpha, zero))
    lanes = [] if options.one_lane else [n for n, _ in Mixture().lanes]
    write_adapter(options.out, lora, config, name=options.name, tag="<lane{k}>", lanes=lanes, stride=options.stride)


if __name__ == "__main__":
    main()
