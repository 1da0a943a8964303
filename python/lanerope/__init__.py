# SPDX-License-Identifier: Apache-2.0
"""Lanes: one language model answers a prompt with N texts at once, which are computed together, token by token.

    import lanerope
    model = lanerope.Model("model.gguf")
    result = model.generate("What is 17 * 23?", lanes=4, seed=1)
    print(result.answer, [lane.text for lane in result.lanes])
"""

from pathlib import Path as _Path

from . import _core
from ._core import Event, device_names, find_answer, listed_answers, same_answer

# A wheel brings ggml's back ends along; otherwise they are where ggml was installed.
if (_Path(__file__).parent / "ggml").is_dir():
    _core.set_back_end_folder(str(_Path(__file__).parent / "ggml"))

from ._engine import Engine  # noqa: E402
from ._errors import DeviceError, DoesNotFit, Error, InvalidRequest, ModelError  # noqa: E402
from ._model import Model, Policy, bundled_adapter, bundled_model  # noqa: E402
from ._options import (  # noqa: E402
    Coupling,
    CouplingOptions,
    FarLanes,
    Init,
    KvType,
    Message,
    Options,
    Prompt,
    PromptOptions,
    ScoreOptions,
    Select,
    Topology,
    Visibility,
    VoteWeight,
)
from ._result import Act, Attention, Certainty, Lane, Probe, Result, ScoredLane, ToolCall, Vote  # noqa: E402
from ._stream import Stream  # noqa: E402
from .evaluation import Evaluation, evaluate, read_results  # noqa: E402

__version__: str = _core.version()

__all__ = [
    "Act",
    "Attention",
    "Certainty",
    "Coupling",
    "CouplingOptions",
    "DeviceError",
    "DoesNotFit",
    "Engine",
    "Error",
    "Evaluation",
    "Event",
    "FarLanes",
    "Init",
    "InvalidRequest",
    "KvType",
    "Lane",
    "Message",
    "Model",
    "ModelError",
    "Options",
    "Policy",
    "Probe",
    "Prompt",
    "PromptOptions",
    "Result",
    "ScoreOptions",
    "ScoredLane",
    "Select",
    "Stream",
    "ToolCall",
    "Topology",
    "Visibility",
    "Vote",
    "VoteWeight",
    "bundled_adapter",
    "bundled_model",
    "device_names",
    "evaluate",
    "find_answer",
    "listed_answers",
    "read_results",
    "same_answer",
]
