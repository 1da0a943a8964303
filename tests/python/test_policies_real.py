# SPDX-License-Identifier: Apache-2.0
"""bench/real/policies.py: votes, the line of plain lanes and a policy beside it, on records written out by hand."""

import json
import pathlib
import subprocess
import sys

import pytest

FILE = pathlib.Path(__file__).parents[2] / "bench/real/policies.py"
sys.path.insert(0, str(FILE.parent))
import policies  # noqa: E402


@pytest.mark.parametrize("answers, right", [(["7", "7", "8"], 1), (["7", "8"], 0.5), (["7.0", "1,007", "7"], 1), ([None, None], 0), ([None, "8"], 0), (["x", "7", "x", "7.00"], 0.5)])
def test_votes(answers, right):
    assert policies.voted(answers, "7") == right


def lane(answer, length):
    return {"length": length, "settled": [[length, answer]] if answer else []}


@pytest.fixture
def folder(tmp_path):
    truths = ["1", "2"]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps({"question": "?", "answer": f"so\n#### {truth}"}) + "\n" for truth in truths))
    records = [{"settings_of": "plain"}, {"settings_of": "fewer"}, {"settings_of": "begun"}]
    for question, truth in enumerate(truths):
        records.append({"arm": "plain", "question": question, "lanes": [lane(truth, 100), lane("0", 100), lane(truth, 100), lane(None, 300)]})
        records.append({"arm": "fewer", "question": question, "lanes": [lane(truth, 75), lane(truth, 175) | {"start_step": 100}]})
    records.append({"arm": "begun", "question": 0, "lanes": [lane("1", 75)]})
    out = tmp_path / "arms"
    out.mkdir()
    (out / "records.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return out


def test_any_plain_lanes_are_plain_lanes(folder):
    plain = policies.read(folder, folder.parent / "questions.jsonl")[0]["plain"]
    line = policies.line_of(plain, 0)
    assert [tokens for tokens, _ in line] == [150, 300, 450, 600]
    # Of one lane half are right. Of two: three pairs of a right lane and a silent one or of two right ones, two ties, and one pair that is wrong.
    assert [right for _, right in line] == [0.5, pytest.approx((1 + 0.5 + 1 + 0.5 + 0 + 1) / 6), pytest.approx((1 + 0.5 + 1 + 0.5) / 4), 1]
    assert policies.at_tokens(line, 225) == pytest.approx((0.5 + line[1][1]) / 2)
    assert policies.at_tokens(line, 1) == 0.5
    assert policies.at_tokens(line, 10_000) == 1


def test_what_ends_a_group_is_read_off_its_lanes():
    lanes = [{"length": 30, "settled": [[10, "5"], [20, "7"]]}, {"length": 25, "settled": [[22, "7.0"]]}, {"length": 40, "settled": [[15, "5"], [35, "7"]]}, {"length": 12, "settled": []}]
    assert policies.consensus(lanes, 2) == [("5", 15), (None, 15), ("5", 15), (None, 12)]
    assert policies.consensus(lanes, 3) == [("7", 30), ("7.0", 25), ("7", 35), (None, 12)]
    assert policies.consensus(lanes, 4) == [("7", 30), ("7.0", 25), ("7", 40), (None, 12)]
    assert policies.adaptive(lanes, 2, 2) == [("7", 22), ("7.0", 22)]
    assert policies.adaptive(lanes[::2] + lanes[1::2], 2, 2) == [("5", 15), ("5", 15)]
    assert policies.adaptive([lanes[0], lanes[3], lanes[1], lanes[3]], 2, 2) == [("7", 30), (None, 12), ("7.0", 22), (None, 12)]
    assert policies.adaptive(lanes[:2], 3, 2) == [("7", 30), ("7.0", 25)]
    # Twelve steps of four tokens, then three at a time: 48 + 3 * 13 = 87, then two until 30, then one.
    assert policies.purse(lanes, 50) == [("5", 12), (None, 12), (None, 12), (None, 12)]
    assert policies.purse(lanes, 51) == [("5", 13), (None, 13), (None, 13), (None, 12)]
    assert policies.purse(lanes, 1000) == policies.cut(lanes, 40)


def test_a_group_that_ran_is_compared_with_what_was_read_off(folder):
    record = {"arm": "consensus", "question": 0, "lanes": [lane("1", 100), lane("0", 100), lane("1", 100), lane(None, 300)]}
    with open(folder / "records.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    done = subprocess.run([sys.executable, FILE, folder], capture_output=True, text=True, check=True)
    assert "1 groups that ran under such policies are what was read off" in done.stderr
    record["lanes"][3]["length"] = 299
    with open(folder / "records.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    refused = subprocess.run([sys.executable, FILE, folder], capture_output=True, text=True, check=False)
    assert "question 0 under consensus went otherwise" in refused.stderr


def test_a_policy_is_compared_at_the_tokens_that_it_took(folder):
    done = subprocess.run([sys.executable, FILE, folder], capture_output=True, text=True, check=True)
    assert "2 questions" in done.stdout
    assert "| fewer | 150 | 100.0 [100.0, 100.0] | -75 % [-75, -75], +0.0 [+0.0, +0.0] | -75 % [-75, -75], +0.0 [+0.0, +0.0] | +50.0 [+50.0, +50.0] |" in done.stdout
    assert "begun" not in done.stdout
    assert "left out: begun" in done.stderr
    refused = subprocess.run([sys.executable, FILE, folder, "--plain", "other"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr == "policies.py: there is no arm other to compare with; name it with --plain\n"
