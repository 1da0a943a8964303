# SPDX-License-Identifier: Apache-2.0
"""Judges the pairs of tests/answers/pairs with Math-Verify as well and prints, for each kind, how often both agree and
every pair on which they do not.

    python3 -m venv /tmp/math-verify && /tmp/math-verify/bin/pip install 'math-verify[antlr4_13_2]'
    /tmp/math-verify/bin/python tests/answers/agree_with_math_verify.py [--list]

The verdict of a file is lanerope's: the tests hold it to that."""

import logging
import pathlib
import sys

from math_verify import parse, verify

logging.disable(logging.CRITICAL)
PAIRS = pathlib.Path(__file__).parent / "pairs"


def tree(text):
    return parse(f"\\boxed{{{text}}}" if "$" in text else f"${text}$")


def judged(a, b):
    """Math-Verify asks which of the two is the truth; here it may be either."""
    try:
        left, right = tree(a), tree(b)
        return bool(verify(left, right)) or bool(verify(right, left))
    except Exception:  # what it cannot read, it does not accept
        return False


def main():
    print(f"{'kind':<20}{'pairs':>7}{'agree':>7}{'accepts':>9}{'rejects':>9}")
    total = agreed = 0
    for file in sorted(PAIRS.glob("*.tsv")):
        rows = [line.rstrip("\n").split("\t") for line in file.open() if not line.startswith("#")]
        accepts, rejects = [], []
        for mark, a, b in rows:
            ours, theirs = mark == "=", judged(a, b)
            if theirs and not ours:
                accepts.append((a, b))
            if ours and not theirs:
                rejects.append((a, b))
        same = len(rows) - len(accepts) - len(rejects)
        total += len(rows)
        agreed += same
        print(f"{file.stem:<20}{len(rows):>7}{same:>7}{len(accepts):>9}{len(rejects):>9}", flush=True)
        if "--list" in sys.argv:
            for name, pairs in (("it accepts", accepts), ("it rejects", rejects)):
                for a, b in pairs:
                    print(f"    {name}: {a} | {b}")
    print(f"{'all':<20}{total:>7}{agreed:>7}")


main()
