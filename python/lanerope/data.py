# SPDX-License-Identifier: Apache-2.0
"""Data in and out: traces and questions as JSON lines, a pandas frame or an Arrow table; results as frames. Needs ``lanerope[data]`` for frames."""

import json
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from ._errors import InvalidRequest, ModelError
from ._result import Result

Row = dict[str, Any]


def read_rows(source: str | PathLike[str] | Iterable[Mapping[str, Any]] | Any) -> list[Row]:
    """Rows out of a file of JSON lines, a pandas frame, an Arrow table, or anything that gives dicts."""
    if isinstance(source, (str, PathLike)):
        return _read_lines(Path(source))
    if hasattr(source, "to_pylist"):  # Arrow
        return list(source.to_pylist())
    if hasattr(source, "to_dict") and hasattr(source, "columns"):  # pandas
        return [{str(key): value for key, value in row.items()} for row in source.to_dict("records")]
    rows = []
    for row in source:
        if not isinstance(row, Mapping):
            raise TypeError(f"rows must be dicts, and one is a {type(row).__name__}")
        rows.append(dict(row))
    return rows


def _read_lines(file: Path) -> list[Row]:
    if not file.exists():
        raise FileNotFoundError(2, "there is no such file", str(file))
    rows = []
    # Texts may hold what splitlines() takes for the end of a line.
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ModelError(f"{file}, line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise ModelError(f"{file}, line {number} is not a JSON object")
        rows.append(row)
    return rows


def read_traces(source: str | PathLike[str] | Iterable[Mapping[str, Any]] | Any) -> Any:
    """Traces (docs/data.md) as a pandas frame: a row a group, with question, answer, lanes and what else a line has."""
    rows = read_rows(source)
    for number, row in enumerate(rows, 1):
        if not isinstance(row.get("question"), str):
            raise ModelError(f'trace {number} has no "question"; give it as a text')
    return frame(rows)


def write_traces(traces: Any, file: str | PathLike[str]) -> None:
    """Traces as JSON lines, as the trainer reads them."""
    rows = read_rows(traces)
    lines = []
    for row in rows:
        kept = {key: _plain(value) for key, value in row.items() if not _missing(value)}
        if not isinstance(kept.get("question"), str):
            raise InvalidRequest('a trace needs a "question", as a text')
        lines.append(json.dumps(kept, ensure_ascii=False, allow_nan=False) + "\n")
    Path(file).write_text("".join(lines), encoding="utf-8")


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def lanes_frame(result: Result) -> Any:
    """A result's lanes as a pandas frame: a row a lane."""
    rows = []
    for m, lane in enumerate(result.lanes):
        rows.append(
            {
                "lane": m,
                "text": lane.text,
                "answer": lane.answer,
                "answer_from": lane.answer_from,
                "finish": lane.finish,
                "generated": lane.generated,
                "mean_logprob": lane.mean_logprob,
                "selected": m == result.selected,
            }
        )
    return frame(rows)


def tokens_frame(result: Result) -> Any:
    """A result's tokens as a pandas frame: a row a token, with its lane, step, id and log-probability (none where it was forced)."""
    rows = []
    for m, lane in enumerate(result.lanes):
        for step, token, logprob in zip(lane.steps.tolist(), lane.tokens.tolist(), lane.logprobs.tolist()):
            rows.append({"lane": m, "step": step, "token": token, "logprob": logprob})
    return frame(rows)


def trace_of(question: str, answer: str, result: Result, *, labels: bool = True) -> Row:
    """A group that was answered as a trace for the trainer; with labels, those lanes are true whose answer says what `answer` says."""
    from . import _core

    row: Row = {"question": question, "answer": answer, "lanes": [lane.text for lane in result.lanes]}
    if labels:
        row["labels"] = [lane.answer is not None and _core.same_answer(lane.answer, answer) for lane in result.lanes]
    row["ended"] = [lane.finish in ("end", "stop") for lane in result.lanes]
    return row


def frame(rows: list[Row]) -> Any:
    """Rows as a pandas frame."""
    try:
        import pandas
    except ImportError as error:
        raise ModuleNotFoundError("frames need pandas: pip install 'lanerope[data]'") from error
    return pandas.DataFrame(rows)


def table(rows: list[Row]) -> Any:
    """Rows as an Arrow table."""
    try:
        import pyarrow
    except ImportError as error:
        raise ModuleNotFoundError("Arrow tables need pyarrow: pip install 'lanerope[data]'") from error
    return pyarrow.Table.from_pylist(rows)
