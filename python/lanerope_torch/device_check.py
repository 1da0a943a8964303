# SPDX-License-Identifier: Apache-2.0
"""A GPU's fused attention against plain products: where it is wrong, the other phases do without."""

import torch

from . import compose_lanes, generate, train
from .model import attend_math, initial_omega


def check(work):
    found = {"sampling": True, "training": True}  # whether the fused attention is used there
    if work.cuda:
        gaps = decoding(work) | training(work)
        found = {"sampling": gaps["output"] < 0.1 and gaps["log-sum-exp"] < 0.1, "training": gaps["logits"] < 0.5, "gaps": gaps}
    work.say(found)
    work.write("check.json", found)


def decoding(work):
    """The largest gaps on lanes of each visibility, prompts of several lengths."""
    omega = initial_omega(work.config, "ntk-by-parts", work.stride).float()[None]
    groups = []
    for i in range(6):
        prompt = work.vocabulary.prompt(work.problems["train"][i]["question"])[: 40 * i + 60]
        groups.append(generate.Group(prompt, work.vocabulary.tags(4), i % 3 != 2, ("inclusive", "strict", "interleaved")[i % 3], omega))
    gaps = {"output": 0.0, "log-sum-exp": 0.0}

    def both(q, k, v, bias, scale):
        a, la = generate.part_cuda(q, k, v, bias, scale)
        b, lb = generate.part_math(q, k, v, bias, scale)
        there = lb.isfinite()  # queries of lanes that are not fed may see nothing
        found = {"output": ((a - b).abs() / (1 + b.abs()))[there], "log-sum-exp": (la - lb)[there].abs()}
        for name, gap in found.items():
            gaps[name] = max(gaps[name], float(gap.nan_to_num(nan=1e9).max()))
        return a, la

    work.sample(groups, generate.Sampling(budget=24, temperature=0), parts=both)
    return gaps


def training(work):
    """The mean gap of logits behind the lanes of one batch."""
    m = work.model
    omega = initial_omega(work.config, "ntk-by-parts", work.stride).float().to(m.device).expand(m.layers, -1)
    body = work.vocabulary.encode(work.problems["train"][0]["question"])
    rows = []
    for n in (4, 2):
        texts = [tag + body[: 20 + 5 * j] for j, tag in enumerate(work.vocabulary.tags(n))]
        rows.append(train.to_rows(work.vocabulary.prompt("How many?"), [compose_lanes.Lane(t, [True] * len(t)) for t in texts]))
    batch = train.make_batch(rows, m.device, m.dtype)
    with torch.no_grad():
        a, b = (m.logits(m.hidden(batch, None, omega, attend=attend)).float() for attend in (train.attend_cuda, attend_math))
    return {"logits": float((a - b)[batch["targets"] >= 0].abs().mean())}
