#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The frozen sets `compose-2`, `-3`, `-4` and `-6`: 300 questions each of so many problems of GSM8K's test part, in the model's reach or not.

  python3 bench/real/sets.py GSM8K/test.jsonl K > compose-K.jsonl

The questions are made anew and compared with the SHA-256 in sets.json, which was written down before the first sample was drawn.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "python"))
from lanerope_torch import compose  # noqa: E402


def as_asked(group):
    """A question as `lanerope eval` reads it."""
    return {"question": group["question"], "answer": f"({', '.join(group['answers'])})", "parts": group["answers"], "k": group["k"]}


def frozen(file, k):
    """The questions of a set, or the sentence that says why there are none."""
    name, known = f"compose-{k}", json.loads((HERE / "sets.json").read_text(encoding="utf-8"))["digests"]
    if name not in known:
        return f"there is no set {name}; there are {', '.join(known)}"
    try:
        problems = compose.load_problems(file)
    except OSError as error:
        return f"{error.filename} cannot be read: {error.strerror}"
    except (KeyError, IndexError, ValueError):
        return f"{file} is not GSM8K's test part: its lines have a question and an answer with ####"
    groups = [group for group in compose.test_sets(problems, range(len(problems)), 1, "compose") if group["set"] == name]
    if compose.digest(groups) != known[name]:
        return f"{file} gives other questions than those that were frozen; it is not the whole test part of GSM8K in its order"
    return [as_asked(group) for group in groups]


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: sets.py GSM8K/test.jsonl K")
    asked = frozen(sys.argv[1], sys.argv[2])
    if isinstance(asked, str):
        sys.exit(asked)
    for question in asked:
        print(json.dumps(question, ensure_ascii=False))


if __name__ == "__main__":
    main()
