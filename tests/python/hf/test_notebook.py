# SPDX-License-Identifier: Apache-2.0
"""The notebook in examples runs from top to bottom, and shows what it says."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
FOLDER = Path(__file__).parents[3] / "examples" / "notebook"


@pytest.fixture(scope="module")
def cells(files):
    """Its cells of code, with what they gave."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        notebook = nbformat.read(FOLDER / "lanes.ipynb", as_version=4)
        nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell, kind):
    """What a cell gave of a kind."""
    return [output["data"][kind] for output in cell.outputs if kind in output.get("data", {})]


def cell_with(cells, text):
    return next(cell for cell in cells if text in cell.source)


def test_lanes_stand_side_by_side_and_vote(cells):
    steps = shown(cell_with(cells, "steps.fillna"), "text/html")[0]
    assert all(f"lane {m}" in steps for m in (1, 2, 3, 4)) and "sum" in steps
    # The bundled model is right, and the lanes agree.
    assert "434" in shown(cell_with(cells, "result.votes"), "text/html")[0]


def test_there_are_pictures(cells):
    for what in ("plots.attention", '.plot(xlabel="step"'):
        assert len(shown(cell_with(cells, what), "image/png")) == 1


def test_what_was_trained_is_likelier_in_the_engine(cells):
    table = shown(cell_with(cells, "with the adapter"), "text/plain")[0].splitlines()
    for lane in table[1:]:
        before, after = map(float, lane.split()[-2:])
        assert after > before + 1
