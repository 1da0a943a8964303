#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Labels the lanes of rollouts by what each of them did itself, for KTO on questions that ask for several answers.

  lanerope data rollout -m MODEL --lora ADAPTER QUESTIONS -n 4 -o rollouts.jsonl
  python3 bench/real/label.py rollouts.jsonl > labelled.jsonl

`lanerope data rollout` calls a lane right where all answers of its list are, and so blames it for what others got wrong. Here a lane is right that ended by
itself, solved at least one problem, got all that it solved right, and listed for every problem what some lane of its group had found. Lanes of a question
without `parts` keep the label that they have. Says on standard error how many are right.
"""

import json
import sys

from groups import listed, results_of, truth_of


def labels_of(trace):
    truth = truth_of(trace)
    found = [results_of(text, len(truth)) for text in trace["lanes"]]
    ended = trace.get("ended", [True] * len(found))
    labels = []
    for text, own, over in zip(trace["lanes"], found, ended):
        said = listed(text, len(truth))
        solved = bool(own) and all(value == truth[i] for i, value in own.items())
        taken = said is not None and all(any(other.get(i) == value for other in found) for i, value in enumerate(said))
        labels.append(over and solved and taken)
    return labels


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: label.py ROLLOUTS")
    right = total = 0
    try:
        rollouts = open(sys.argv[1], encoding="utf-8")
    except OSError as error:
        sys.exit(f"{error.filename} cannot be read: {error.strerror}")
    for line in rollouts:
        trace = json.loads(line)
        if "parts" in trace:
            trace["labels"] = labels_of(trace)
        right += sum(trace["labels"])
        total += len(trace["labels"])
        print(json.dumps(trace, ensure_ascii=False))
    print(f"{right} of {total} lanes are right", file=sys.stderr)


if __name__ == "__main__":
    main()
