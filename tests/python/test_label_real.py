# SPDX-License-Identifier: Apache-2.0
"""bench/real/label.py: which lanes of a rollout are right by what they did themselves."""

import json
import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).parents[2] / "bench/real/label.py"
sys.path.insert(0, str(SCRIPT.parent))
import label  # noqa: E402


def lane(result, listed, number=1):
    return f"Problem {number}:\nbecause\nAnswer {number}: {result} \u2713 await\n#### ({listed})"


def labels(*lanes, parts=("3", "7"), **more):
    return label.labels_of({"parts": list(parts), "lanes": list(lanes), **more})


def test_a_lane_is_right_by_its_own_problem_and_by_what_it_took_over():
    assert labels(lane(3, "3, 7"), lane(7, "3, 7", 2)) == [True, True]
    # The second lane's problem is wrong, which is not the first one's fault.
    assert labels(lane(3, "3, 8"), lane(8, "3, 8", 2)) == [True, False]
    # Right by chance, but nobody had found it.
    assert labels(lane(3, "3, 7"), lane(8, "3, 8", 2)) == [False, False]
    assert labels(lane(4, "4, 7"), lane(7, "4, 7", 2)) == [False, True]


def test_where_lanes_differ_either_result_may_be_taken():
    assert labels(lane(3, "3, 7"), lane(4, "3, 7"), lane(7, "4, 7", 2)) == [True, False, True]


def test_a_lane_that_solved_nothing_or_did_not_end_is_wrong():
    assert labels("#### (3, 7)", lane(3, "3, 7"), lane(7, "3, 7", 2)) == [False, True, True]
    assert labels(lane(3, "3, 7"), lane(7, "3, 7", 2), ended=[False, True]) == [False, True]
    assert labels("Answer 1: 3 \u2713", lane(7, "3, 7", 2)) == [False, True]


def test_the_program_keeps_what_it_does_not_judge(tmp_path):
    file = tmp_path / "rollouts.jsonl"
    odd = "a\u2028b"
    file.write_text(
        json.dumps({"question": odd, "answer": "3", "lanes": ["x"], "labels": [True]}, ensure_ascii=False)
        + "\n"
        + json.dumps({"question": "q", "parts": ["3", "7"], "lanes": [lane(3, "3, 7"), lane(7, "3, 7", 2)], "labels": [False, False]})
        + "\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, SCRIPT, file], capture_output=True, text=True, check=True)
    first, second = (json.loads(line) for line in done.stdout.split("\n")[:2])
    assert first["labels"] == [True] and first["question"] == odd
    assert second["labels"] == [True, True]
    assert "3 of 3 lanes are right" in done.stderr
    assert subprocess.run([sys.executable, SCRIPT, tmp_path / "none"], capture_output=True, check=False).returncode == 1
