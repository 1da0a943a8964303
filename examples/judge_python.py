#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges Python programs for `lanerope eval --judge`, for sets whose rows have tests, as HumanEval's and MBPP's.

    lanerope eval -m MODEL --questions HumanEval.jsonl.gz --preset humaneval --judge "python3 examples/judge_python.py" --out results

Reads one JSON line, runs the answer with the row's tests in an interpreter of its own, and writes 1 where they pass, else 0.
The program gets ten seconds, one GiB and an empty folder, and no network where this may make a namespace without one. That
bounds accidents; for programs of a model that you do not trust, run this in a container.
"""
import json
import resource
import shutil
import subprocess
import sys
import tempfile

SECONDS = 10
BYTES = 1 << 30


def program_of(row, code):
    """A set's row and what a model wrote, with the row's tests behind it."""
    if "entry_point" in row:  # HumanEval: a model may leave out what the prompt begins with, or all but the function's body
        head, defined = row["prompt"], "def " + row["entry_point"]
        code = head[: head.index(defined)] + "\n" + code if defined in code else head + code
        return f"{code}\n{row['test']}\ncheck({row['entry_point']})\n"
    tests = row.get("test_list") or [row["test"]]
    return "\n".join([row.get("test_setup_code", ""), code, *tests]) + "\n"


def bound():
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 24, 1 << 24))


def without_network():
    command = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") and subprocess.run([*command, "true"], stderr=subprocess.DEVNULL).returncode == 0:
        return command
    return []


def passes(program):
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run([*without_network(), sys.executable, "-I", "-c", program], cwd=folder, preexec_fn=bound, timeout=SECONDS,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


if __name__ == "__main__":
    line = json.loads(sys.stdin.readline())
    print(1 if passes(program_of(line["row"], line["answer"])) else 0)
