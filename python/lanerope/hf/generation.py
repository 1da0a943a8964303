# SPDX-License-Identifier: Apache-2.0
"""Lanes written by an attached model, with keys and values kept."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache

from .._errors import InvalidRequest
from .relations import PROMPT
from .sleep import Sleepers, is_hand_over


@dataclass
class HfLane:
    """What a lane wrote."""

    tokens: list[int] = field(default_factory=list)
    """Its tag included, the end token too."""
    logprobs: list[float] = field(default_factory=list)
    """Of the tokens that were drawn, at temperature 1."""
    ended: bool = False
    """By itself, with an end token."""


class _Group:
    """The tokens that have been fed, and where they stand."""

    def __init__(self, model: Any, prompt: Sequence[int]) -> None:
        self._model = model
        self._device = next(model.parameters()).device
        # One cache for all layers, those with a window too: every lane's keys stay.
        self._cache = DynamicCache()
        self._kwarg = "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"
        self._lanes = torch.empty((1, 0), dtype=torch.int64, device=self._device)
        self._indices = torch.empty((1, 0), dtype=torch.int64, device=self._device)
        self.n_prompt = len(prompt)
        self.prompt_logits = self.feed(list(prompt), [PROMPT] * len(prompt), list(range(len(prompt))), [False] * len(prompt))[-1]

    def feed(self, tokens: list[int], lanes: list[int], indices: list[int], sees_others: list[bool]) -> torch.Tensor:
        """Logits [tokens, vocabulary], f32."""

        def row(values: Sequence[int]) -> torch.Tensor:
            return torch.tensor([values], dtype=torch.int64, device=self._device)

        self._lanes = torch.cat([self._lanes, row(lanes)], 1)
        self._indices = torch.cat([self._indices, row(indices)], 1)
        output = self._model(
            input_ids=row(tokens),
            position_ids=row(indices),
            lane_ids=row(lanes),
            sees_others=row(sees_others),
            key_lane_ids=self._lanes,
            key_position_ids=self._indices,
            use_cache=True,
            **{self._kwarg: self._cache},
        )
        logits: torch.Tensor = output.logits[0].float()
        return logits


def generate(
    model: Any,
    prompt: Sequence[int] | torch.Tensor,
    *,
    lanes: int = 4,
    budget: int = 256,
    tags: Sequence[Sequence[int]] = (),
    end: int | Sequence[int] | None = None,
    temperature: float = 0.0,
    top_p: float = 1.0,
    seed: int = 0,
    wait: int = -1,
    ready: int = -1,
) -> list[HfLane]:
    """Lets ``lanes`` lanes answer one prompt together.

    Args:
        model: One that attach() gave lanes.
        prompt: Tokens.
        budget: Tokens of a lane, its tag included.
        tags: Tokens that each lane is fed first.
        end: Token, or tokens, with which a lane ends (None: the model's).
        temperature: 0 takes the likeliest token.
        top_p: Nucleus.
        seed: Of the draws.
        wait: The token that a lane waits with, and ready the one that wakes it (-1: none).
    """
    given = [int(token) for token in torch.as_tensor(prompt).flatten()]
    forced = [list(tag) for tag in tags] if tags else [[] for _ in range(lanes)]
    _check(model, given, forced, lanes=lanes, budget=budget, temperature=temperature, top_p=top_p, wait=wait, ready=ready)
    ends = _ends(model, end)
    draws = torch.Generator(device="cpu").manual_seed(seed)
    writing = [HfLane() for _ in range(lanes)]
    alone = lanes == 1 or model.lane_coupling.kind == "independent"
    sleepers = Sleepers(lanes, -1 if alone else wait, ready)

    def choose(m: int, logits: torch.Tensor) -> None:
        lane = writing[m]
        if forced[m]:
            token = forced[m].pop(0)
        else:
            token = _draw(logits, temperature, top_p, draws)
            lane.logprobs.append(float(logits.log_softmax(-1)[token]))
            lane.ended = token in ends
        lane.tokens.append(token)
        sleepers.chose(m, token)
        if lane.ended or len(lane.tokens) == budget:
            sleepers.ended(m)
            live.discard(m)

    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            group = _Group(model, given)
            live = set(range(lanes))
            fed = [0] * lanes
            handed_over: set[int] = set()
            for m in range(lanes):
                choose(m, group.prompt_logits)
            clock = 0
            while live:
                sleepers.settle()
                now = [m for m in range(lanes) if fed[m] < len(writing[m].tokens) and not sleepers.asleep(m)]
                tokens = [writing[m].tokens[fed[m]] for m in now]
                handed_over |= {m for m, token in zip(now, tokens, strict=True) if is_hand_over(token, wait, ready)}
                logits = group.feed(tokens, now, [group.n_prompt + clock] * len(now), [m in handed_over for m in now])
                for at, m in enumerate(now):
                    fed[m] += 1
                    if m in live:
                        choose(m, logits[at])
                clock += 1
    finally:
        model.train(was_training)
    return writing


def _check(
    model: Any,
    prompt: list[int],
    tags: list[list[int]],
    *,
    lanes: int,
    budget: int,
    temperature: float,
    top_p: float,
    wait: int,
    ready: int,
) -> None:
    coupling = getattr(model, "lane_coupling", None)
    if coupling is None:
        raise InvalidRequest("the model has no lanes; call attach() first")
    if not prompt:
        raise InvalidRequest("the prompt has no tokens")
    if lanes < 1 or budget < 1:
        raise InvalidRequest("lanes and budget must be at least 1")
    if len(tags) != lanes:
        raise InvalidRequest(f"there are {lanes} lanes and {len(tags)} tags")
    if max(len(tag) for tag in tags) > budget:
        raise InvalidRequest(f"a tag is longer than the budget of {budget} tokens")
    known = model.get_input_embeddings().num_embeddings
    for token in (token for tokens in (prompt, *tags) for token in tokens):
        if not 0 <= token < known:
            raise InvalidRequest(f"the model knows no token {token}; there are {known}")
    if not 0 <= temperature < float("inf"):
        raise InvalidRequest("temperature must be a number from 0")
    if not 0 < top_p <= 1:
        raise InvalidRequest("top_p must be above 0 and at most 1")
    if ready >= 0 and wait < 0:
        raise InvalidRequest("ready wakes lanes that wait; give the token that they wait with as wait, or leave ready out")
    if coupling.sees_from == "hand-over" and wait < 0:
        raise InvalidRequest("lanes that see one another from their hand-over on need a wait token; give it as wait")
    if wait >= 0 and (coupling.kind == "hogwild" or coupling.topology != "all"):
        raise InvalidRequest("lanes sleep here where all see one another, and not in hogwild; leave wait out")


def _ends(model: Any, end: int | Sequence[int] | None) -> set[int]:
    if end is None:
        end = model.generation_config.eos_token_id if model.generation_config is not None else model.config.eos_token_id
    if end is None:
        return set()
    return {end} if isinstance(end, int) else set(end)


def _draw(logits: torch.Tensor, temperature: float, top_p: float, draws: torch.Generator) -> int:
    if temperature <= 0:
        return int(logits.argmax())
    chances = (logits / temperature).softmax(-1).cpu()
    if top_p < 1:
        ordered, order = chances.sort(descending=True)
        kept = ordered.cumsum(0) - ordered < top_p
        chances = torch.zeros_like(chances).scatter(0, order[kept], ordered[kept])
    return int(torch.multinomial(chances, 1, generator=draws))
