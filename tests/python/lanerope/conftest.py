# SPDX-License-Identifier: Apache-2.0
"""What the tests of the package lanerope share: small random models, made by script/test-python, and the command line beside them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

try:
    import lanerope  # noqa: F401
except ImportError:  # the sources alone, as the tests of lanerope_torch have them
    collect_ignore_glob = ["test_*.py"]

MODELS = Path(os.environ.get("LANEROPE_TEST_MODELS", "/nowhere"))


@pytest.fixture(scope="session")
def tiny_file():
    """A random model of three layers, with a tokenizer of bytes and a chat template."""
    if not (MODELS / "tiny.gguf").exists():
        pytest.skip("script/test-python makes the models")
    return str(MODELS / "tiny.gguf")


@pytest.fixture(scope="session")
def adapter_file(tiny_file):
    """An adapter for it that says it was trained with lanes."""
    return str(MODELS / "adapter.gguf")


@pytest.fixture(scope="session")
def llama_file(tiny_file):
    """A random llama, whose rows of q and k lie pair by pair."""
    return str(MODELS / "llama.gguf")


@pytest.fixture(scope="session")
def llama_adapter(tiny_file):
    """An adapter for it."""
    return str(MODELS / "llama-adapter.gguf")


@pytest.fixture(scope="session")
def tiny(tiny_file):
    import lanerope

    return lanerope.Model(tiny_file, threads=1)


@pytest.fixture(scope="session")
def slow(tiny_file):
    """A random model with a step of some milliseconds, so that there is time to interrupt it."""
    import lanerope

    return lanerope.Model(str(MODELS / "slow.gguf"), threads=1)


@pytest.fixture(scope="session")
def command():
    """Runs the command line and gives its standard output."""
    program = os.environ.get("LANEROPE_PROGRAM")
    if program is None:
        pytest.skip("script/test-python knows where the command line is")

    def run(*arguments):
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        return subprocess.run([program, *arguments], check=True, capture_output=True, text=True, timeout=120, env=environment).stdout

    return run
