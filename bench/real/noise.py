#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it costs a lane, while it solves its own problem, that it sees the others.

  python3 bench/real/noise.py MODEL ADAPTER TRACES [--threads 2]

TRACES is what `lanerope data compose --lanes 4` wrote, of problems that the adapter was not trained on; MODEL's chats are in ChatML with Qwen's system
prompt. The model is shown the traces with lanes that see all of one another, only the last tokens, nothing before their hand-over, or nothing at all, and
says how likely each token is. A lane's own work is what stands before its sign that the result is there; its first eight tokens, tag and head, do not
count. Intervals are 95 %, by bootstrap over groups, paired.
"""

import argparse
import json
import statistics
import subprocess

from intervals import interval

CHAT = (
    "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
    "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
)
START = ["--sees-from", "start"]
MASKS = {
    "all": START,
    "the last 128 tokens": [*START, "--window", "128"],
    "the last 32": [*START, "--window", "32"],
    "all, from its hand-over on": ["--sees-from", "hand-over"],
    "nothing": ["--coupling", "independent"],
}
HEAD = 8


def run(*command, text=None):
    done = subprocess.run(["lanerope", *command], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr.strip())
    return done.stdout


def as_scored(trace):
    tags = [f"<lane{m}>" if len(trace["lanes"]) > 1 else "" for m in range(1, len(trace["lanes"]) + 1)]
    return {"prompt": CHAT.format(trace["question"]), "lanes": [tag + text + "<|im_end|>" for tag, text in zip(tags, trace["lanes"])]}


def scoring_arguments(about):
    """What all that asks `lanerope score` is told alike."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--threads", default="2")
    parser.add_argument("--ready", default=" \u2713", help="the sign behind a result")
    return parser


def arguments(about):
    """What noise.py and swap.py are told alike."""
    parser = scoring_arguments(about)
    for name in ("model", "adapter", "traces"):
        parser.add_argument(name)
    return parser


def read_traces(file):
    try:
        return [json.loads(line) for line in open(file, encoding="utf-8")]
    except OSError as error:
        raise SystemExit(f"{error.filename} cannot be read: {error.strerror}") from error


def scored(given, traces, options):
    """What `lanerope score` says of each trace, its lanes coupled by these options."""
    lines = "\n".join(json.dumps(as_scored(trace)) for trace in traces)
    answer = run("score", "-m", given.model, "--lora", given.adapter, "-t", given.threads, *options, text=lines)
    return [json.loads(line) for line in answer.splitlines()]


def parts_of(group, ready):
    """([log p] of what a group's lanes solve, [log p] of what they write behind)."""
    own, behind = [], []
    for lane in group["lanes"]:
        end = lane["tokens"].index(ready) if ready in lane["tokens"] else len(lane["tokens"])
        own += lane["logprobs"][HEAD:end]
        behind += lane["logprobs"][end:]
    return own, behind


def ready_token(given):
    (token,) = json.loads(run("tokenize", "-m", given.model, "--ids", "--no-special", "-p", given.ready))
    return token


def loss(parts, at):
    """-log p a token of own work (0) or of what is behind it (1), of the parts of all groups."""
    return -statistics.fmean(p for group in parts for p in group[at])


def more_than(parts, others, at):
    """By how much that is more than in other parts of the same groups, mean over groups, with interval."""
    return interval([statistics.fmean(other[at]) - statistics.fmean(here[at]) for here, other in zip(parts, others)])


def rows(scored, ready):
    """{mask: (loss of own work, its difference to a closed mask with interval, loss behind the result)}, losses a token."""
    parts = {mask: [parts_of(group, ready) for group in groups] for mask, groups in scored.items()}
    closed = parts["nothing"]
    for mask, of in parts.items():
        yield mask, loss(of, 0), more_than(of, closed, 0), loss(of, 1)


def main():
    given = arguments(__doc__).parse_args()
    traces = read_traces(given.traces)
    groups = {mask: scored(given, traces, options) for mask, options in MASKS.items()}
    print("| of other lanes a lane sees | own work, -log p a token | more than with a closed mask | behind its result |\n|---|---|---|---|")
    for mask, own, (more, low, high), behind in rows(groups, ready_token(given)):
        print(f"| {mask} | {own:.4f} | {more:.4f} [{low:.4f}, {high:.4f}] | {behind:.3f} |")


if __name__ == "__main__":
    main()
