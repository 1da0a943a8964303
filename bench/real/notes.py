#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many notes (`<<48/2=24>>`, GSM8K's) the lanes of an evaluation wrote, and how many of them say what their expression comes to.

  python3 bench/real/notes.py FOLDER

FOLDER is the --out of `lanerope eval`. What is no sum, difference, product or quotient of numbers is not counted.
"""

import ast
import collections
import fractions
import operator
import pathlib
import re
import sys

from groups import recorded

NOTE = re.compile(r"<<([^<>=]+)=([^<>]*)>>")
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.USub: operator.neg, ast.UAdd: operator.pos}


def value(text):
    """What an expression comes to, exactly; None where it is none."""

    def of(node):
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return fractions.Fraction(str(node.value))
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](of(node.left), of(node.right))
        if isinstance(node, ast.UnaryOp):
            return OPERATORS[type(node.op)](of(node.operand))
        raise KeyError(type(node))

    try:
        return of(ast.parse(re.sub(r"[$,\s]", "", text), mode="eval").body)
    except (KeyError, SyntaxError, ValueError, ZeroDivisionError, RecursionError, MemoryError):
        return None


def is_right(expression, result):
    """Whether the result is the expression's to the digits that it has; None where either is no number."""
    wanted, said = value(expression), value(result)
    if wanted is None or said is None:
        return None
    digits = len(result.partition(".")[2].strip())
    return abs(wanted - said) <= fractions.Fraction(1, 2 * 10**digits) if digits else wanted == said


def count(folder):
    """{arm: Counter of True and False}"""
    arms = {}
    for record in recorded(folder):
        counts = arms.setdefault(record["arm"], collections.Counter())
        for lane in record["lanes"]:
            counts.update(right for right in (is_right(*note) for note in NOTE.findall(lane["text"])) if right is not None)
    return arms


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: notes.py FOLDER")
    try:
        arms = count(pathlib.Path(sys.argv[1]))
    except OSError as error:
        sys.exit(f"{error.filename} cannot be read: {error.strerror}")
    print("| arm | notes | of them wrong |\n|---|---|---|")
    for arm, counts in arms.items():
        total = counts.total()
        print(f"| {arm} | {total} | {100 * counts[False] / total:.1f} % |" if total else f"| {arm} | 0 | |")


if __name__ == "__main__":
    main()
