# SPDX-License-Identifier: Apache-2.0
"""Samples of the untouched model, on its whole vocabulary; what is in its reach; the frozen sets."""

import time

from . import compose, generate
from .evaluate import mean

# What the samples' problems are asked with, as in script/lib/real.sh.
SYSTEM = "Reason step by step, and put your final answer within \\boxed{}."
# Rounds and samples of each problem in a round: eight in all.
ROUNDS = {"test": (2, 4), "train": (8, 1)}
# Seconds, from the start of the phase, after which no round begins that would not end by then.
LIMIT = {"test": 130, "train": 110}


def sample(work, name):
    problems = work.problems[name][: 12 if work.tiny else None]
    rounds, times = (1, 2) if work.tiny else ROUNDS[name]
    budget = 24 if work.tiny else 384
    prompts = [work.vocabulary.prompt(p["question"], SYSTEM) for p in problems]
    started = began = time.time()
    numbers, spoken = [], []
    for i in range(rounds):
        took = time.time() - began if i > 0 else 0
        began = time.time()
        if time.time() + 1.1 * took > min(started + LIMIT[name], work.end):
            work.say("no time for round", i, "of", rounds)
            break
        asked = [n for n in range(len(problems)) for _ in range(times)]
        got = work.sample([generate.Group(prompts[n], [[]]) for n in asked], generate.Sampling(budget=budget, seed=11 + i))
        if any(g is None for g in got) or work.left() < 0:
            work.say("cut off and not counted: round", i)
            break
        numbers += asked
        spoken += [g[0] for g in got]
        work.say("round", i, f"{time.time() - began:.1f} s", sum(s.length for s in spoken), "tokens in all")
    if not spoken:
        raise RuntimeError("not one round was sampled")
    seconds = time.time() - started
    verdicts = work.judge([(s.ended, s.text, problems[n]["answer"]) for n, s in zip(numbers, spoken)])
    records = [
        {"p": n, "text": s.text, "length": s.length, "ended": s.ended, "right": right, "answer": answer}
        for n, s, (right, answer) in zip(numbers, spoken, verdicts)
    ]
    by = {}
    for r in records:
        by.setdefault(r["p"], []).append(r["right"])
    reach = sorted(i for i, r in by.items() if sum(r) * 2 >= len(r))
    summary = {
        "samples": len(records),
        "of each problem": len(records) // len(problems),
        "tokens": sum(r["length"] for r in records),
        "seconds": round(seconds, 1),
        "pass@1": mean([r["right"] for r in records]),
        "ended": mean([r["ended"] for r in records]),
        "mean_length": mean([r["length"] for r in records]),
        "in_reach": len(reach),
        "solved": sum(any(r) for r in by.values()),
        "problems": len(by),
    }
    if name == "test":
        summary["digests"] = freeze(work, list(range(12)) if work.tiny else reach)
    work.write_lines(f"samples-{name}", sorted(records, key=lambda r: r["p"]))
    work.write(f"reach-{name}.json", reach)
    work.write(f"sample-{name}.json", summary)
    work.say("sampled", name, summary)


def freeze(work, reach):
    """The sets of test problems, before anything is trained; their digests."""
    problems, count = work.problems["test"], 4 if work.tiny else 300
    sets = compose.test_sets(problems, range(len(problems)), 1, "compose", count=count)
    sets += compose.test_sets(problems, reach, 2, "reach", [k for k in (2, 3, 4, 6) if k <= len(reach)], count)
    for name, numbers in (("reach-1", reach[:count]), ("plain", range(len(problems))[: 4 if work.tiny else None])):
        sets += [{"set": name, "k": 1, "problems": [i], "question": problems[i]["question"], "answers": [problems[i]["answer"]]} for i in numbers]
    work.write("sets.json", sets)
    return {s: compose.digest([g for g in sets if g["set"] == s]) for s in sorted({g["set"] for g in sets})}
