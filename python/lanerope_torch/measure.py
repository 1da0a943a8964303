# SPDX-License-Identifier: Apache-2.0
"""Composed questions for `lanerope eval`, and what its records say answer by answer.

  python3 -m lanerope_torch.measure questions GSM8K_FOLDER SET NUMBERS.json|all OUT.jsonl [--count N]
  python3 -m lanerope_torch.measure table RECORDS.jsonl QUESTIONS.jsonl [--json OUT]

SET is compose-K or reach-K (of the problems whose numbers a file lists) or plain. `lanerope eval` calls a composed answer right where
the whole list is; the table counts every answer.
"""

import argparse
import json
import pathlib

from . import compose, compose_lanes
from .evaluate import group_scores, handover, interval, mean, record

NAMES = ("answer", "all", "vote_answer", "ended", "steps", "tokens")


def questions(options):
    problems = compose.load_problems(pathlib.Path(options.data) / "test.jsonl")
    if options.set == "plain":
        groups = [{"set": "plain", "k": 1, "question": p["question"], "answers": [p["answer"]]} for p in problems]
    else:
        name = options.set.split("-")[0]
        numbers = range(len(problems)) if options.numbers == "all" else json.loads(pathlib.Path(options.numbers).read_text())
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
            lanes = [(lane["text"], lane["length"], lane["ended"]) for lane in r["lanes"]]
            rec = record(g, lanes, 1 << 30, by_section=r["arm"].startswith("base"))
            arms.setdefault(r["arm"], {}).setdefault(r["question"], []).append(rec)
    return arms


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
        print(f"{arm:16s} {len(common)} questions", *[f"{name} {m:.3f} [{low:.3f}, {high:.3f}]" for name, (m, low, high) in list(rows[arm].items())[:-1]], "copied", *rows[arm]["copied"])
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"questions": len(common), "arms": rows}, indent=1))


def main():
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
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
