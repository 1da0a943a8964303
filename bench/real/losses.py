#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adapters compared by how likely they find right solutions and lists of problems that they were not trained on.

  python3 bench/real/losses.py MODEL TRACES ADAPTER... [--threads 2]

TRACES is what `lanerope data compose --lanes 4` wrote; MODEL's chats are in ChatML with Qwen's system prompt. Lanes are coupled as each adapter says.
A lane's own work is what stands before its sign that the result is there; its first eight tokens, tag and head, do not count. Others are compared with
the first adapter; intervals are 95 %, by bootstrap over groups, paired.
"""

import argparse
import pathlib

from noise import loss, more_than, parts_of, read_traces, ready_token, scored, scoring_arguments


def rows(groups, ready):
    """{adapter: for own work and what is behind it (loss a token, its difference to the first adapter's with interval)}"""
    parts = {name: [parts_of(group, ready) for group in of] for name, of in groups.items()}
    first = next(iter(parts.values()))
    for name, of in parts.items():
        yield name, [(loss(of, at), more_than(of, first, at)) for at in range(2)]


def names_of(adapters):
    """What rows are called: the files, without their folders where that tells them apart."""
    stems = [pathlib.Path(adapter).stem for adapter in adapters]
    return stems if len(set(stems)) == len(set(adapters)) else adapters


def main():
    parser = scoring_arguments(__doc__)
    parser.add_argument("model")
    parser.add_argument("traces")
    parser.add_argument("adapters", nargs="+", metavar="ADAPTER")
    given = parser.parse_args()
    traces = read_traces(given.traces)
    groups = {}
    for name, adapter in zip(names_of(given.adapters), given.adapters):
        groups[name] = scored(argparse.Namespace(**{**vars(given), "adapter": adapter}), traces, ())
    than = next(iter(groups))
    print(f"| adapter | own work, -log p a token | more than {than} | behind its result | more than {than} |\n|---|---|---|---|---|")
    for name, told in rows(groups, ready_token(given)):
        cells = " | ".join(f"{mean:.4f} | {more:.4f} [{low:.4f}, {high:.4f}]" for mean, (more, low, high) in told)
        print(f"| {name} | {cells} |")


if __name__ == "__main__":
    main()
