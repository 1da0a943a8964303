# SPDX-License-Identifier: Apache-2.0
"""Lane traces as batches for a trainer of transformers or TRL."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .._errors import InvalidRequest
from .relations import PADDING, PROMPT
from .sleep import lane_steps, sees_others
from .tokens import tokens_of

IGNORED = -100


class LaneCollator:
    """Turns rows of traces (docs/data.md: ``question``, ``lanes``) into what an attached model trains on.

    A group is one row of the batch: the prompt, then lane after lane, each its tag, its text and, unless its ``ended`` says that it was cut off, the
    end token. The index of a lane's token is the prompt's length and its step. Learned is what lanes write; prompts and tags are not.

    For TRL: ``SFTTrainer(..., data_collator=LaneCollator(tokenizer))`` with ``SFTConfig(remove_unused_columns=False, packing=False,
    dataset_kwargs={"skip_prepare_dataset": True})``.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        tag: str = "<lane{k}>",
        wait: str = "",
        ready: str = "",
        system: str = "",
        end: int | None = None,
        longest: int = 0,
    ) -> None:
        """``tokenizer``: of transformers, or a lanerope.Model for its own. ``tag``: what each lane of several is fed first. ``wait``, ``ready``:
        the tokens of lanes that sleep. ``end``: the token behind a lane (None: the tokenizer's). ``longest``: groups of more tokens are refused
        (0: none)."""
        self._tokens = tokens_of(tokenizer)
        self._tag, self._system, self._longest = tag, system, longest
        self._wait, self._ready = self._one(wait), self._one(ready)
        if ready and not wait:
            raise InvalidRequest("ready wakes lanes that wait; give the token that they wait with as wait, or leave ready out")
        own = self._tokens.end if end is None else end
        if own is None:
            raise InvalidRequest("the tokenizer has no end token; give one as end")
        self._end: int = own

    def _one(self, text: str) -> int:
        if not text:
            return -1
        tokens = self._tokens.of_text(text)
        if len(tokens) != 1:
            raise InvalidRequest(f'"{text}" is {len(tokens)} tokens; lanes wait with a single one')
        return tokens[0]

    def _prompt(self, row: Mapping[str, Any]) -> list[int]:
        if "prompt_tokens" in row:
            if self._system:
                raise InvalidRequest("a trace has prompt_tokens, which a system message does not go into; leave system out, or give its question")
            return [int(token) for token in row["prompt_tokens"]]
        return self._tokens.of_question(row["question"], self._system)

    def group(self, row: Mapping[str, Any]) -> dict[str, list[int]]:
        """One group, [tokens]: input_ids, position_ids, lane_ids and labels; with lanes that wait sees_others too."""
        if "question" not in row and "prompt_tokens" not in row:
            raise InvalidRequest('a trace needs a "question"')
        texts: Sequence[str] = row.get("lanes") or []
        if not texts:
            raise InvalidRequest('a trace to train on needs "lanes", a list of at least one text')
        if row.get("second_stage") is not None:
            raise InvalidRequest('a trace has a "second_stage", which is not trained here; leave it out, or train with lanerope-train')
        prompt, ended = self._prompt(row), _ended(row, len(texts))
        lanes, tags = [], []
        for m, text in enumerate(texts):
            tag = self._tokens.of_text(self._tag.replace("{k}", str(m + 1))) if len(texts) > 1 and self._tag else []
            tags.append(len(tag))
            written = self._tokens.of_text(text)
            # A lane that was cut off did not write an end token.
            lanes.append([*tag, *written, *([self._end] if ended[m] or not written else [])])
        steps = lane_steps(lanes, self._wait if len(lanes) > 1 else -1, self._ready)

        group = {
            "input_ids": list(prompt),
            "position_ids": list(range(len(prompt))),
            "lane_ids": [PROMPT] * len(prompt),
            "labels": [IGNORED] * len(prompt),
        }
        if self._wait >= 0:
            group["sees_others"] = [0] * len(prompt)
        for m, tokens in enumerate(lanes):
            # Trainers learn a label from the token before it in the row, which for the first token of a lane is another lane's last one, and for
            # that of lane 0 the prompt's, as it should be.
            silent = max(tags[m], 1) if m else tags[m]
            group["input_ids"] += tokens
            group["position_ids"] += [len(prompt) + step for step in steps[m]]
            group["lane_ids"] += [m] * len(tokens)
            group["labels"] += [IGNORED] * silent + tokens[silent:]
            if self._wait >= 0:
                group["sees_others"] += map(int, sees_others(tokens, self._wait, self._ready))
        if self._longest and len(group["input_ids"]) > self._longest:
            raise InvalidRequest(f"a group has {len(group['input_ids'])} tokens, more than the {self._longest} that are allowed")
        return group

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """A batch of groups, each tensor [groups, tokens], padded behind."""
        groups = [self.group(row) for row in rows]
        width = max(len(group["input_ids"]) for group in groups)
        empty = {"input_ids": self._end, "position_ids": 0, "lane_ids": PADDING, "labels": IGNORED}
        if self._wait >= 0:
            empty["sees_others"] = 0
        return {
            key: torch.tensor([group[key] + [filler] * (width - len(group[key])) for group in groups]) for key, filler in empty.items()
        }


def _ended(row: Mapping[str, Any], lanes: int) -> list[bool]:
    """Of each lane whether it ended by itself."""
    if row.get("ended") is None:
        return [True] * lanes
    ended = [bool(one) for one in row["ended"]]
    if len(ended) != lanes:
        raise InvalidRequest('"ended" needs a value for each of the lanes')
    return ended
