# SPDX-License-Identifier: Apache-2.0
"""What is trained on: groups drawn from sampled solutions of GSM8K's train problems."""

import dataclasses
import gzip
import json
import re

from . import compose, compose_lanes, train
from .judge import NUMBER

# LaTeX that a model whose vocabulary lacks a token writes in its place.
BROKEN = re.compile(r"\\d(?!iv|ots|frac|isplay|egree)|\\(dime|di\b)|�")


@dataclasses.dataclass
class Mixture:
    """Shares of what is drawn. `kind` "lanes", or "control": one lane, from the same problems and texts."""

    kind: str = "lanes"
    lanes: tuple = ((1, 0.15), (2, 0.2), (4, 0.4), (8, 0.25))  # N and its share
    sizes: tuple = (2, 2, 3, 3, 4, 4, 4, 5, 6, 6)  # problems in a composed question
    plain: float = 0.1  # one problem, one lane, as any model is asked
    again: float = 0.12  # of the rest: one problem, several lanes
    longest: int = 3600  # rows of a group


def read_samples(paths):
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") if str(path).endswith(".gz") else open(path, encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def read_pools(paths, problems, longest=330):
    """{problem: ([right Solutions], [wrong ones])}, shortest first, of device_sample's files; problems of dev are left out."""
    dev = compose.dev_numbers(problems)
    pools = {}
    for r in read_samples(paths):
        if r["p"] in dev or not r["ended"] or r["length"] > longest or not compose_lanes.fit(r["text"]) or BROKEN.search(r["text"]):
            continue
        result = problems[r["p"]]["answer"] if r["right"] else r["answer"].replace(",", "")
        if not r["right"] and (len(result) > 9 or NUMBER.fullmatch(result) is None):
            continue
        solution = compose_lanes.Solution(r["text"].strip(), result, r["right"])
        pools.setdefault(r["p"], ([], []))[0 if r["right"] else 1].append((r["length"], solution))
    return {p: tuple([s for _, s in sorted(x, key=lambda y: y[0])] for x in both) for p, both in pools.items() if both[0]}


def draw_group(mixture, pools, problems, vocabulary, draw):
    """One group as train.Rows. `pools` is read_pools'; `draw` a random.Random."""
    usable = sorted(pools)
    while True:
        plain = draw.random() < mixture.plain
        again = mixture.kind == "lanes" and not plain and draw.random() < mixture.again
        k = 1 if plain or again else draw.choice(mixture.sizes)
        n = 1 if plain or mixture.kind == "control" else draw.choices(*zip(*mixture.lanes))[0]
        if again and n == 1:
            n = 4
        chosen = draw.sample(usable, k)
        solutions = compose_lanes.draw_solutions([pools[i] for i in chosen], n, draw)
        questions = [problems[i]["question"] for i in chosen]
        question = questions[0] if k == 1 else compose.compose_question(questions, draw.randrange(len(compose.WORDINGS)))
        try:
            lanes = compose_lanes.simulate(solutions, n, vocabulary.encode, vocabulary.end, vocabulary.tags(n))
            rows = train.to_rows(vocabulary.prompt(question), lanes)
        except (KeyError, compose_lanes.Unfit):  # a token that this model was not given a row for, or texts that merge
            continue
        if len(rows) <= mixture.longest:
            return rows
