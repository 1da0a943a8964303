# SPDX-License-Identifier: Apache-2.0
"""A model on the devices of a worker, in a process of its own: a client that loses its worker is ended by ggml."""

import os
import re
import subprocess
import sys

import pytest

ON_WORKER = """
import sys, lanerope
file, address = sys.argv[1:]
with lanerope.Model(file, workers=[address], threads=1) as model:
    assert model.info["device"] == "RPC0", model.info["device"]
    print(model.generate("What is there?", budget=12, temperature=0).text)
"""


@pytest.fixture
def worker():
    program = os.environ.get("LANEROPE_PROGRAM")
    if program is None or "GGML_BACKEND_PATH" not in os.environ:
        pytest.skip("script/test-python fetches ggml's RPC back end")
    child = subprocess.Popen([program, "rpc-worker", "--port", "0", "--device", "cpu", "-t", "1"], stderr=subprocess.PIPE, text=True)
    address = None
    while address is None:
        line = child.stderr.readline()
        assert line, "the worker ended"
        address = re.search(r"lending cpu on (\S+)", line)
    yield address[1]
    child.kill()
    child.wait()


def test_a_model_on_a_worker_says_what_it_says_here(worker, tiny_file, tiny):
    there = subprocess.run([sys.executable, "-c", ON_WORKER, tiny_file, worker], capture_output=True, text=True, timeout=120)
    assert there.returncode == 0, there.stderr
    assert there.stdout == tiny.generate("What is there?", budget=12, temperature=0).text + "\n"
