# SPDX-License-Identifier: Apache-2.0
"""A GPU's attention against plain products, and how fast it trains."""

import dataclasses
import random

import numpy as np
import torch

from . import compose_lanes, generate, train
from .model import Lora, attend_math, initial_omega


def check(work):
    """The fused attention of this device against plain products, on a few sampled lanes and one training batch."""
    m = work.model
    omega = initial_omega(m.config, "ntk-by-parts", work.stride).float()[None]
    groups = []
    for i in range(6):
        n_shown = 40 * i + 60
        groups.append(generate.Group(work.vocabulary.prompt(work.problems["train"][i]["question"])[:n_shown], work.vocabulary.tags(4), i % 3 != 2, ("inclusive", "strict", "interleaved")[i % 3], omega))
    gaps = []
    exact = generate.part_math

    def both(q, k, v, bias, scale):
        a, la = generate.part_cuda(q, k, v, bias, scale)
        b, lb = exact(q, k, v, bias, scale)
        gaps.append((float(((a - b).abs() / (1 + b.abs())).max()), float((la - lb).abs().max())))
        return a, la

    generate.generate(m, groups, generate.Sampling(budget=24, temperature=0), work.vocabulary.end, None, both)
    work.say("decode attention, largest gaps (output, lse)", np.max(gaps, 0))
    assert np.max(gaps) < 0.1, "the fused attention is wrong"
    for visibility in ("inclusive", "interleaved"):
        rows = []
        for n in (4, 2):
            body = work.vocabulary.encode(work.problems["train"][0]["question"])
            lanes = [compose_lanes.Lane(t + body[: 20 + 5 * j], [True] * (len(t) + len(body[: 20 + 5 * j]))) for j, t in enumerate(work.vocabulary.tags(n))]
            rows.append(train.to_rows(work.vocabulary.prompt("How many?"), lanes))
        batch = train.make_batch(rows, m.device, m.dtype, visibility)
        with torch.no_grad():
            deep = omega.to(m.device).expand(m.layers, -1)
            a = m.logits(m.hidden(batch, None, deep, attend=train.attend_cuda)).float()
            b = m.logits(m.hidden(batch, None, deep, attend=attend_math)).float()
        kept = batch["targets"] >= 0
        work.say("training attention", visibility, "mean gap of logits", float((a - b)[kept].abs().mean()))
    times = {}
    for visibility, n in (("inclusive", 4), ("interleaved", 4), ("causal", 1)):
        lora = Lora(work.config, *work.lora_shape, omega[0], 1)
        body = work.vocabulary.encode(work.problems["train"][1]["question"]) * 8
        lanes = [compose_lanes.Lane(t + body[:300], [True] * (len(t) + 300)) for t in work.vocabulary.tags(4)][:n]
        group = train.to_rows(work.vocabulary.prompt(work.problems["train"][1]["question"]), lanes)
        options = train.TrainOptions(tokens=len(group) * (16384 // len(group)) * 12, visibility=visibility, accumulate=1)
        train.train(m, lora, [group] * 64, dataclasses.replace(options, tokens=options.tokens // 6), random.Random(1))
        done = train.train(m, lora, [group] * 64, options, random.Random(1))
        times[visibility] = done["tokens"] / done["seconds"]
        work.say("training", visibility, f"{times[visibility]:.0f} tokens/s, memory {torch.cuda.max_memory_allocated() / 1e9:.1f} GB")
    work.write("speed.json", times)
