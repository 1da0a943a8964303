# SPDX-License-Identifier: Apache-2.0
"""script/device as it is tried where there is no GPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

SCRIPT = Path(__file__).resolve().parents[2] / "script/device"


def run(*words):
    return subprocess.run([SCRIPT, *words], env={"PYTHON": sys.executable, "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=600)


def test_dry_measures_all_of_it(tmp_path):
    done = run("--dry", "--out", str(tmp_path / "lines"))
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "lines").read_text().splitlines()]
    losses = next(line["losses"] for line in lines if "losses" in line)
    assert losses["right"] and len(losses["cpu"]) == 3 and len(set(losses["cpu"])) == 3
    assert [line["training"]["type"] for line in lines if "training" in line] == ["float32", "bfloat16"]
    assert all(line["training"]["tokens_a_second"] > 0 for line in lines if "training" in line)
    steps = [line["steps"] for line in lines if "steps" in line]
    assert [step["lanes"] for step in steps] == [1, 4]
    assert all(step["ratio"] > 0 for step in steps)


def test_dry_measures_the_trainer_in_cpp_too(tmp_path):
    folder = os.environ.get("LANEROPE_TRAINER")
    if not folder:
        pytest.skip("script/test-python builds lanerope-train")
    done = run("--dry", "--trainer", folder, "--out", str(tmp_path / "lines"))
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "lines").read_text().splitlines()]
    losses = next(line["trainer_losses"] for line in lines if "trainer_losses" in line)
    assert losses["right"] and len(losses["cpu"]) == 3 and losses["cpu"][0] > losses["cpu"][-1]
    speeds = [line["trainer"] for line in lines if "trainer" in line]
    assert [speed["type"] for speed in speeds] == ["f32", "bf16"] and all(speed["tokens_a_second"] > 0 for speed in speeds)


def test_says_what_the_trainer_lacks(tmp_path):
    done = run("--dry", "--trainer", str(tmp_path))
    assert done.returncode == 1 and "lanerope-toy" in done.stderr and "Traceback" not in done.stderr


def test_says_that_there_is_no_gpu():
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    done = run()
    assert done.returncode == 1 and "--dry" in done.stderr and "Traceback" not in done.stderr
