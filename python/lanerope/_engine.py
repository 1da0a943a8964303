# SPDX-License-Identifier: Apache-2.0
"""Many groups at once."""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

import numpy as np
import numpy.typing as npt

from . import _core
from ._options import KvType, Options, Prompt, ScoreOptions, prepared
from ._result import ScoredLane
from ._stream import Stream

if TYPE_CHECKING:
    from ._model import Model


class Engine:
    """Runs many groups on one model, in steps of all of them together; prompts that begin alike share what was computed of them.

    The groups go on while any of them is read: in a loop over one, in several threads, or in several tasks of an event loop.

    Args:
        cells: KV cells in all, a token of a prompt or a lane each; a group waits until its own are free.
        kv_type: How keys and values are stored.
        batch_rows: Tokens in one step; a longer prompt is read in chunks.
        keep_prefixes: Prompts that ended stay in free cells for requests that begin alike.
    """

    def __init__(self, model: "Model", *, cells: int = 8192, kv_type: KvType = "f16", batch_rows: int = 512, keep_prefixes: bool = True) -> None:
        self._model = model._core
        self._core = _core.make_engine(model._core, cells, kv_type, batch_rows, keep_prefixes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def submit(self, prompt: Prompt, **options: Unpack[Options]) -> Stream:
        """Queues a group; it starts when its cells are free. Options are those of Model.generate."""
        return Stream(self._core.submit(_core.resolve(self._model, prompt, prepared(options)), True))

    def score(
        self, prompt: str | Sequence[int], lanes: Sequence[str | Sequence[int] | npt.NDArray[np.integer[Any]]], **options: Unpack[ScoreOptions]
    ) -> list[ScoredLane]:
        """As Model.score, in this engine's cells, between two steps of its groups."""
        return [ScoredLane(**lane) for lane in self._core.score(self._model, prompt, lanes, prepared(options))]

    def close(self) -> None:
        """Gives the cells back; groups that still run end, and cannot be read any further."""
        self._core.close()

    @property
    def closed(self) -> bool:
        return self._core.closed

    @property
    def state(self) -> dict[str, int]:
        """What runs right now: groups, queued_groups, held_groups, lanes, cells, cells_used, cells_kept, steps."""
        return self._core.state()
