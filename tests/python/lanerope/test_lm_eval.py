# SPDX-License-Identifier: Apache-2.0
"""lm-evaluation-harness with the model `lanerope`, on tasks of local data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lanerope

pytest.importorskip("lm_eval")

CHOICES = """
task: lanes_choices
dataset_path: json
dataset_kwargs: {data_files: {test: choices.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: "{{choices}}"
doc_to_target: "{{answer}}"
target_delimiter: ""
metric_list: [{metric: acc}]
"""
WRITTEN = """
task: lanes_written
dataset_path: json
dataset_kwargs: {data_files: {test: written.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
generation_kwargs: {until: ["\\n\\n"], max_gen_toks: 100, do_sample: true, temperature: 0.6}
metric_list: [{metric: exact_match}]
"""
STORE = "Amy counts tiles in 2 stores. Store 1: {} full boxes of 5 tiles. Store 2: 3 full boxes of 4 tiles. Give the total number of tiles."


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Runs both tasks in one go and gives what the harness logged of each, by task."""
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "choices.yaml").write_text(CHOICES)
    (folder / "written.yaml").write_text(WRITTEN)
    choices = [{"question": STORE.format(n), "choices": [" one", " 2\n", "1:"], "answer": n % 3} for n in range(2, 8)]
    (folder / "choices.jsonl").write_text("".join(json.dumps(row) + "\n" for row in choices))
    (folder / "written.jsonl").write_text("".join(json.dumps({"question": STORE.format(n), "answer": str(5 * n + 12)}) + "\n" for n in range(2, 6)))
    program = Path(sys.executable).parent / "lanerope-lm-eval"
    command = [program, "run", "--model", "lanerope", "--model_args", "lanes=2,threads=1", "--tasks", "lanes_choices,lanes_written"]
    command += ["--include_path", folder, "--log_samples", "--output_path", folder / "out"]
    environment = {**os.environ, "HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "cache")}
    done = subprocess.run([*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    found = {}
    for file in (folder / "out").rglob("samples_*.jsonl"):
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        found["choices" if "choices" in file.name else "written"] = sorted(rows, key=lambda row: row["doc_id"])
    return found


@pytest.mark.parametrize(
    ("options", "task", "temperature"),
    [
        ({}, {}, 0.0),
        ({}, {"do_sample": True}, None),
        ({}, {"do_sample": True, "temperature": 0.6}, 0.6),
        ({}, {"do_sample": False, "temperature": 0.6}, 0.0),
        ({"temperature": 0.7}, {}, 0.7),
        ({"temperature": 0.7}, {"do_sample": True}, 0.7),
        ({"temperature": 0.7}, {"temperature": 0.0}, 0.0),
        ({"lanes": 4}, {}, None),
        ({"lanes": 4}, {"temperature": 0.6}, 0.6),
        ({"lanes": 4}, {"do_sample": False}, None),
        ({"lanes": 4, "temperature": 0.7}, {"temperature": 0.0}, 0.7),
    ],
)
def test_the_temperature_is_the_tasks_where_it_says_one(options, task, temperature):
    from lanerope.lm_eval import LaneropeLM

    assert LaneropeLM(threads=1, **options)._options_for(task).get("temperature") == temperature


def test_no_groups_at_once_are_refused():
    from lanerope.lm_eval import LaneropeLM

    with pytest.raises(lanerope.InvalidRequest, match="parallel is 0"):
        LaneropeLM(parallel=0)


def test_log_likelihoods_are_those_of_one_lane(samples):
    model = lanerope.Model(threads=1)
    assert len(samples["choices"]) == 6
    for row in samples["choices"]:
        for choice, response in zip(row["doc"]["choices"], row["resps"]):
            whole, context = (model.tokenize(row["doc"]["question"] + text) for text in (choice, ""))
            (scored,) = model.score(context, [whole[len(context) :]], coupling="independent")
            assert abs(float(response[0][0]) - scored.sum) < 1e-2


def test_generated_texts_are_those_of_the_selected_lane(samples):
    model = lanerope.Model(threads=1)
    assert len(samples["written"]) == 4
    for row in samples["written"]:
        result = model.generate(row["doc"]["question"], raw=True, lanes=2, max_tokens=100, seed=1, temperature=0.6, stop="\n\n")
        assert row["resps"][0][0] == result.text
