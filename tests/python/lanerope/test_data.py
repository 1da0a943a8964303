# SPDX-License-Identifier: Apache-2.0
"""Data in and out as files, frames and tables."""

import json

import numpy as np
import pytest

import lanerope
from lanerope import data

pandas = pytest.importorskip("pandas")
pyarrow = pytest.importorskip("pyarrow")

ROWS = [{"question": "1 + 1?", "answer": "2", "lanes": ["2", "zwei"], "labels": [True, False]}, {"question": "2 + 2?", "answer": "4"}]


def test_rows_come_from_files_frames_tables_and_dicts(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text("\ufeff" + "".join(json.dumps(row) + "\n\n" for row in ROWS))
    short = [{"question": row["question"], "answer": row["answer"]} for row in ROWS]
    assert data.read_rows(file) == data.read_rows(iter(ROWS)) == ROWS
    assert data.read_rows(pandas.DataFrame(short)) == data.read_rows(pyarrow.Table.from_pylist(short)) == short


def test_traces_there_and_back(tmp_path):
    data.write_traces(ROWS, tmp_path / "a.jsonl")
    frame = data.read_traces(tmp_path / "a.jsonl")
    assert list(frame["question"]) == ["1 + 1?", "2 + 2?"]
    data.write_traces(frame, tmp_path / "b.jsonl")
    assert data.read_rows(tmp_path / "b.jsonl") == ROWS


def test_a_text_may_hold_what_other_programs_end_a_line_at(tmp_path):
    rows = [{"question": "one\u2028two\x85three", "answer": "2"}, ROWS[1]]
    data.write_traces(rows, tmp_path / "a.jsonl")
    assert data.read_rows(tmp_path / "a.jsonl") == rows
    (tmp_path / "b.jsonl").write_bytes(b'{"question": "x"}\r\n\r\n{"question": "y"}')
    assert [row["question"] for row in data.read_rows(tmp_path / "b.jsonl")] == ["x", "y"]


def test_bad_rows_are_refused(tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"question": "x"}\n{"question"')
    with pytest.raises(lanerope.ModelError, match="line 2"):
        data.read_rows(tmp_path / "bad.jsonl")
    with pytest.raises(FileNotFoundError):
        data.read_rows(tmp_path / "nothing.jsonl")
    with pytest.raises(lanerope.ModelError, match="question"):
        data.read_traces([{"answer": "x"}])
    with pytest.raises(TypeError, match="dicts"):
        data.read_rows([1, 2])


def test_a_result_as_frames_and_as_a_trace(tiny):
    result = tiny.generate("abc", lanes=2, budget=6, seed=1, tag="x", choices=["12", "34"])
    lanes = data.lanes_frame(result)
    assert list(lanes["text"]) == [lane.text for lane in result.lanes]
    assert lanes["selected"].sum() == 1
    tokens = data.tokens_frame(result)
    assert list(tokens["token"]) == [t for lane in result.lanes for t in lane.tokens.tolist()]
    assert np.isnan(tokens["logprob"].iloc[0])
    trace = data.trace_of("which?", "12.0", result)
    assert trace["labels"] == [lane.answer == "12" for lane in result.lanes]
    assert trace["lanes"] == [lane.text for lane in result.lanes]
