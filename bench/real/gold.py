#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Samples of GSM8K's problems with the solutions of the data set in place of the model's, for `lanerope data compose`.

  python3 bench/real/gold.py SAMPLES > gold.jsonl

SAMPLES is what `lanerope data rollout` wrote. Samples that are wrong stay as they are, so that the same problems are drawn from and kept for dev.
"""

import json
import re
import sys


def solution(answer):
    """Without the calculator's notes (<<48/2=24>>) and the answer's line."""
    return re.sub(r"<<[^>]*>>", "", answer).split("\n####")[0].rstrip()


def main():
    if len(sys.argv) != 2:
        sys.exit("python3 bench/real/gold.py SAMPLES > gold.jsonl")
    try:
        samples = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
    except OSError as error:
        sys.exit(f"{error.filename} cannot be read: {error.strerror}")
    for sample in samples:
        if all(sample["labels"]):
            sample["lanes"] = [solution(sample["answer"])] * len(sample["lanes"])
        print(json.dumps(sample, ensure_ascii=False))


if __name__ == "__main__":
    main()
