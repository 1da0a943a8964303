# SPDX-License-Identifier: Apache-2.0
"""script/device: a GPU's losses against the CPU's, tokens a second in training, and milliseconds of a step of lanes in transformers."""

import argparse
import contextlib
import dataclasses
import json
import random
import statistics
import sys
import time
import types
from pathlib import Path

import numpy as np
import torch

from . import gpu_trainer, train
from .compose_lanes import Lane
from .model import Decoder, Lora, attend_math, initial_omega

TOLERANCE = 1e-3  # of a loss, relative
LANES = (1, 2, 4, 8, 16, 32)


@dataclasses.dataclass(frozen=True)
class Shapes:
    """What is measured."""

    trained: dict
    rows: int  # of the vocabulary
    groups: int
    batch_tokens: int
    compared_steps: int
    made_traces: int  # of the made task
    step: dict  # of transformers' Qwen2Config
    prompt: int
    budget: int
    lanes: tuple


# 50 M weights; and Qwen2.5-1.5B's shape.
REAL = Shapes(
    trained={"layers": 12, "width": 512, "heads": 8, "kv_heads": 2, "ffn": 1536, "context": 2048, "rope_base": 1e4, "epsilon": 1e-6, "architecture": "qwen2"},
    rows=8192,
    groups=400,
    batch_tokens=4096,
    compared_steps=8,
    made_traces=4000,
    step={
        "num_hidden_layers": 28, "hidden_size": 1536, "num_attention_heads": 12, "num_key_value_heads": 2, "intermediate_size": 8960, "vocab_size": 151936,
        "max_position_embeddings": 32768, "rope_theta": 1e6, "tie_word_embeddings": True,
    },
    prompt=256,
    budget=48,
    lanes=LANES,
)  # fmt: skip
DRY = Shapes(
    trained=REAL.trained | {"layers": 2, "width": 64, "heads": 4, "ffn": 96},
    rows=300,
    groups=12,
    batch_tokens=700,
    compared_steps=3,
    made_traces=200,
    step=REAL.step | {"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 96, "vocab_size": 300},
    prompt=32,
    budget=12,
    lanes=(1, 4),
)


def random_decoder(config, rows, device, dtype):
    draw = np.random.default_rng(1)
    width, ffn = config["width"], config["ffn"]
    kv = config["kv_heads"] * width // config["heads"]

    def tensor(*shape):
        values = draw.standard_normal(shape).astype(np.float32) * shape[-1] ** -0.5 if len(shape) > 1 else np.ones(shape, dtype=np.float32)
        return values.reshape(-1).view(np.uint8), "F32", shape

    matrices = {"attn_q": (width, width), "attn_k": (kv, width), "attn_v": (kv, width), "attn_output": (width, width), "ffn_gate": (ffn, width),
                "ffn_up": (ffn, width), "ffn_down": (width, ffn)}  # fmt: skip
    tensors = {"token_embd.weight": tensor(rows, width), "output_norm.weight": tensor(width)}
    for layer in range(config["layers"]):
        tensors |= {f"blk.{layer}.{name}.weight": tensor(*shape) for name, shape in matrices.items()}
        tensors |= {f"blk.{layer}.{name}.weight": tensor(width) for name in ("attn_norm", "ffn_norm")}
    return Decoder({"config": config}, tensors, device, dtype)


def some_groups(shapes):
    """Groups of four lanes, and some of one."""
    draw = random.Random(2)
    tokens = lambda n: [draw.randrange(shapes.rows) for _ in range(n)]  # noqa: E731
    lane = lambda n: Lane(tokens(n), [True] * n)  # noqa: E731
    length = shapes.batch_tokens // 16
    return [train.to_rows(tokens(length // 4), [lane(draw.randint(length // 2, length)) for _ in range(1 if i % 4 == 0 else 4)]) for i in range(shapes.groups)]


def losses_of(shapes, groups, device):
    """Of the first steps, f32, each with the adapter that the steps before it left."""
    model = random_decoder(shapes.trained, shapes.rows, device, torch.float32)
    lora = Lora(shapes.trained, 4, 8, initial_omega(shapes.trained, "ntk-by-parts", 256))
    found = []
    lines = types.SimpleNamespace(write=lambda line: found.append(json.loads(line)["loss"]), flush=lambda: None)
    # train() writes a line for each step, at the first step and every twentieth: so one call a step, over the same groups.
    options = train.TrainOptions(tokens=1, batch_tokens=shapes.batch_tokens, accumulate=1, warmup=1e-3)  # at the full rate
    for step in range(shapes.compared_steps):
        with contextlib.redirect_stdout(None):
            train.train(model, lora, groups, options, random.Random(step), curve=lines, attend=attend_math)
    return found


def compare_losses(name, losses_on, device, say):
    """Whether the losses that losses_on(device) gives agree with the CPU's."""
    here, there = losses_on("cpu"), losses_on(device)
    gap = max(abs(a - b) / a for a, b in zip(here, there, strict=True))
    say({name: {"cpu": here, str(device): there, "largest_relative_gap": gap, "right": gap < TOLERANCE}})
    return gap < TOLERANCE


def compare_torch(shapes, device, say):
    groups = some_groups(shapes)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return compare_losses("losses", lambda where: losses_of(shapes, groups, where), device, say)


def measure_trainer(programs, shapes, device, say):
    """The trainer in C++: whether its losses agree, and its tokens a second."""
    with gpu_trainer.Trainer(programs, shapes) as trainer:
        right = compare_losses("trainer_losses", trainer.losses, device, say)
        for kind in ("f32", "bf16"):
            say({"trainer": {"type": kind, "tokens_a_second": trainer.speed(device, kind)}})
    return right


def training_speed(shapes, device, say):
    groups = some_groups(shapes)
    for dtype in (torch.float32, torch.bfloat16):
        model = random_decoder(shapes.trained, shapes.rows, device, dtype)
        lora = Lora(shapes.trained, 4, 8, initial_omega(shapes.trained, "ntk-by-parts", 256))
        attend = attend_math if dtype == torch.float32 or device.type == "cpu" else None
        options = train.TrainOptions(batch_tokens=shapes.batch_tokens * 4, accumulate=1, tokens=shapes.batch_tokens * 4)
        train.train(model, lora, groups, options, random.Random(1), attend=attend)  # what is compiled and allocated once
        options.tokens = shapes.batch_tokens * (4 if device.type == "cpu" else 200)
        options.deadline = time.time() + 30
        done = train.train(model, lora, groups, options, random.Random(2), attend=attend)
        name = str(dtype).removeprefix("torch.")
        say({"training": {"type": name, "tokens_a_second": round(done["tokens"] / done["seconds"]), "tokens": done["tokens"], "seconds": round(done["seconds"], 2)}})


def lanes_of_transformers():
    """lanerope.hf without the engine, which need not be built here."""
    package = types.ModuleType("lanerope")
    package.__path__ = [str(Path(__file__).resolve().parents[1] / "lanerope")]
    engine = types.ModuleType("lanerope._model")
    engine.Model = type("Model", (), {})
    sys.modules |= {"lanerope": package, "lanerope._model": engine}
    import lanerope.hf

    return lanerope.hf


def step_times(shapes, device, say, left):
    try:
        hf = lanes_of_transformers()
    except ModuleNotFoundError as error:
        say({"steps": {"left_out": str(error)}})
        return
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(1)
    with torch.device(device):
        model = Qwen2ForCausalLM(Qwen2Config(**shapes.step)).to(torch.bfloat16 if device.type == "cuda" else torch.float32).eval()
    prompt = [i % shapes.step["vocab_size"] for i in range(7, 7 + shapes.prompt)]
    short = shapes.budget // 4

    def seconds(lanes, budget):
        begun = time.perf_counter()
        hf.generate(model, prompt, lanes=lanes, budget=budget, end=[])
        return time.perf_counter() - begun  # every token is drawn on the CPU, which waits for the device

    for lanes in shapes.lanes:
        if left() < 45:
            say({"steps": {"left_out": f"{lanes} lanes and more: the time is over"}})
            return
        took = {"lanerope": [], "independent": []}
        for repeat in range(4):
            for coupling in took:
                hf.attach(model, coupling=coupling, lanes=lanes, learn=False)
                one = (seconds(lanes, shapes.budget) - seconds(lanes, short)) / (shapes.budget - short)
                if repeat > 0:
                    took[coupling].append(1000 * one)
        joint, alone = (statistics.median(took[coupling]) for coupling in took)
        say({"steps": {"lanes": lanes, "lanerope_ms": round(joint, 3), "independent_ms": round(alone, 3), "ratio": round(joint / alone, 3)}})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dry", action="store_true", help="on the CPU, with small shapes")
    parser.add_argument("--seconds", type=float, default=570, help="when to be done (default: 570)")
    parser.add_argument("--trainer", metavar="FOLDER", help="of lanerope-train and lanerope-toy, built against this machine's PyTorch: theirs too")
    parser.add_argument("--out", help="file for the lines, too")
    given = parser.parse_args()
    if not given.dry and not torch.cuda.is_available():
        sys.exit("error: PyTorch finds no NVIDIA GPU here; --dry tries everything on the CPU")
    try:
        programs = gpu_trainer.find(given.trainer) if given.trainer else None
    except FileNotFoundError as error:
        sys.exit(f"error: {error}")
    begun = time.monotonic()
    device, shapes = (torch.device("cpu"), DRY) if given.dry else (torch.device("cuda"), REAL)
    out = open(given.out, "w") if given.out else None

    def say(what):
        line = json.dumps(what | {"at": round(time.monotonic() - begun, 1)})
        print(line, flush=True)
        if out:
            out.write(line + "\n")
            out.flush()

    say({"machine": {"torch": torch.__version__, "device": "cpu" if given.dry else torch.cuda.get_device_name()}})
    right = compare_torch(shapes, device, say)
    if programs:
        right = measure_trainer(programs, shapes, device, say) and right
    training_speed(shapes, device, say)
    step_times(shapes, device, say, lambda: given.seconds - (time.monotonic() - begun))
    sys.exit(0 if right else "error: the losses differ from the CPU's by more than a thousandth")


if __name__ == "__main__":
    main()
