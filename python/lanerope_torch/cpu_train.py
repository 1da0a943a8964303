# SPDX-License-Identifier: Apache-2.0
"""Training on a CPU, in turns with other programs: python3 -m lanerope_torch.cpu_train FOLDER SAMPLES.jsonl.gz KIND OUT.

FOLDER holds parts.py's files and train.jsonl. OUT gets adapter.pt, checkpoint.pt (the same command goes on from it), curve.jsonl and
train.json. bf16 products take AMX where the processor has it.
"""

import argparse
import fcntl
import json
import math
import pathlib
import random
import time

import torch

from . import compose, export, train
from .gguf_weights import read_parts
from .mixture import Mixture, draw_group, read_pools
from .model import Decoder, Lora, initial_omega
from .vocabulary import Vocabulary


class Turns:
    """Holds a lock file for at most so many seconds at a time, if one was given."""

    def __init__(self, path, seconds):
        self.file = open(path, "a") if path else None
        self.seconds, self.since = seconds, None

    def take(self):
        if self.file and self.since is None:
            fcntl.flock(self.file, fcntl.LOCK_EX)
            self.since = time.time()

    def over(self):
        return self.since is not None and time.time() - self.since > self.seconds

    def give(self):
        if self.since is not None:
            fcntl.flock(self.file, fcntl.LOCK_UN)
            self.since = None
            time.sleep(1)


def main():
    parser = argparse.ArgumentParser()
    for name in ("folder", "samples", "kind", "out"):
        parser.add_argument(name)
    parser.add_argument("--tokens", type=int, default=120_000)
    parser.add_argument("--step-tokens", type=int, default=1600)
    parser.add_argument("--learning-rate", type=float, default=1.2e-3)
    parser.add_argument("--lock")
    parser.add_argument("--turn", type=float, default=280)
    options = parser.parse_args()
    torch.manual_seed(1)
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    facts, tensors = read_parts(options.folder)
    model = Decoder(facts, tensors, "cpu", torch.bfloat16)
    vocabulary = Vocabulary(facts)
    problems = compose.load_problems(pathlib.Path(options.folder) / "train.jsonl")
    pools = read_pools(options.samples, problems, longest=200)
    mixture = Mixture(
        options.kind, lanes=((1, 0.22), (2, 0.13), (4, 0.65)), sizes=(2, 3, 3, 4, 4, 4), plain=0.12 if options.kind == "lanes" else 0.2, again=0.1, longest=1400
    )
    draw = random.Random(options.kind)
    lora = Lora(facts["config"], 4, 8, initial_omega(facts["config"], "ntk-by-parts", 256), 1)
    matrices = [p for name, p in lora.named_parameters() if name != "omega"]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "rate": options.learning_rate, "weight_decay": 0.01}, {"params": [lora.omega], "rate": 5e-3, "weight_decay": 0.0}],
        lr=1e-3,
        betas=(0.9, 0.95),
    )
    done = {"tokens": 0, "targets": 0, "steps": 0, "groups": 0, "busy": 0.0}
    kept = out / "checkpoint.pt"
    if kept.exists():
        state = torch.load(kept, weights_only=False)
        lora.load_state_dict(state["lora"])
        optimizer.load_state_dict(state["opt"])
        done = state["done"]
        draw.setstate(state["draw"])
    turns = Turns(options.lock, options.turn)
    curve = open(out / "curve.jsonl", "a")
    while done["tokens"] < options.tokens:
        turns.take()
        started = time.time()
        share = done["tokens"] / options.tokens
        rate = min(1, (share + 1e-2) / 0.05) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share)))
        for family in optimizer.param_groups:
            family["lr"] = family["rate"] * rate
        groups = []
        while sum(len(g) for g in groups) < options.step_tokens:
            groups.append(draw_group(mixture, pools, problems, vocabulary, draw))
        count, total = sum(int((g.targets >= 0).sum()) for g in groups), 0.0
        for g in groups:
            batch = train.make_batch([g], model.device, model.dtype, "inclusive", multiple=16)
            loss, _ = train.loss_of(model, lora, batch, lora.fuse_all(model.layers, model.dtype), None)
            (loss / count).backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_([p for p in lora.parameters() if p.grad is not None], 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        done["steps"] += 1
        done["tokens"] += sum(len(g) for g in groups)
        done["targets"] += count
        done["groups"] += len(groups)
        done["busy"] += time.time() - started
        curve.write(json.dumps({"step": done["steps"], "tokens": done["tokens"], "loss": round(total / count, 4), "n": [g.n for g in groups]}) + "\n")
        curve.flush()
        if turns.over() or done["tokens"] >= options.tokens:
            torch.save({"lora": lora.state_dict(), "opt": optimizer.state_dict(), "done": done, "draw": draw.getstate()}, kept)
            export.save(out / "adapter.pt", lora)
            turns.give()
    (out / "train.json").write_text(json.dumps(done))
    print(done)


if __name__ == "__main__":
    main()
