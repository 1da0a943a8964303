# SPDX-License-Identifier: Apache-2.0
"""Batches of lane traces, and the steps of lanes that wait."""

import pytest
from tokenizer import letters

from lanerope import InvalidRequest, hf
from lanerope.hf.relations import PADDING, PROMPT
from lanerope.hf.sleep import lane_steps


def row(question="abcd", lanes=("efg", "hi")):
    return {"question": question, "lanes": list(lanes)}


def test_a_group_is_the_prompt_and_its_lanes():
    batch = hf.LaneCollator(letters(), tag="#{k}")([row(), row("xy", ["z"])])
    assert batch["lane_ids"].tolist() == [
        [PROMPT] * 4 + [0] * 6 + [1] * 5,
        [PROMPT] * 2 + [0] * 2 + [PADDING] * 11,
    ]
    assert batch["position_ids"][0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 4, 5, 6, 7, 8]
    assert batch["input_ids"][0].tolist() == [ord(c) + 1 for c in "abcd#1efg"] + [0] + [ord(c) + 1 for c in "#2hi"] + [0]


def test_what_lanes_write_is_learned():
    batch = hf.LaneCollator(letters(), tag="#{k}")([row(), row("xy", ["z"])])
    several, one = batch["labels"].tolist()
    # Neither the prompt nor tags, but the end.
    assert several == [-100] * 6 + [102, 103, 104, 0] + [-100] * 2 + [105, 106, 0]
    # A lane alone has no tag, and its first token is learned from the prompt's last.
    assert one == [-100] * 2 + [123, 0] + [-100] * 11


def test_lanes_without_tags_begin_unlearned_behind_another_lane():
    labels = hf.LaneCollator(letters(), tag="")([row()])["labels"][0].tolist()
    assert labels == [-100] * 4 + [102, 103, 104, 0] + [-100, 106, 0]


def test_prompts_go_through_the_chat_template():
    tokenizer = letters()
    tokenizer.chat_template = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}>{% endif %}"
    tokens = hf.LaneCollator(tokenizer, system="s")([row("q", ["a"])])["input_ids"][0].tolist()
    assert tokens == [ord(c) + 1 for c in "[system]s[user]q>a"] + [0]


def test_lanes_that_wait_are_placed_in_time():
    # Lane 0 waits with its second token until lane 1 is ready with its fourth.
    assert lane_steps([[1, 9, 2], [3, 4, 5, 8, 6]], wait=9, ready=8) == [[0, 3, 4], [0, 1, 2, 3, 4]]
    batch = hf.LaneCollator(letters(), tag="", wait="w", ready="r")([row("q", ["awb", "cdere"])])
    assert batch["sees_others"].tolist() == [[0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]]
    # Held back until "r" has been chosen: "w" is fed beside it.
    assert batch["position_ids"][0].tolist() == [0, 1, 4, 5, 6, 1, 2, 3, 4, 5, 6]


def test_a_lane_that_was_cut_off_learns_no_end():
    collate = hf.LaneCollator(letters(), tag="#")
    cut = collate([row("q", ["ab", "c", ""]) | {"ended": [True, False, False]}])
    assert cut["input_ids"][0].tolist() == [ord("q") + 1, *(ord(c) + 1 for c in "#ab"), 0, *(ord(c) + 1 for c in "#c"), ord("#") + 1, 0]
    assert cut["labels"][0].tolist() == [-100] * 2 + [98, 99, 0, -100, 100, -100, 0]
    whole = collate([row() | {"ended": None, "second_stage": None}])
    assert whole["input_ids"].tolist() == collate([row()])["input_ids"].tolist()


@pytest.mark.parametrize(
    ("options", "bad", "says"),
    [
        ({}, {}, 'a trace needs a "question"'),
        ({}, {"question": "x"}, 'needs "lanes"'),
        ({}, {"question": "x", "lanes": []}, 'needs "lanes"'),
        ({"longest": 5}, row(), "more than the 5"),
        ({"wait": "ww"}, row(), "is 2 tokens"),
        ({"ready": "r"}, row(), "as wait, or leave ready out"),
        ({"system": "s"}, {"prompt_tokens": [5], "lanes": ["a"]}, "leave system out"),
        ({}, row() | {"ended": [True]}, "a value for each of the lanes"),
        ({}, row() | {"second_stage": {"told": "t", "written": "w"}}, "not trained here"),
    ],
)
def test_what_makes_no_group_is_refused(options, bad, says):
    with pytest.raises(InvalidRequest, match=says):
        hf.LaneCollator(letters(), **options)([bad])
