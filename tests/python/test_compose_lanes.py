# SPDX-License-Identifier: Apache-2.0
"""What lanes write about several problems, against `lanerope data compose --lanes`."""

import json
import pathlib
import random
import re

import pytest

from lanerope_torch import compose_lanes as compose
from lanerope_torch.sleep import SleepTokens, lane_steps


def test_schedule_and_majority():
    assert compose.schedule(6, 4) == [[0, 4], [1, 5], [2, 4], [3, 5]]
    assert compose.schedule(2, 4) == [[0], [1], [0], [1]]
    assert compose.schedule(3, 1) == [[0, 1, 2]]
    assert compose.majority([(3, "7"), (1, "8"), (2, "7")]) == "7"
    assert compose.majority([(3, "7"), (1, "8")]) == "8"


WAIT, READY = 1, 2


def encode(text):
    """A token is a character; the wait and the ready text are one each."""
    return [ord(c) for c in text.replace(compose.WAIT, chr(WAIT)).replace(compose.READY, chr(READY))]


def decode(ids):
    return "".join(map(chr, ids)).replace(chr(WAIT), compose.WAIT).replace(chr(READY), compose.READY)


def written_out(text):
    """ so*3 stands for so so so."""
    return re.sub(r" so\*(\d+)", lambda m: " so" * int(m.group(1)), text)


GOLDEN = [json.loads(line) for line in open(pathlib.Path(__file__).parent / "data/composed.jsonl", encoding="utf-8")]
ANSWERS = {"A": ("5", 2), "B": ("18", 12), "C": ("7", 40), "D": ("1200", 90), "E": ("33", 160), "F": ("64", 250)}


@pytest.mark.parametrize("line", GOLDEN, ids=[f"{x['k']} problems, {len(x['lanes'])} lanes" for x in GOLDEN])
def test_lanes_are_those_of_the_program(line):
    """data/composed.jsonl: lanerope data compose of six problems with one solution each, Qwen2.5's tokens; their lengths differ so
    much that who waits how often is the same with other tokens."""
    names = re.findall(r"What is number ([A-F])\?", line["question"])
    assert len(names) == line["k"]
    pools = [([compose.Solution(written_out(f"It is so*{ANSWERS[x][1]}."), ANSWERS[x][0], True)], []) for x in names]
    n = len(line["lanes"])
    lanes = compose.simulate(compose.draw_solutions(pools, n, random.Random(1)), n, encode, 0, [[50 + m] for m in range(n)])
    assert [lane.text for lane in lanes] == [written_out(text) for text in line["lanes"]]
    assert [decode(lane.ids[1:-1]) for lane in lanes] == [lane.text for lane in lanes]
    assert all(lane.learned == [False] + [True] * (len(lane.ids) - 1) for lane in lanes)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_results_are_written_only_when_they_can_be_read(n):
    pools = [([compose.Solution("x" * (5 + 9 * i), str(10 + i), True)], []) for i in range(4)]
    lanes = compose.simulate(compose.draw_solutions(pools, n, random.Random(1)), n, encode, 0, [[50 + m] for m in range(n)])
    assert [lane.steps for lane in lanes] == lane_steps([lane.ids for lane in lanes], SleepTokens(WAIT, READY))
    ready = max(step for lane in lanes for token, step in zip(lane.ids, lane.steps) if token == READY)
    for lane in lanes:
        assert decode(lane.ids[1:-1]).endswith("\n#### (10, 11, 12, 13)") and lane.ids[-1] == 0
        last = lane.steps[len(lane.ids) - len("#### (10, 11, 12, 13)") - 1]
        assert ready < last <= ready + 2


def test_a_lane_with_one_problem_writes_its_solution():
    solutions = compose.draw_solutions([([compose.Solution("7 it is", "7", True)], [])], 1, random.Random(1))
    (lane,) = compose.simulate(solutions, 1, encode, 0, [[]])
    assert decode(lane.ids) == "7 it is\0" and all(lane.learned) and lane.steps == list(range(8))


def test_a_wrong_solution_is_read_and_not_learned():
    pools = [([compose.Solution("right", "4", True)], [compose.Solution("wrong", "5", False)])]
    solutions = compose.draw_solutions(pools, 4, random.Random(2), wrong_share=1.0)
    lanes = compose.simulate(solutions, 4, encode, 0, [[70], [71], [72], [73]])
    texts = [decode(lane.ids) for lane in lanes]
    assert sum("wrong" in t for t in texts) == 1 and all(t.endswith("#### 4\0") for t in texts)
    bad = next(lane for lane, t in zip(lanes, texts) if "wrong" in t)
    block = 1 + len(encode("wrong\nAnswer 1: 5 ✓\n"))
    assert not any(bad.learned[:block]) and all(bad.learned[block:])


def test_lanes_that_do_the_same_problem_take_other_solutions_of_the_shorter_half():
    right = [compose.Solution(x, "4", True) for x in ("a", "b", "c", "long")]
    drawn = compose.draw_solutions([(right, [])], 3, random.Random(1))
    assert {lane[0].text for lane in drawn} == {"a", "b"}


def test_texts_that_merge_at_a_seam_are_refused():
    def merging(text):
        return encode(text.replace("\n", "") if text != "\n" else text)

    pools = [([compose.Solution("x" * (5 + 9 * i), str(i), True)], []) for i in range(2)]
    with pytest.raises(compose.Unfit):
        compose.simulate(compose.draw_solutions(pools, 2, random.Random(1)), 2, merging, 0, [[50], [51]])


@pytest.mark.parametrize("text", ["", " \n", "#### 5", "Answer 1: 5", "see Problem 2", "as <lane2> says", "They await 5 guests.", "so ✓"])
def test_a_solution_that_looks_like_a_result_is_not_fit(text):
    assert not compose.fit(text)
    assert compose.fit("So the answer is 5. Problem solved.")
