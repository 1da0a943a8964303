# SPDX-License-Identifier: Apache-2.0
"""The arms of docs/results-real.md on a GPU."""

import json
import random
import time

from . import generate, judge
from .evaluate import group_scores, handover, mean, record
from .model import initial_omega


def budget_of(n, k):
    """Ample: room for the longest solutions that are trained on, headings and the final list."""
    rounds = -(-k // n)
    return 128 + (280 if rounds > 2 else 330) * rounds


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
            work.say("no time left for", name)
            break
        started = time.time()
        made = []
        longest = 40 if work.tiny else budget_of(n, max(g["k"] for g in groups))
        asked = [generate.Group(work.vocabulary.prompt(g["question"]), work.vocabulary.tags(n), joint, work.visibility, omega_) for g in groups for _ in range(samples)]
        texts = work.sample(asked, generate.Sampling(budget=longest, seed=100 + number), adapters[adapter], work.compare_end)
        if time.time() >= work.compare_end:
            work.say("cut off and not counted:", name)
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
            work.say(name, s, len(part), *[f"{key}: {mean([x[key] for x in scores]):.3f}" for key in scores[0]], "copied", sum(c[0] for c in copied), "of", sum(c[1] for c in copied))
        work.say(name, f"took {time.time() - started:.1f} s")
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
            groups.append(generate.Group(work.vocabulary.prompt(p["question"]), work.vocabulary.tags(4) if tags else [[] for _ in range(4)], joint, visibility, omega))
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
        work.say(f"{name:40s} {len(rows)} pass@1 {mean([r for x in rows for r, *_ in x['lanes']]):.3f} ended {mean([e for x in rows for *_, e in x['lanes']]):.3f}")
