# SPDX-License-Identifier: Apache-2.0
"""What the tests of lanerope.hf share: random models of f32 weights, which script/test-python makes, in both implementations."""

import os
from pathlib import Path

import pytest

try:
    import lanerope.hf  # noqa: F401
    import torch
except ImportError:  # without torch and transformers
    collect_ignore_glob = ["test_*.py"]
else:
    torch.set_num_threads(1)  # several wait for one another, spinning, where the cores are busy

MODELS = Path(os.environ.get("LANEROPE_TEST_MODELS", "/nowhere"))
ARCHITECTURES = ("llama", "qwen2", "qwen3", "gemma3", "smollm3")


@pytest.fixture(scope="session")
def files():
    """The random model's file of each architecture."""
    found = {name: MODELS / f"hf-{name}.gguf" for name in ARCHITECTURES}
    if not all(file.exists() for file in found.values()):
        pytest.skip("script/test-python makes the models")
    return {name: str(file) for name, file in found.items()}


@pytest.fixture(params=ARCHITECTURES)
def architecture(request):
    """Each in turn."""
    return request.param
