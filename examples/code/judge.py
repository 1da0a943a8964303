# SPDX-License-Identifier: Apache-2.0
"""Judges functions that lanes wrote by tests: how many pass, and the first that does not. What lanes write is run in an interpreter of its own, with two
seconds, half a GiB, an empty folder, and no network where this may make a namespace without one.

As a program it is a verifier (`--select verifier --verifier "python3 examples/code/judge.py"`): a JSON line a lane in, the share of tests passed a line out.
"""

import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile

NAME = "next_palindrome"
TESTS = [(0, 1), (9, 11), (99, 101), (808, 818), (999, 1001), (1234, 1331), (1299, 1331), (12345, 12421)]
SECONDS = 2


def code_of(text):
    """The last whole block of code that defines the function."""
    blocks = [block for block in re.findall(r"```(?:python)?\n(.*?)```", text, re.DOTALL) if f"def {NAME}" in block]
    return blocks[-1] if blocks else None


def bound():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def without_network():
    command = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") and subprocess.run([*command, "true"], stderr=subprocess.DEVNULL).returncode == 0:
        return command
    return []


def judge(text):
    """(share of tests that pass, the first failure in a sentence or None)."""
    code = code_of(text)
    if code is None:
        return 0.0, "there is no code block with the function"
    program = f"""{code}
for given, wanted in {TESTS!r}:
    try:
        print(repr({NAME}(given)), flush=True)
    except Exception as error:
        print(type(error).__name__, flush=True)
"""
    with tempfile.TemporaryDirectory() as folder:
        command = [*without_network(), sys.executable, "-I", "-c", program]
        try:
            done = subprocess.run(command, cwd=folder, preexec_fn=bound, timeout=2 * SECONDS, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            lines = done.stdout.split("\n")
        except subprocess.TimeoutExpired as cut:
            lines = (cut.stdout or b"").decode().split("\n")
    said = [*lines, *["nothing"] * len(TESTS)]
    passed = [said[i] == repr(wanted) for i, (_, wanted) in enumerate(TESTS)]
    if all(passed):
        return 1.0, None
    at = passed.index(False)
    given, wanted = TESTS[at]
    return sum(passed) / len(TESTS), f"{NAME}({given}) gave {said[at] or 'nothing'}, {wanted} is right"


if __name__ == "__main__":
    for line in sys.stdin:
        print(judge(json.loads(line)["text"])[0], flush=True)
