# SPDX-License-Identifier: Apache-2.0
"""The evidence run on one GPU: python3 -m lanerope_torch.device_run FOLDER OUT PHASES [--tiny]; docs/results-real.md.

FOLDER holds write_parts' files, judge, train.jsonl and test.jsonl. Phases, each from files that earlier ones left in FOLDER:
check (the device's attention against plain products), sample, traces, lanes, control, compare, untrained.
"""

import argparse
import dataclasses
import gzip
import json
import multiprocessing
import pathlib
import random
import re
import time

import numpy as np
import torch

from . import compose, export, generate, judge, train
from .evaluate import group_scores, handover, mean, record
from .gguf_weights import read_parts
from .model import Decoder, Lora, attend_math, initial_omega
from .tokenizer import LaneTokenizer

TAG = "<lane{k}>"
STRIDE = 256
RANK, ALPHA = 4, 8
LANE_MIX = {1: 0.15, 2: 0.2, 4: 0.4, 8: 0.25}


def budget_of(n, k):
    """Ample: room for the longest solutions that are trained on, headings and the final list."""
    rounds = -(-k // n)
    return 128 + (280 if rounds > 2 else 330) * rounds


def say(*words):
    print(f"[{time.time() - START:6.1f}]", *words, flush=True)


class Work:
    """What all phases share: the model, its rows, files."""

    def __init__(self, folder, out, tiny, limit):
        self.folder, self.out, self.tiny = pathlib.Path(folder), pathlib.Path(out), tiny
        self.end_time = START + limit
        self.cuda = torch.cuda.is_available()
        facts, tensors = read_parts(folder)
        self.rows = np.array(facts["rows"])
        self.row_of = {int(r): i for i, r in enumerate(self.rows)}
        self.tokenizer = LaneTokenizer.from_dict(facts["vocabulary"])
        self.end = self.row_of[self.tokenizer.end]
        self.config = facts["config"]
        say("files read")
        self.problems = {name: compose.load_problems(self.folder / f"{name}.jsonl") for name in ("train", "test")}
        if self.cuda:
            torch.backends.cuda.enable_cudnn_sdp(False)  # it plans anew for each shape
            self.model = Decoder(facts, tensors, "cuda", torch.bfloat16)
            self.cells = int((torch.cuda.get_device_properties(0).total_memory - 22e9) / 12288 * 0.8)
        else:
            self.model = Decoder(facts, tensors, "cpu", torch.float32)
            self.cells = 200_000
        say("model ready", torch.cuda.get_device_name(0) if self.cuda else "cpu", "rows", len(self.rows), "cells", self.cells)

    def encode(self, text):
        return [self.row_of[i] for i in self.tokenizer.encode(text)]

    def fits(self, text):
        return all(i in self.row_of for i in self.tokenizer.encode(text))

    def prompt(self, question):
        return [self.row_of[i] for i in self.tokenizer.prompt(question)]

    def tags(self, n):
        return [self.encode(TAG.format(k=m + 1)) for m in range(n)] if n > 1 else [[]]

    def texts(self, results):
        """[groups] of [(text, length, ended)]; the tag is no part of the text. A group that was not sampled is None."""
        flat = [(lane, len(tag)) for lanes, tags in results if lanes is not None for lane, tag in zip(lanes, tags)]
        bodies = [self.rows[[t for t in lane[skip:] if t != self.end]].tolist() if len(lane) > skip else [] for lane, skip in flat]
        decoded = iter(self.tokenizer.inner.decode_batch(bodies, skip_special_tokens=False))
        lengths = iter((len(lane), bool(lane) and lane[-1] == self.end) for lane, _ in flat)
        return [None if lanes is None else [(next(decoded), *next(lengths)) for _ in lanes] for lanes, _ in results]

    def sample(self, groups, sampling, pairs=None, deadline=None):
        sampling = dataclasses.replace(sampling, cells=self.cells, deadline=min(deadline or self.end_time, self.end_time))
        results = generate.generate(self.model, groups, sampling, self.end, pairs)
        return self.texts([(lanes, g.tags) for lanes, g in zip(results, groups)])

    def judge(self, records):
        return judge.judge(str(self.folder / "judge"), records, 16 if self.cuda else 2)

    def write_lines(self, name, records):
        with gzip.open(self.out / name, "wt", compresslevel=5) as f:
            for r in records:
                f.write(json.dumps(r, separators=(",", ":")) + "\n")

    def write(self, name, data):
        (self.out / name).write_text(json.dumps(data, indent=1))

    def pairs(self, lora):
        return None if lora is None else [{p: (a.detach(), b.detach()) for p, (a, b) in x.items()} for x in lora.fuse_all(self.model.layers, self.model.dtype)]

    def load(self, name):
        zero = torch.zeros(self.model.head // 2)
        lora = export.load(self.folder / f"{name}.pt", lambda rank, alpha: Lora(self.config, rank, alpha, zero))
        return lora.to(self.model.device)


def check(work):
    """The fused attention of this device against plain products, on a few sampled lanes and one training batch."""
    m = work.model
    omega = initial_omega(m.config, "ntk-by-parts", STRIDE).float()[None]
    groups = []
    for i in range(6):
        n_shown = 40 * i + 60
        groups.append(generate.Group(work.prompt(work.problems["train"][i]["question"])[:n_shown], work.tags(4), i % 3 != 2, ("inclusive", "strict", "interleaved")[i % 3], omega))
    gaps = []
    exact = generate.part_math

    def both(q, k, v, bias, scale):
        a, la = generate.part_cuda(q, k, v, bias, scale)
        b, lb = exact(q, k, v, bias, scale)
        gaps.append((float(((a - b).abs() / (1 + b.abs())).max()), float((la - lb).abs().max())))
        return a, la

    generate.generate(m, groups, generate.Sampling(budget=24, temperature=0), work.end, None, both)
    say("decode attention, largest gaps (output, lse)", np.max(gaps, 0))
    assert np.max(gaps) < 0.1, "the fused attention is wrong"
    for visibility in ("inclusive", "interleaved"):
        rows = []
        for n in (4, 2):
            body = work.encode(work.problems["train"][0]["question"])
            lanes = [compose.Lane(t + body[: 20 + 5 * j], [True] * (len(t) + len(body[: 20 + 5 * j]))) for j, t in enumerate(work.tags(n))]
            rows.append(train.to_rows(work.prompt("How many?"), lanes))
        batch = train.make_batch(rows, m.device, m.dtype, visibility)
        with torch.no_grad():
            deep = omega.to(m.device).expand(m.layers, -1)
            a = m.logits(m.hidden(batch, None, deep, attend=train.attend_cuda)).float()
            b = m.logits(m.hidden(batch, None, deep, attend=attend_math)).float()
        kept = batch["targets"] >= 0
        say("training attention", visibility, "mean gap of logits", float((a - b)[kept].abs().mean()))
    times = {}
    for visibility, n in (("inclusive", 4), ("interleaved", 4), ("causal", 1)):
        lora = Lora(work.config, RANK, ALPHA, omega[0], 1)
        body = work.encode(work.problems["train"][1]["question"]) * 8
        lanes = [compose.Lane(t + body[:300], [True] * (len(t) + 300)) for t in work.tags(4)][:n]
        group = train.to_rows(work.prompt(work.problems["train"][1]["question"]), lanes)
        options = train.TrainOptions(tokens=len(group) * (16384 // len(group)) * 12, visibility=visibility, accumulate=1)
        train.train(m, lora, [group] * 64, dataclasses.replace(options, tokens=options.tokens // 6), random.Random(1))
        done = train.train(m, lora, [group] * 64, options, random.Random(1))
        times[visibility] = done["tokens"] / done["seconds"]
        say("training", visibility, f"{times[visibility]:.0f} tokens/s, memory {torch.cuda.max_memory_allocated() / 1e9:.1f} GB")
    work.write("speed.json", times)


def sample(work):
    """Eight samples of every test problem and six of every train problem, of the untouched model, on the plain question."""
    kinds = {"test": 8, "train": 6} if not work.tiny else {"test": 2, "train": 2}
    summary = {}
    for name, times in kinds.items():
        problems = work.problems[name][: 12 if work.tiny else None]
        deadline = work.end_time if name == "test" else min(work.end_time, time.time() + 110)
        started = time.time()
        prompts = [work.prompt(p["question"]) for p in problems]
        groups = [generate.Group(p, [[]]) for _ in range(times) for p in prompts]
        numbers = [i for _ in range(times) for i in range(len(problems))]
        # In rounds, so that a deadline takes samples from all problems alike.
        texts = []
        half = len(groups) // 2
        for part in (slice(0, half), slice(half, None)):
            texts += work.sample(groups[part], generate.Sampling(budget=384 if not work.tiny else 24, seed=11 + len(texts)), deadline=deadline)
        seconds = time.time() - started
        records = [(ended, text, problems[i]["answer"]) for i, t in zip(numbers, texts) if t for text, _, ended in t]
        verdicts = iter(work.judge(records))
        kept = []
        for i, t in zip(numbers, texts):
            if t:
                (text, length, ended), (right, answer) = t[0], next(verdicts)
                kept.append({"p": i, "text": text, "length": length, "ended": ended, "right": right, "answer": answer})
        tokens = sum(r["length"] for r in kept)
        by = {}
        for r in kept:
            by.setdefault(r["p"], []).append(r["right"])
        reach = sorted(i for i, r in by.items() if sum(r) * 2 >= len(r))
        summary[name] = {
            "samples": len(kept),
            "tokens": tokens,
            "seconds": round(seconds, 1),
            "pass@1": mean([r["right"] for r in kept]),
            "ended": mean([r["ended"] for r in kept]),
            "mean_length": mean([r["length"] for r in kept]),
            "in_reach": len(reach),
            "solved": sum(any(r) for r in by.values()),
            "problems": len(by),
        }
        say("sampled", name, summary[name])
        with open(work.folder / f"samples-{name}.jsonl", "w") as f:
            for r in kept:
                f.write(json.dumps(r) + "\n")
        (work.folder / f"reach-{name}.json").write_text(json.dumps(reach))
        work.write(f"reach-{name}.json", reach)
    # The frozen sets: from all test problems, and from those in reach; nothing has been trained yet.
    problems = work.problems["test"]
    reach = json.loads((work.folder / "reach-test.json").read_text())
    if work.tiny:
        reach = list(range(12))
    count = 4 if work.tiny else 300
    sets = compose.test_sets(problems, range(len(problems)), 1, "compose", count=count)
    sets += compose.test_sets(problems, reach, 2, "reach", count=count)
    (work.folder / "sets.json").write_text(json.dumps(sets))
    summary["digests"] = {s: compose.digest([g for g in sets if g["set"] == s]) for s in sorted({g["set"] for g in sets})}
    work.write("sample.json", summary)
    say("sets", summary["digests"])


STATE = {}


def _make(job):
    """Groups as rows, by a process of its own."""
    seed, count, kind, longest = job
    work, pools, usable = STATE["work"], STATE["pools"], STATE["usable"]
    draw = random.Random(seed)
    problems = work.problems["train"]
    made = []
    while len(made) < count:
        plain = draw.random() < (0.1 if kind == "lanes" else 0.2)
        again = kind == "lanes" and not plain and draw.random() < 0.12  # one plain problem for several lanes
        k = 1 if plain or again else draw.choice((2, 2, 3, 3, 4, 4, 4, 5, 6, 6))
        n = 1 if plain or kind == "control" else draw.choices(list(LANE_MIX), list(LANE_MIX.values()))[0]
        if again and n == 1:
            n = 4
        chosen = draw.sample(usable, k)
        solutions = compose.draw_solutions([pools[i] for i in chosen], n, draw)
        questions = [problems[i]["question"] for i in chosen]
        question = questions[0] if k == 1 else compose.compose_question(questions, draw.randrange(len(compose.WORDINGS)))
        try:
            lanes = compose.simulate(solutions, n, work.encode, work.end, work.tags(n))
        except KeyError:  # a token that travels not, where a text and what follows it meet
            continue
        rows = train.to_rows(work.prompt(question), lanes)
        if len(rows) <= longest:
            made.append((rows.ids, rows.lanes, rows.steps, rows.targets, rows.prompt, rows.n))
    return made


def traces(work):
    """Training groups for the lanes and for the control, from right samples of train problems outside of dev."""
    problems = work.problems["train"]
    dev = compose.dev_numbers(problems)
    pools = {}
    for line in open(work.folder / "samples-train.jsonl"):
        r = json.loads(line)
        if r["p"] in dev or not r["ended"] or r["length"] > 330 or not compose.fit(r["text"]) or not work.fits(r["text"]):
            continue
        result = problems[r["p"]]["answer"] if r["right"] else r["answer"].replace(",", "")
        if not r["right"] and (len(result) > 9 or judge.NUMBER.fullmatch(result) is None):
            continue
        solution = compose.Solution(r["text"].strip(), result, r["right"])
        pools.setdefault(r["p"], ([], []))[0 if r["right"] else 1].append((r["length"], solution))
    pools = {p: tuple([s for _, s in sorted(x, key=lambda y: y[0])] for x in both) for p, both in pools.items() if both[0]}
    if work.tiny:  # a random model solves nothing: gold solutions
        for i, line in zip(range(30), open(work.folder / "train.jsonl")):
            text = re.sub("<<.*?>>", "", json.loads(line)["answer"]).split("####")[0].strip()
            pools[i] = ([compose.Solution(text, problems[i]["answer"], True)], [compose.Solution("No.", "7", False)])
    STATE.update(work=work, pools=pools, usable=sorted(pools))
    say("problems to train on", len(pools), "right samples", sum(len(r) for r, _ in pools.values()))
    count = 13000 if not work.tiny else 30
    made = {}
    workers = 15 if work.cuda else 2
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for kind, longest in (("lanes", 3600), ("control", 2600)):
            jobs = [(f"{kind} {i}", count // workers, kind, longest) for i in range(workers)]
            made[kind] = [train.Rows(*g) for part in pool.map(_make, jobs, chunksize=1) for g in part]
            say("groups", kind, len(made[kind]), "tokens", sum(len(g) for g in made[kind]), "learned", sum(int((g.targets >= 0).sum()) for g in made[kind]))
    work.groups = made
    return made


def fit(work, kind, seconds=None, tokens=None):
    """Trains one adapter and keeps it."""
    torch.manual_seed(1)
    lora = Lora(work.config, RANK, ALPHA, initial_omega(work.config, "ntk-by-parts", STRIDE), 1)
    groups = work.groups[kind]
    options = train.TrainOptions(tokens=tokens or 1500, visibility=work.visibility)
    if work.tiny:
        options = dataclasses.replace(options, batch_tokens=4096 if work.cuda else 1500, accumulate=1, tokens=3000 if not work.cuda else 60000)
    elif seconds:
        # How many tokens fit is measured first, with an adapter that is thrown away.
        trial = Lora(work.config, RANK, ALPHA, initial_omega(work.config, "ntk-by-parts", STRIDE), 1)
        done = train.train(work.model, trial, groups[:600], dataclasses.replace(options, tokens=400_000), random.Random(5))
        options.tokens = int(done["tokens"] / done["seconds"] * seconds)
        say("rate", int(done["tokens"] / done["seconds"]), "tokens", options.tokens)
    options.deadline = min(work.end_time, time.time() + (seconds or 200) * 1.2)
    with open(work.out / f"curve-{kind}.jsonl", "w") as curve:
        done = train.train(work.model, lora, groups, options, random.Random(1), curve)
    export.save(work.folder / f"{kind}.pt", lora)
    export.save(work.out / f"{kind}.pt", lora)
    done["options"] = {k: v for k, v in dataclasses.asdict(options).items() if k != "deadline"}
    done["memory"] = torch.cuda.max_memory_allocated() / 1e9 if work.cuda else 0
    (work.folder / f"train-{kind}.json").write_text(json.dumps(done))
    work.write(f"train-{kind}.json", done)
    say("trained", kind, done)
    torch.cuda.empty_cache() if work.cuda else None


def lanes(work, seconds=170):
    fit(work, "lanes", seconds=seconds)


def control(work):
    fit(work, "control", tokens=json.loads((work.folder / "train-lanes.json").read_text())["tokens"])


def compare(work):
    """All arms on the frozen sets and on plain test problems; each arm is written as soon as it is done."""
    sets = json.loads((work.folder / "sets.json").read_text())
    plain = [{"set": "plain", "k": 1, "problems": [i], "question": p["question"], "answers": [p["answer"]]} for i, p in enumerate(work.problems["test"][: 12 if work.tiny else None])]
    reach = [g for g in sets if g["set"].startswith("reach")]
    everything = [g for g in sets if g["set"].startswith("compose")]
    lanes_, control_ = work.load("lanes"), work.load("control")
    omega = lanes_.omega.detach().cpu()
    adapters = {"base": None, "lanes": work.pairs(lanes_), "control": work.pairs(control_)}
    # name, adapter, N, groups, samples, joint, omega
    arms = [
        ("lanes-4", "lanes", 4, reach, 1, True, omega),
        ("control", "control", 1, reach, 2, True, None),
        ("plain-lanes-1", "lanes", 1, plain, 2, True, None),
        ("lanes-1", "lanes", 1, reach, 1, True, None),
        ("plain-lanes-4", "lanes", 4, plain, 1, True, omega),
        ("base", "base", 1, reach, 1, True, None),
        ("closed-4", "lanes", 4, reach, 1, False, omega),
        ("plain-control", "control", 1, plain, 2, True, None),
        ("lanes-2", "lanes", 2, reach, 1, True, omega),
        ("zero-4", "lanes", 4, reach, 1, True, omega * 0),
        ("lanes-8", "lanes", 8, reach, 1, True, omega),
        ("lanes-4", "lanes", 4, everything, 1, True, omega),
        ("control", "control", 1, everything, 1, True, None),
        ("control-more", "control", 1, reach, 2, True, None),
    ]
    if work.tiny:
        arms = [arms[i] for i in (0, 1, 2, 4, 5, 6, 9, 10)]
    results, texts_kept = [], []
    for number, (name, adapter, n, groups, samples, joint, omega_) in enumerate(arms):
        if time.time() > work.compare_end - 8:
            say("no time left for", name)
            break
        started = time.time()
        made = []
        longest = 40 if work.tiny else budget_of(n, max(g["k"] for g in groups))
        asked = [generate.Group(work.prompt(g["question"]), work.tags(n), joint, work.visibility, omega_) for g in groups for _ in range(samples)]
        texts = work.sample(asked, generate.Sampling(budget=longest, seed=100 + number), adapters[adapter], work.compare_end)
        if time.time() >= work.compare_end:
            say("cut off and not counted:", name)
            break
        for i, g in enumerate(groups):
            got = texts[i * samples : (i + 1) * samples]
            if any(t is None for t in got):
                continue
            flat = [lane for t in got for lane in t]
            r = record(g, flat, min(longest, budget_of(n, g["k"])), by_section=adapter == "base")
            r["n"], r["question"] = n, g["problems"]
            made.append((r, flat, g))
        if groups is plain:
            verdicts = iter(work.judge([(ended, text, g["answers"][0]) for _, flat, g in made for text, _, ended in flat]))
            for r, flat, _ in made:
                for lane in r["lanes"]:
                    lane["right"], answer = next(verdicts)
                    value = judge.number(answer) if answer else None
                    lane["final"] = [r["gold"][0]] if lane["right"] else None if value is None else [value if value != r["gold"][0] else value + 0.5]
        records = [r for r, _, _ in made]
        results += [{"arm": name, **r} for r in records]
        texts_kept += [{"arm": name, "set": g["set"], "problems": g["problems"], "lanes": [t for t, _, _ in flat]} for i, (_, flat, g) in enumerate(made) if i % 20 == 0]
        for s in sorted({r["set"] for r in records}):
            part = [r for r in records if r["set"] == s]
            scores = [group_scores(r) for r in part]
            copied = [handover(r) for r in part]
            say(name, s, len(part), *[f"{key}: {mean([x[key] for x in scores]):.3f}" for key in scores[0]], "copied", sum(c[0] for c in copied), "of", sum(c[1] for c in copied))
        say(name, f"took {time.time() - started:.1f} s")
        work.write_lines("compare.jsonl.gz", results)
        work.write_lines("texts.jsonl.gz", texts_kept)


def untrained(work):
    """Issue 13, item 6: couplings of the untouched model on 200 train questions, four lanes."""
    problems = work.problems["train"][: 4 if work.tiny else work.questions]
    budget = 24 if work.tiny else 384
    arms = {"independent": (None, False, False, "inclusive"), "independent, tags": (None, True, False, "inclusive")}
    for init in ("rope", "gt", "ntk", "ntk-by-parts"):
        for tags in (False, True):
            for visibility in ("inclusive", "strict"):
                arms[f"{init}, {'tags' if tags else 'no tags'}, {visibility}"] = (initial_omega(work.config, init, budget).float()[None], tags, True, visibility)
    groups, names = [], []
    for name, (omega, tags, joint, visibility) in arms.items():
        for p in problems:
            groups.append(generate.Group(work.prompt(p["question"]), work.tags(4) if tags else [[] for _ in range(4)], joint, visibility, omega))
            names.append((name, p["answer"]))
    order = list(range(len(groups)))
    random.Random(1).shuffle(order)  # a deadline takes from all arms alike
    shuffled = work.sample([groups[i] for i in order], generate.Sampling(budget=budget, seed=77), deadline=time.time() + 60)
    texts = [t for _, t in sorted(zip(order, shuffled), key=lambda x: x[0])]
    records = [(ended, text, answer) for (_, answer), t in zip(names, texts) if t for text, _, ended in t]
    verdicts = iter(work.judge(records))
    table = {}
    kept = []
    for (name, answer), t in zip(names, texts):
        if t:
            lanes_ = [(*next(verdicts), length, ended) for _, length, ended in t]
            table.setdefault(name, []).append({"answer": answer, "lanes": lanes_})
            if len(table[name]) <= 3:
                kept.append({"arm": name, "texts": [x for x, _, _ in t]})
    work.write("untrained.json", table)
    work.write_lines("untrained-texts.jsonl.gz", kept)
    for name, rows in table.items():
        say(f"{name:40s} {len(rows)} pass@1 {mean([r for x in rows for r, *_ in x['lanes']]):.3f} ended {mean([e for x in rows for *_, e in x['lanes']]):.3f}")


START = time.time()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("phases", nargs="+")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--seconds", type=float, default=560)
    parser.add_argument("--train-seconds", type=float, default=170)
    parser.add_argument("--visibility", default="inclusive")
    parser.add_argument("--compare-seconds", type=float, default=560)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--plain-attention", action="store_true", help="no fused kernel while sampling")
    options = parser.parse_args()
    work = Work(options.folder, options.out, options.tiny, options.seconds)
    work.visibility = options.visibility
    work.compare_end = START + options.compare_seconds
    work.questions = options.questions
    if options.plain_attention:
        generate.part_cuda = generate.part_math
    for phase in options.phases:
        say("phase", phase)
        if phase == "lanes":
            lanes(work, options.train_seconds)
        else:
            {"check": check, "sample": sample, "traces": traces, "control": control, "compare": compare, "untrained": untrained}[phase](work)
    say("done")


if __name__ == "__main__":
    main()
