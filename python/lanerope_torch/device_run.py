# SPDX-License-Identifier: Apache-2.0
"""The evidence run on one GPU: python3 -m lanerope_torch.device_run FOLDER OUT PHASES [--tiny]; docs/results-real.md.

FOLDER holds parts.py's files. Phases, each from files that earlier ones left in FOLDER: check, sample, lanes, control, compare,
untrained. OUT gets five files, each below 16 MiB, written anew after every phase.
"""

import argparse
import dataclasses
import gzip
import json
import multiprocessing
import pathlib
import random
import shutil
import sys
import tarfile
import time

import torch

from . import compose, compose_lanes, device_check, device_compare, export, generate, judge, mixture, train
from .evaluate import mean
from .gguf_weights import read_parts
from .model import Decoder, Lora, initial_omega
from .sleep import SleepTokens
from .vocabulary import Vocabulary

START = time.time()
LIMIT = 16 * 1024 * 1024


class Work:
    """What all phases share: the model, the problems, the clock, files."""

    stride = 256
    lora_shape = (4, 8)  # rank, alpha

    def __init__(self, options):
        self.folder, self.out, self.tiny = pathlib.Path(options.folder), pathlib.Path(options.out), options.tiny
        self.results = self.folder / "results"
        self.results.mkdir(exist_ok=True)
        self.out.mkdir(parents=True, exist_ok=True)
        self.log = open(self.results / "log.txt", "a")
        self.visibility, self.questions, self.train_seconds = options.visibility, options.questions, options.train_seconds
        self.end_time, self.compare_end = START + options.seconds, START + options.compare_seconds
        self.cuda = torch.cuda.is_available()
        facts, tensors = read_parts(self.folder)
        self.vocabulary, self.config = Vocabulary(facts), facts["config"]
        self.sleep = SleepTokens(*(self.vocabulary.encode(text)[0] for text in (compose_lanes.WAIT, compose_lanes.READY)))
        self.problems = {name: compose.load_problems(self.folder / f"{name}.jsonl") for name in ("train", "test")}
        if self.cuda:
            torch.backends.cuda.enable_cudnn_sdp(False)  # it plans anew for each shape
            self.model = Decoder(facts, tensors, "cuda", torch.bfloat16)
            self.cells = int((torch.cuda.get_device_properties(0).total_memory - 30e9) / 12288 * 0.8)
        else:
            self.model = Decoder(facts, tensors, "cpu", torch.float32)
            self.cells = 200_000
        self.say("model ready", torch.cuda.get_device_name(0) if self.cuda else "cpu", "rows", len(self.vocabulary.rows), "cells", self.cells)

    def say(self, *words):
        line = " ".join(str(w) for w in (f"[{time.time() - START:6.1f}]", *words))
        print(line, flush=True)
        self.log.write(line + "\n")
        self.log.flush()

    def texts(self, results):
        """[groups] of [(text, length, ended)]; the tag is no part of the text. A group that was not sampled is None."""
        end = self.vocabulary.end
        flat = [(lane.rows, len(tag)) for lanes, tags in results if lanes is not None for lane, tag in zip(lanes, tags)]
        decoded = iter(self.vocabulary.decode_all([[t for t in lane[skip:] if t != end] for lane, skip in flat]))
        lengths = iter((len(lane), bool(lane) and lane[-1] == end) for lane, _ in flat)
        return [None if lanes is None else [(next(decoded), *next(lengths)) for _ in lanes] for lanes, _ in results]

    def sample(self, groups, sampling, pairs=None, deadline=None):
        sampling = dataclasses.replace(sampling, cells=self.cells, sleep=self.sleep, deadline=min(deadline or self.end_time, self.end_time))
        results = generate.generate(self.model, groups, sampling, self.vocabulary.end, pairs)
        return self.texts([(lanes, g.tags) for lanes, g in zip(results, groups)])

    def judge(self, records):
        return judge.judge(str(self.folder / "judge"), records, 16 if self.cuda else 2)

    def write_lines(self, name, records):
        with gzip.open(self.results / name, "wt", compresslevel=5) as f:
            for r in records:
                f.write(json.dumps(r, separators=(",", ":")) + "\n")

    def write(self, name, data):
        (self.results / name).write_text(json.dumps(data, indent=1))

    def pairs(self, lora):
        return [{p: (a.detach(), b.detach()) for p, (a, b) in x.items()} for x in lora.fuse_all(self.model.layers, self.model.dtype)]

    def load(self, name):
        zero = torch.zeros(self.model.head // 2)
        return export.load(self.folder / f"{name}.pt", lambda rank, alpha: Lora(self.config, rank, alpha, zero)).to(self.model.device)

    def pack(self):
        """All that is to come back, in few files; says so where one is too large to."""
        with tarfile.open(self.out / "results.tgz", "w:gz") as tar:
            tar.add(self.results, "results")
        for name in ("samples-train.jsonl", "samples-test.jsonl"):
            target = self.out / f"{name}.gz"
            if (self.folder / name).exists() and not target.exists():
                with open(self.folder / name, "rb") as source, gzip.open(target, "wb", compresslevel=6) as out:
                    shutil.copyfileobj(source, out)
        for name in ("lanes", "control"):
            if (self.folder / f"{name}.pt").exists():
                export.save(self.out / f"{name}.pt", self.load(name), torch.float16)
        for file in self.out.iterdir():
            if file.stat().st_size > LIMIT:
                self.say("TOO LARGE to come back:", file.name, file.stat().st_size)


def sample(work):
    """Eight samples of every test problem and six of every train problem, of the untouched model, on the plain question."""
    summary = {}
    for name, times in {"test": 8, "train": 6}.items() if not work.tiny else {"test": 2, "train": 2}.items():
        problems = work.problems[name][: 12 if work.tiny else None]
        deadline = work.end_time if name == "test" else min(work.end_time, time.time() + 130)
        started = time.time()
        prompts = [work.vocabulary.prompt(p["question"]) for p in problems]
        numbers, texts = [], []
        for i in range(times):  # round by round, so that a deadline takes samples from all problems alike
            if time.time() > deadline - 15:
                break
            numbers += range(len(problems))
            texts += work.sample([generate.Group(p, [[]]) for p in prompts], generate.Sampling(budget=24 if work.tiny else 384, seed=11 + i), deadline=deadline)
        seconds = time.time() - started
        records = [(ended, text, problems[i]["answer"]) for i, t in zip(numbers, texts) if t for text, _, ended in t]
        verdicts = iter(work.judge(records))
        kept = []
        for i, t in zip(numbers, texts):
            if t:
                (text, length, ended), (right, answer) = t[0], next(verdicts)
                kept.append({"p": i, "text": text, "length": length, "ended": ended, "right": right, "answer": answer})
        by = {}
        for r in kept:
            by.setdefault(r["p"], []).append(r["right"])
        reach = sorted(i for i, r in by.items() if sum(r) * 2 >= len(r))
        summary[name] = {
            "samples": len(kept),
            "tokens": sum(r["length"] for r in kept),
            "seconds": round(seconds, 1),
            "pass@1": mean([r["right"] for r in kept]),
            "ended": mean([r["ended"] for r in kept]),
            "mean_length": mean([r["length"] for r in kept]),
            "in_reach": len(reach),
            "solved": sum(any(r) for r in by.values()),
            "problems": len(by),
        }
        work.say("sampled", name, summary[name])
        with open(work.folder / f"samples-{name}.jsonl", "w") as f:
            f.writelines(json.dumps(r) + "\n" for r in kept)
        (work.folder / f"reach-{name}.json").write_text(json.dumps(reach))
        work.write(f"reach-{name}.json", reach)
    # The frozen sets: from all test problems, and from those in reach; nothing has been trained yet.
    problems = work.problems["test"]
    count, reach = (4, range(12)) if work.tiny else (300, json.loads((work.folder / "reach-test.json").read_text()))
    sets = compose.test_sets(problems, range(len(problems)), 1, "compose", count=count)
    sets += compose.test_sets(problems, reach, 2, "reach", count=count)
    (work.folder / "sets.json").write_text(json.dumps(sets))
    summary["digests"] = {s: compose.digest([g for g in sets if g["set"] == s]) for s in sorted({g["set"] for g in sets})}
    work.write("sample.json", summary)


STATE = {}


def _draw(job):
    """Groups as rows, by a process of its own."""
    seed, count, kind = job
    draw = random.Random(seed)
    rows = (mixture.draw_group(kind, STATE["pools"], STATE["problems"], STATE["vocabulary"], draw) for _ in range(count))
    return [(r.ids, r.lanes, r.steps, r.targets, r.prompt, r.n) for r in rows]


def draw_groups(work, kind, count):
    problems = work.problems["train"]
    if work.tiny:  # a random model solves nothing: gold solutions
        pools = {i: ([compose_lanes.Solution("It is so.", problems[i]["answer"], True)], [compose_lanes.Solution("No.", "7", False)]) for i in range(30)}
    else:
        pools = mixture.read_pools(work.folder / "samples-train.jsonl", problems)
    work.say("problems to train on", len(pools), "right samples", sum(len(r) for r, _ in pools.values()))
    STATE.update(vocabulary=work.vocabulary, problems=problems, pools=pools)
    workers = 15 if work.cuda else 2
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        jobs = [(f"{kind} {i}", count // workers, mixture.Mixture(kind)) for i in range(workers)]
        groups = [train.Rows(*g) for part in pool.map(_draw, jobs, chunksize=1) for g in part]
    work.say("groups", kind, len(groups), "tokens", sum(len(g) for g in groups))
    return groups


def fit(work, kind):
    """Trains one adapter: the lanes for as many tokens as their seconds allow, the control for as many tokens."""
    groups = draw_groups(work, kind, 30 if work.tiny else 13000)
    new = lambda: Lora(work.config, *work.lora_shape, initial_omega(work.config, "ntk-by-parts", work.stride), 1)  # noqa: E731
    options = train.TrainOptions(visibility=work.visibility, deadline=work.end_time)
    if work.tiny:
        options = dataclasses.replace(options, batch_tokens=4096 if work.cuda else 1500, accumulate=1, tokens=60000 if work.cuda else 3000)
    elif kind == "control":
        options.tokens = json.loads((work.folder / "train-lanes.json").read_text())["tokens"]
    else:
        # How many tokens fit is measured first, with an adapter that is thrown away.
        trial = train.train(work.model, new(), groups[:600], dataclasses.replace(options, tokens=400_000), random.Random(5))
        options.tokens = int(trial["tokens"] / trial["seconds"] * work.train_seconds)
    lora = new()
    with open(work.results / f"curve-{kind}.jsonl", "w") as curve:
        done = train.train(work.model, lora, groups, options, random.Random(1), curve)
    export.save(work.folder / f"{kind}.pt", lora)
    done["options"] = {k: v for k, v in dataclasses.asdict(options).items() if k != "deadline"}
    (work.folder / f"train-{kind}.json").write_text(json.dumps(done))
    work.write(f"train-{kind}.json", done)
    work.say("trained", kind, done)
    if work.cuda:
        torch.cuda.empty_cache()


PHASES = {
    "check": device_check.check,
    "sample": sample,
    "lanes": lambda work: fit(work, "lanes"),
    "control": lambda work: fit(work, "control"),
    "compare": device_compare.compare,
    "untrained": device_compare.untrained,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("phases", nargs="+", choices=PHASES)
    parser.add_argument("--tiny", action="store_true", help="all phases in a minute, to see that they run")
    parser.add_argument("--seconds", type=float, default=560, help="when to stop, from the start of the program")
    parser.add_argument("--compare-seconds", type=float, default=560, help="when to stop comparing, likewise")
    parser.add_argument("--train-seconds", type=float, default=150, help="for the lanes' adapter; the control gets as many tokens")
    parser.add_argument("--visibility", default="inclusive")
    parser.add_argument("--questions", type=int, default=200, help="of phase untrained")
    options = parser.parse_args()
    work = Work(options)
    for phase in options.phases:
        work.say("phase", phase)
        try:
            PHASES[phase](work)
        finally:
            work.pack()
    work.say("done", sys.argv[1:])


if __name__ == "__main__":
    main()
