# SPDX-License-Identifier: Apache-2.0
"""The lanes' adapter and the fair control: one lane, the same problems and texts, as many tokens."""

import dataclasses
import multiprocessing
import random

import torch

from . import compose_lanes, mixture, train
from .model import Lora, attend_math, initial_omega

SECONDS = 130  # of the lanes' training; the control needs fewer for as many tokens
STATE = {}


def _draw(job):
    """Groups as rows, by a process of its own."""
    seed, count, kind = job
    draw = random.Random(seed)
    rows = (mixture.draw_group(kind, STATE["pools"], STATE["problems"], STATE["vocabulary"], draw) for _ in range(count))
    return [(r.ids, r.lanes, r.steps, r.targets, r.prompt, r.n) for r in rows]


def draw_groups(work, kind, count):
    problems = work.problems["train"]
    if work.tiny:  # a random model solves nothing: texts that are made up
        solution = lambda text, right: compose_lanes.Solution(text, "7", right)  # noqa: E731
        pools = {i: ([solution("It is so.", True)], [solution("No.", False)]) for i in range(min(30, len(problems)))}
    else:
        pools = mixture.read_pools(sorted(work.back.glob("samples-train.*.jsonl.gz")), problems)
    work.say("problems to train on", len(pools), "right samples", sum(len(r) for r, _ in pools.values()))
    STATE.update(vocabulary=work.vocabulary, problems=problems, pools=pools)
    workers = 15 if work.cuda else 2
    jobs = [(f"{kind} {i}", count // workers, mixture.Mixture(kind)) for i in range(workers)]
    if work.failures:  # slower, and nothing that can hang
        parts = map(_draw, jobs)
    else:
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            parts = pool.map(_draw, jobs, chunksize=1)
    groups = [train.Rows(*g) for part in parts for g in part]
    work.say("groups", kind, len(groups), "tokens", sum(len(g) for g in groups))
    return groups


def fit(work, kind):
    """Trains one adapter: the lanes for as many tokens as SECONDS allow, the control for as many tokens."""
    groups = draw_groups(work, kind, 30 if work.tiny else 9000)
    new = lambda: Lora(work.config, *work.lora_shape, initial_omega(work.config, "ntk-by-parts", work.stride), 1)  # noqa: E731
    smaller = 2**work.failures  # a batch that did not fit is made of more, smaller ones
    options = train.TrainOptions(deadline=work.end, batch_tokens=16384 // smaller, accumulate=smaller)
    attend = None if work.fused("training") else attend_math
    if work.tiny:
        options = dataclasses.replace(options, batch_tokens=1500, accumulate=1, tokens=3000)
    elif kind == "control":
        options.tokens = work.read("train-lanes.json")["tokens"]
    else:
        # How many tokens fit is measured first, with an adapter that is thrown away.
        trial = train.train(work.model, new(), groups[:600], dataclasses.replace(options, tokens=400_000), random.Random(5), attend=attend)
        options.tokens = int(trial["tokens"] / trial["seconds"] * min(SECONDS, work.left() - 10))
    lora = new()
    with open(work.back / f"curve-{kind}.jsonl", "w") as curve:
        done = train.train(work.model, lora, groups, options, random.Random(1), curve, attend)
    done["whole"] = done["tokens"] >= options.tokens
    done["options"] = {k: v for k, v in dataclasses.asdict(options).items() if k != "deadline"}
    if work.cuda:
        done["memory"] = torch.cuda.max_memory_allocated() / 1e9
    work.save_adapter(kind, lora)
    work.write(f"train-{kind}.json", done)
    work.say("trained", kind, done)
