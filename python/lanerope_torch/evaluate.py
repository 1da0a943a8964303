# SPDX-License-Identifier: Apache-2.0
"""Records of sampled groups, and what is counted on them."""

from .compose_lanes import schedule
from .judge import answers_by_section, final_answers, own_results
from .sleep import tokens_within


def record(group, lanes, by_section=False):
    """What is kept of a sampled group of a composed question. `lanes` are [(text, clock, ended, sleeps)]: the steps of the clock until a
    lane had ended, and sleep.sleeps_of its tokens."""
    read = answers_by_section if by_section else final_answers
    kept = []
    for text, clock, ended, sleeps in lanes:
        kept.append(
            {
                "length": tokens_within(clock, sleeps),
                "clock": clock,
                "sleeps": sleeps,
                "ended": ended,
                "final": read(text, group["k"]) if ended else None,
                "own": own_results(text),
            }
        )
    return {"set": group["set"], "k": group["k"], "gold": [float(a) for a in group["answers"]], "lanes": kept}


def vote(finals):
    """The most frequent of the values, the first of several; None where there is none."""
    values = [v for v in finals if v is not None]
    return max(values, key=lambda v: (values.count(v), -values.index(v))) if values else None


def group_scores(rec, budget=None, lanes=None):
    """Of one group, cut off after so many steps of the clock: shares right of single lanes and of the vote, tokens, steps."""
    chosen = rec["lanes"][:lanes] if lanes else rec["lanes"]
    budget = budget or float("inf")
    finals = [x["final"] if x["clock"] <= budget else None for x in chosen]
    gold, k = rec["gold"], rec["k"]
    each = [sum(f[i] == gold[i] for i in range(k)) / k if f else 0.0 for f in finals]
    voted = [vote([f[i] for f in finals if f]) for i in range(k)]
    right = [v == g for v, g in zip(voted, gold)]
    clocks = [min(x["clock"], budget) for x in chosen]
    lengths = [tokens_within(c, x["sleeps"]) for c, x in zip(clocks, chosen)]
    return {
        "answer": sum(each) / len(each),
        "all": sum(e == 1.0 for e in each) / len(each),
        "vote_answer": sum(right) / k,
        "vote_all": float(all(right)),
        "ended": sum(f is not None for f in finals) / len(finals),
        "steps": max(clocks),
        "mean_length": sum(lengths) / len(lengths),
        "tokens": sum(lengths),
    }


def handover(rec):
    """(copied right, all) over lanes and problems of others whose solvers agree and had written their result."""
    n, k = len(rec["lanes"]), rec["k"]
    if rec.get("n") == 1:  # samples of one lane
        return 0, 0
    plan = schedule(k, n)
    right = total = 0
    for i in range(k):
        found = {rec["lanes"][m]["own"].get(i) for m in range(n) if i in plan[m]}
        if len(found) != 1 or None in found:
            continue
        value = found.pop()
        for m in range(n):
            if i not in plan[m] and rec["lanes"][m]["final"]:
                total += 1
                right += rec["lanes"][m]["final"][i] == value
    return right, total


def mean(values):
    return sum(values) / max(1, len(values))


def interval(values, others=None, rounds=2000, seed=1):
    """(mean, low, high) by bootstrap, 95 %; of values - others, pair by pair, where others are given."""
    import numpy as np

    x = np.asarray(values, dtype=float) - (0 if others is None else np.asarray(others, dtype=float))
    draw = np.random.default_rng(seed)
    means = x[draw.integers(0, len(x), (rounds, len(x)))].mean(1)
    return float(x.mean()), float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


