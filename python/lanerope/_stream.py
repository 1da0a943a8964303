# SPDX-License-Identifier: Apache-2.0
"""A running group: its events, and what may be done to it meanwhile."""

import asyncio
import weakref

from . import _core
from ._result import Probe, Result, result_of

Event = _core.Event


class _Reader:
    """Iterates over a stream's events; a stream has one at a time."""

    def __init__(self, stream: "Stream") -> None:
        self._stream = stream
        self._group = stream._group

    def __iter__(self) -> "_Reader":
        return self

    def __next__(self) -> Event:
        event = self._group.poll()
        if event is None:
            self._group.wait()
            event = self._group.poll()
        if event is None:
            raise StopIteration
        self._stream._raise_failure(event)
        return event

    def __aiter__(self) -> "_Reader":
        return self

    async def __anext__(self) -> Event:
        event = self._group.poll()
        if event is None:
            await asyncio.to_thread(self._group.wait)
            event = self._group.poll()
        if event is None:
            raise StopAsyncIteration
        self._stream._raise_failure(event)
        return event


class Stream:
    """A group that runs while its events are read, by ``for`` or ``async for``; between two of them lanes may be pushed, forked,
    spawned and retired. One that nobody holds any more is cancelled."""

    def __init__(self, group: _core.Group) -> None:
        self._group = group
        self._reader: weakref.ref[_Reader] | None = None

    def _begin(self) -> _Reader:
        if self._reader is not None and self._reader() is not None:
            raise RuntimeError("the events of this stream are being read already; a stream has one reader at a time")
        reader = _Reader(self)
        self._reader = weakref.ref(reader)
        return reader

    def __iter__(self) -> _Reader:
        return self._begin()

    def __aiter__(self) -> _Reader:
        return self._begin()

    def _raise_failure(self, event: Event) -> None:
        if event.kind == "group_finished" and event.finish == "failed":
            self._group.outcome()

    @property
    def finished(self) -> bool:
        """Whether the group has ended."""
        return self._group.finished

    def result(self) -> Result:
        """Runs the group to its end, past events that nobody read, and says what became of it. Raises what ended it, if it failed."""
        while not self._group.finished:
            self._group.wait()
            while self._group.poll() is not None:
                pass
        return result_of(self._group.outcome())

    async def aresult(self) -> Result:
        """The same, while other tasks of the event loop go on."""
        while not self._group.finished:
            await asyncio.to_thread(self._group.wait)
            while self._group.poll() is not None:
                pass
        return result_of(self._group.outcome())

    def push(self, lane: int, text: str) -> None:
        """Feeds a lane the text next, one token a step, in place of what it would have drawn."""
        self._group.push(lane, text)

    def fork(self, lane: int, step: int | None = None, text: str = "") -> int:
        """A new lane whose past is what `lane` wrote before `step` (by default all of it), fed `text` first. Its number. Needs
        room: reserved_lanes."""
        if lane < 0:
            raise _invalid(f"the group has no lane {lane} to fork")
        if step is not None and step < 0:
            raise _invalid(f"there is no step {step}; steps count from 0")
        return self._group.spawn(lane, -1 if step is None else step, text)

    def spawn(self, text: str = "") -> int:
        """A fresh lane that joins at the clock, fed its tag and `text` first. Its number. Needs room: reserved_lanes."""
        return self._group.spawn(-1, -1, text)

    def retire(self, lane: int) -> None:
        """Ends a lane; others go on reading what it wrote."""
        self._group.retire(lane)

    def cancel(self) -> None:
        """Ends the group; its result has what the lanes wrote."""
        self._group.cancel()

    def probe(self, lane: int, step: int) -> Probe:
        """Where the attention of one token went that was fed: while the group runs, or with hold=True afterwards."""
        found = self._group.probe(lane, step)
        return Probe(weights=found["weights"], parts=tuple(found["parts"]))


def _invalid(sentence: str) -> Exception:
    from ._errors import InvalidRequest

    return InvalidRequest(sentence)
