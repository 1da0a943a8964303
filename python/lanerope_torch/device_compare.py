# SPDX-License-Identifier: Apache-2.0
"""The arms of docs/results.md on the frozen sets, one after the other, the most important first."""

import dataclasses
import time

from . import generate, judge
from .device_sample import SYSTEM
from .evaluate import group_scores, handover, mean, record


@dataclasses.dataclass
class Arm:
    name: str
    adapter: str | None  # "lanes", "control"; None: the untouched model
    n: int
    sets: tuple
    samples: int = 1  # groups of each question; four of one lane stand beside one of four
    joint: bool = True
    turned: bool = True  # by the adapter's omega; else all lanes look alike but for their tags
    title: str = ""  # of its file


# Closed lanes have their tags, and so their shares of the problems; they see no other and never sleep.
REACH, PLAIN = ("reach-4", "reach-2", "reach-1"), ("plain",)
ARMS = (
    Arm("lanes", "lanes", 4, REACH, title="lanes-reach"),
    Arm("control", "control", 1, REACH, 4, title="control-reach"),
    Arm("closed", "lanes", 4, REACH, joint=False, title="closed-reach"),
    Arm("one", "lanes", 1, REACH, 4, title="one-reach"),
    Arm("base", None, 1, REACH, 4, title="base-reach"),
    Arm("lanes", "lanes", 4, PLAIN, title="lanes-plain"),
    Arm("base", None, 1, PLAIN, 4, title="base-plain"),
    Arm("one", "lanes", 1, PLAIN, 4, title="one-plain"),
    Arm("control", "control", 1, PLAIN, 4, title="control-plain"),
    Arm("closed", "lanes", 4, PLAIN, joint=False, title="closed-plain"),
    # Beyond the tables of the question.
    Arm("lanes", "lanes", 4, ("compose-4", "compose-2", "compose-3"), title="lanes-compose"),
    Arm("control", "control", 1, ("compose-4", "compose-2", "compose-3"), 4, title="control-compose"),
    Arm("lanes of 2", "lanes", 2, ("reach-4", "reach-2"), title="two-reach"),
    Arm("lanes of 8", "lanes", 8, ("reach-4", "reach-2"), title="eight-reach"),
    Arm("lanes, omega 0", "lanes", 4, ("reach-4", "reach-2"), turned=False, title="unturned-reach"),
    Arm("lanes", "lanes", 4, ("reach-6", "reach-3"), title="lanes-reach-more"),
    Arm("control", "control", 1, ("reach-6", "reach-3"), 4, title="control-reach-more"),
)


def budget_of(n, k):
    """Ample: room for the longest solutions that are trained on, headings and the final list."""
    rounds = -(-k // n)
    return 128 + (280 if rounds > 2 else 330) * rounds


def prompt_of(work, arm, group):
    # The untouched model is asked a single problem as its samples were; composed questions say themselves how to end.
    return work.vocabulary.prompt(group["question"], SYSTEM) if arm.adapter is None and group["k"] == 1 else work.vocabulary.prompt(group["question"])


def run_arm(work, arm, groups, pairs, omega, seed):
    """Records of all groups, or None where time ended before all were there."""
    tags = work.vocabulary.tags(arm.n)
    budgets = [40 if work.tiny else budget_of(arm.n, g["k"]) for g in groups]
    asked = [
        generate.Group(prompt_of(work, arm, g), tags, arm.joint, omega=omega, budget=b) for g, b in zip(groups, budgets) for _ in range(arm.samples)
    ]
    spoken = work.sample(asked, generate.Sampling(seed=seed), pairs)
    if any(s is None for s in spoken) or work.left() < 0:
        return None
    records = []
    for i, (g, b) in enumerate(zip(groups, budgets)):
        lanes = [lane for s in spoken[i * arm.samples : (i + 1) * arm.samples] for lane in s]
        r = record(g, [(s.text, s.clock, s.ended, s.sleeps) for s in lanes], by_section=arm.adapter is None)
        for kept, s in zip(r["lanes"], lanes):
            kept["text"] = s.text
        records.append({"arm": arm.name, "n": arm.n, "problems": g["problems"], "budget": b, **r})
    single = [r for r in records if r["k"] == 1]
    verdicts = iter(work.judge([(x["ended"], x["text"], g["answers"][0]) for r, g in zip(records, groups) if r["k"] == 1 for x in r["lanes"]]))
    for r in single:
        for lane in r["lanes"]:
            right, answer = next(verdicts)
            value = judge.number(answer) if answer else None
            wrong = None if value is None else value if value != r["gold"][0] else value + 0.5
            lane["final"] = [r["gold"][0]] if right else None if wrong is None else [wrong]
    return records


def tell(work, arm, records):
    for name in dict.fromkeys(r["set"] for r in records):
        part = [r for r in records if r["set"] == name]
        scores = [group_scores(r) for r in part]
        copied = [handover(r) for r in part]
        figures = [f"{key} {mean([x[key] for x in scores]):.3f}" for key in scores[0]]
        work.say(arm.name, name, len(part), *figures, "copied", sum(c[0] for c in copied), "of", sum(c[1] for c in copied))


def compare(work):
    """Every arm is kept as soon as it is done, with all its texts; those that are there are not made again."""
    sets = work.read("sets.json")
    adapters = {name: work.load_adapter(name) for name in ("lanes", "control") if (work.back / f"{name}.pt").exists()}
    pairs = {None: None} | {name: work.pairs(lora) for name, lora in adapters.items()}
    missing, failed = [], None
    for number, arm in enumerate(ARMS):
        if (work.back / f"arm-{arm.title}.0.jsonl.gz").exists():
            continue
        groups = [g for name in arm.sets for g in sets if g["set"] == name]
        if arm.adapter not in pairs or work.left() < 8 or not groups:
            work.say("not made:", arm.title)
            missing.append(arm.title)
            continue
        omega = None
        if arm.n > 1:
            omega = adapters["lanes"].omega.detach().cpu()
            omega = omega if arm.turned else omega * 0
        started = time.time()
        try:
            records = run_arm(work, arm, groups, pairs[arm.adapter], omega, 100 + number)
        except Exception as error:  # the other arms may be made; the phase is tried again in a process of its own
            work.say("failed:", arm.title, error)
            missing.append(arm.title)
            failed = error
            continue
        if records is None:
            work.say("cut off and not counted:", arm.title)
            missing.append(arm.title)
            continue
        work.write_lines(f"arm-{arm.title}", records)
        tell(work, arm, records)
        work.say(arm.title, f"took {time.time() - started:.1f} s")
    if failed:
        raise failed
    if not missing:
        work.write("compare.json", [arm.title for arm in ARMS])
