#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How well lanes beyond the trained number read one another, by where --far-lanes lets them stand.

  python3 bench/far_lanes.py MODEL TRACES... [--trained 8] [--threads 1]

TRACES are files of `lanerope-toy traces`, right texts of so many lanes. The model (that of the made task) is shown them token by token and says how likely
each is: so what was copied from another lane is told apart from what a lane works out itself, and no slip spoils what follows. A number counts as copied
if the model gives it more than half of the probability.
"""

import argparse
import json
import math
import re
import statistics
import subprocess

CHOICES = ("extrapolated", "clamped", "wrapped", "interpolated")


def score(model, lines, options):
    done = subprocess.run(["lanerope", "score", "-m", model, "--coupling", "lanerope", *options], input="\n".join(map(json.dumps, lines)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr.strip())
    return [json.loads(line) for line in done.stdout.splitlines()]


def ids_of(model, options):
    """{character: token} of the characters that are one token each."""
    text = "0123456789+<>"
    (answer,) = score(model, [{"prompt": "x", "lanes": [text]}], options)
    tokens = answer["lanes"][0]["tokens"]
    if len(tokens) != len(text):
        raise SystemExit("far_lanes.py: digits and signs are no tokens of their own in this model; it is not one of the made task")
    return dict(zip(text, tokens))


def copied(lane, ids):
    """(place of its tag, place behind it, [log p of its digits]) of each number that is added from another lane, in order."""
    tokens, logprobs = lane["tokens"], lane["logprobs"]
    digits = {ids[d] for d in "0123456789"}
    at = 1
    while at + 1 < len(tokens):
        if tokens[at] != ids["+"] or tokens[at + 1] in digits:
            at += 1
            continue
        at += 1
        begin = at
        at = tokens.index(ids[">"], at) + 1 if tokens[at] == ids["<"] else at + 1
        number = []
        while at < len(tokens) and tokens[at] in digits:
            number.append(logprobs[at])
            at += 1
        yield begin, at, number


def tag_length(lane, ids):
    tokens = lane["tokens"]
    return tokens.index(ids[">"]) + 1 if tokens[0] == ids["<"] else 1


def share(numbers):
    """Of numbers, each by its log p, those that are likelier than not."""
    return f"{100 * statistics.fmean(p > math.log(0.5) for p in numbers):.0f} % of {len(numbers):,}" if numbers else "–"


def measure(traces, answers, ids, trained):
    own, near, far = [], [], []
    for trace, answer in zip(traces, answers):
        for m, (text, lane) in enumerate(zip(trace["lanes"], answer["lanes"])):
            read = set()
            others = [int(k) - 1 for k in re.findall(r"\+<lane(\d+)>", text)]
            for other, (begin, end, number) in zip(others, copied(lane, ids)):
                read.update(range(begin, end))
                (near if abs(other - m) < trained else far).append(sum(number))
            own += [p for i, p in enumerate(lane["logprobs"]) if i >= tag_length(lane, ids) and i not in read]
    return f"{-statistics.fmean(own):.2f} | {share(near)} | {share(far)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("traces", nargs="+")
    parser.add_argument("--trained", type=int, default=8, help="the most lanes that the model was trained with")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    threads = ["-t", str(options.threads)]
    ids = ids_of(options.model, threads)
    print("| N | --far-lanes | −log p of the other tokens, mean | copied from lanes nearer than T | copied from lanes further apart |")
    print("|---|---|---|---|---|")
    for file in options.traces:
        traces = [json.loads(line) for line in open(file, encoding="utf-8")]
        lines = [{"prompt": trace["question"], "lanes": [f"<lane{m + 1}>{text}" for m, text in enumerate(trace["lanes"])]} for trace in traces]
        n = max(len(trace["lanes"]) for trace in traces)
        for choice in CHOICES if n > options.trained else CHOICES[:1]:
            answers = score(options.model, lines, [*threads, "--far-lanes", choice])
            print(f"| {n} | {choice if n > options.trained else 'none is far'} | {measure(traces, answers, ids, options.trained)} |", flush=True)


if __name__ == "__main__":
    main()
