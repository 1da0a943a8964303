# SPDX-License-Identifier: Apache-2.0
"""Composed questions for `lanerope eval`, and what its records say answer by answer.

  python3 -m lanerope_torch.measure questions GSM8K_FOLDER SET NUMBERS.json|all OUT.jsonl [--count N]
  python3 -m lanerope_torch.measure table RECORDS.jsonl QUESTIONS.jsonl [--json OUT]
  python3 -m lanerope_torch.measure device BACK [--against ARM] [--budgets B,B,...] [--json OUT]
  python3 -m lanerope_torch.measure rollouts BACK train|test GSM8K_FOLDER OUT.jsonl

SET is compose-K or reach-K (of the problems whose numbers a file lists) or plain. `lanerope eval` calls a composed answer right where
the whole list is; the table counts every answer. BACK is what device_run brought back: `device` tells of each of its sets and arms what
`table` tells, at budgets and against another arm, question by question; `rollouts` writes its samples as lanerope data rollout does.
"""

import argparse
import itertools
import json
import pathlib

from . import compose, compose_lanes, mixture
from .evaluate import group_scores, handover, interval, mean, record

NAMES = ("answer", "all", "vote_answer", "vote_all", "ended", "steps", "mean_length", "tokens")


def questions(options):
    problems = compose.load_problems(pathlib.Path(options.data) / "test.jsonl")
    numbers = range(len(problems)) if options.numbers == "all" else json.loads(pathlib.Path(options.numbers).read_text())
    if options.set in ("plain", "reach-1"):
        groups = [{"set": options.set, "k": 1, "question": problems[i]["question"], "answers": [problems[i]["answer"]]} for i in numbers]
    else:
        name = options.set.split("-")[0]
        groups = [g for g in compose.test_sets(problems, numbers, {"compose": 1, "reach": 2}[name], name) if g["set"] == options.set]
        print(compose.digest(groups), len(groups))
    with open(options.out, "w", encoding="utf-8") as out:
        for g in groups[: options.count]:
            out.write(json.dumps({**g, "answer": compose_lanes.final_text(g["answers"])[5:]}) + "\n")


def read_arms(records, asked):
    """{arm: {question: [groups]}} as evaluate.record keeps them."""
    arms = {}
    for line in open(records, encoding="utf-8"):
        r = json.loads(line)
        if "arm" in r and r["question"] < len(asked):
            g = asked[r["question"]]
            lanes = [(lane["text"], lane["length"], lane["ended"], lane.get("sleeps", [])) for lane in r["lanes"]]
            rec = record(g, lanes, by_section=r["arm"].startswith("base"))
            arms.setdefault(r["arm"], {}).setdefault(r["question"], []).append(rec)
    return arms


def told(figures):
    return "  ".join(f"{name} {m:.3f} [{low:.3f}, {high:.3f}]" for name, (m, low, high) in figures.items())


def table(options):
    asked = [json.loads(line) for line in open(options.questions, encoding="utf-8")]
    arms = read_arms(options.records, asked)
    common = sorted(set.intersection(*[set(a) for a in arms.values()]))
    rows = {}
    for arm, by in arms.items():
        # Groups of one question are one sample: their mean.
        scores = [{name: mean([group_scores(r)[name] for r in by[q]]) for name in NAMES} for q in common]
        copied = [handover(r) for q in common for r in by[q]]
        rows[arm] = {name: interval([s[name] for s in scores]) for name in NAMES}
        rows[arm]["copied"] = (sum(c[0] for c in copied), sum(c[1] for c in copied))
        print(f"{arm:16s} {len(common)} questions", told({name: rows[arm][name] for name in NAMES}), "copied", *rows[arm]["copied"])
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"questions": len(common), "arms": rows}, indent=1))


def device(options):
    back = pathlib.Path(options.back)
    by = {}  # set, arm: {problems: scores at a budget}
    records = sorted(mixture.read_samples(sorted(back.glob("arm-*.jsonl.gz"))), key=lambda r: (r["set"], r["arm"]))
    budgets = [None] + [int(b) for b in options.budgets.split(",") if b]
    rows = []
    for (name, arm), group in itertools.groupby(records, key=lambda r: (r["set"], r["arm"])):
        by[name, arm] = list(group)
    for budget in budgets:
        scored = {key: {tuple(r["problems"]): group_scores(r, budget) for r in group} for key, group in by.items()}
        for (name, arm), scores in scored.items():
            row = {"set": name, "arm": arm, "budget": budget, "questions": len(scores)}
            row["figures"] = {x: interval([s[x] for s in scores.values()]) for x in NAMES}
            copied = [handover(r) for r in by[name, arm]]
            row["copied"] = (sum(c[0] for c in copied), sum(c[1] for c in copied))
            print(f"{name} {arm}, {budget or 'ample'}, {len(scores)} questions:", told(row["figures"]), "copied", *row["copied"])
            other = scored.get((name, options.against))
            if other and arm != options.against:
                common = sorted(set(scores) & set(other))
                row["difference"] = {x: interval([scores[q][x] for q in common], [other[q][x] for q in common]) for x in NAMES}
                print(f"  minus {options.against}:", told(row["difference"]))
            rows.append(row)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1))


def rollouts(options):
    problems = compose.load_problems(pathlib.Path(options.data) / f"{options.part}.jsonl")
    with open(options.out, "w", encoding="utf-8") as out:
        for r in mixture.read_samples(sorted(pathlib.Path(options.back).glob(f"samples-{options.part}.*.jsonl.gz"))):
            p = problems[r["p"]]
            line = {"question": p["question"], "answer": p["answer"], "lanes": [r["text"]], "labels": [r["right"]], "ended": [r["ended"]]}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def main(arguments=None):
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("questions")
    for name in ("data", "set", "numbers", "out"):
        one.add_argument(name)
    one.add_argument("--count", type=int)
    one.set_defaults(run=questions)
    two = commands.add_parser("table")
    for name in ("records", "questions"):
        two.add_argument(name)
    two.add_argument("--json")
    two.set_defaults(run=table)
    three = commands.add_parser("device")
    three.add_argument("back")
    three.add_argument("--against", default="control")
    three.add_argument("--budgets", default="", help="steps of the clock, beside ample")
    three.add_argument("--json")
    three.set_defaults(run=device)
    four = commands.add_parser("rollouts")
    for name in ("back", "part", "data", "out"):
        four.add_argument(name)
    four.set_defaults(run=rollouts)
    options = parser.parse_args(arguments)
    options.run(options)


if __name__ == "__main__":
    main()
