# SPDX-License-Identifier: Apache-2.0
"""What became of a request: plain data, which may be pickled."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure of itself the model was while it wrote a lane, in nats."""

    self_certainty: float
    lowest_window: float


@dataclass(frozen=True, slots=True)
class Vote:
    """An answer and how many lanes gave it."""

    answer: str
    count: int
    weight: float


@dataclass(frozen=True, slots=True)
class Act:
    """What a policy did to the group, and why."""

    policy: str
    kind: str
    """retire, fork, spawn, push or end."""
    step: int
    """The clock."""
    lane: int
    """That it is about, the new one of fork and spawn; -1: the group."""
    parent: int
    """Of a fork; else -1."""
    text: str
    """That the lane is given."""
    reason: str
    refused: str
    """Not empty: it did not happen, and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """What one lane wrote."""

    text: str
    """Without its tag and without end tokens."""
    tokens: npt.NDArray[np.int32] = field(repr=False)
    """[n] every token of the lane, forced ones and an end token included."""
    logprobs: npt.NDArray[np.float32] = field(repr=False)
    """[n] of the sampled ones, natural logarithm, before bias, penalties and temperature; not a number for forced ones."""
    finish: str
    """end, stop, length, retired, consensus or cancelled."""
    answer: str | None
    answer_from: str | None
    generated: int
    """Tokens that were sampled."""
    mean_logprob: float
    start_step: int
    steps: npt.NDArray[np.int32] = field(repr=False)
    """[n] of the clock, in which each token was fed; a lane that sleeps leaves some out."""
    certainty: Certainty | None
    verifier_score: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Attention:
    """How much of each token's attention went to the prompt and to each lane."""

    shares: npt.NDArray[np.float32] = field(repr=False)
    """[rows, layers, heads, 1 + lanes]: the prompt first, then each lane, its own past under its own number. They sum to 1."""
    lanes: npt.NDArray[np.int32] = field(repr=False)
    """[rows] whose token a row is."""
    steps: npt.NDArray[np.int32] = field(repr=False)
    """[rows] at which step."""

    def between_lanes(self) -> npt.NDArray[np.float64]:
        """[lanes, 1 + lanes] the mean over all tokens, layers and heads of each lane."""
        mean = self.shares.mean(axis=(1, 2), dtype=np.float64)
        n_lanes = self.shares.shape[3] - 1
        rows = [mean[self.lanes == m].mean(axis=0) if (self.lanes == m).any() else np.full(n_lanes + 1, np.nan) for m in range(n_lanes)]
        return np.stack(rows)


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """Where the attention of one token went, cell by cell."""

    weights: npt.NDArray[np.float32] = field(repr=False)
    """[layers, heads, tokens of all parts]."""
    parts: tuple[tuple[int, int, int], ...]
    """(lane, first step, tokens) of each part in the order of the weights; lane -1 is the prompt."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredLane:
    """The log-probabilities of a lane that was given."""

    tokens: npt.NDArray[np.int32] = field(repr=False)
    """[n]"""
    logprobs: npt.NDArray[np.float32] = field(repr=False)
    """[n] natural logarithm."""
    top: list[list[tuple[int, float]]] = field(repr=False)
    """[n] the largest logits at each token, top_logits of them."""

    @property
    def sum(self) -> float:
        """The log-probability of the whole lane."""
        return float(self.logprobs.sum(dtype=np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What became of a group."""

    lanes: tuple[Lane, ...]
    votes: tuple[Vote, ...]
    """Heaviest first."""
    selected: int | None
    """The lane that is the answer, from 0."""
    then_lane: int | None
    """The lane of the second stage, the last, where there was one."""
    confidence: float
    """Of the selection, 0 to 1; confidence_kind says in what sense."""
    confidence_kind: str
    note: str
    """What went wrong on the way, such as a verifier that was cut off."""
    finish: str
    """none, or cancelled."""
    consensus: bool
    acts: tuple[Act, ...]
    """Of the policies, in order."""
    prompt_tokens: int
    cached_prompt_tokens: int
    clock: int
    """Steps."""
    prefill_seconds: float
    decode_seconds: float
    seed: int
    coupling: str
    budget: int
    untrained: bool
    """Several lanes, for which neither the model nor an adapter was trained."""
    raw_prompt: bool
    """The text went in as it is, since the model has no chat template."""
    prompt_logprobs: npt.NDArray[np.float32] | None = field(repr=False)
    """[prompt_tokens] where prompt_logprobs asked for them; not a number for the first."""
    attention: Attention | None = field(repr=False)

    @property
    def text(self) -> str | None:
        """The selected lane's text."""
        return None if self.selected is None else self.lanes[self.selected].text

    @property
    def answer(self) -> str | None:
        """The selected lane's answer."""
        return None if self.selected is None else self.lanes[self.selected].answer


def _lane(fields: dict[str, Any]) -> Lane:
    certainty = fields.pop("certainty")
    return Lane(**fields, certainty=None if certainty is None else Certainty(*certainty))


def result_of(outcome: dict[str, Any]) -> Result:
    """The outcome of a group of _core's."""
    lanes = tuple(_lane(lane) for lane in outcome.pop("lanes"))
    votes = tuple(Vote(*vote) for vote in outcome.pop("votes"))
    acts = tuple(Act(*act) for act in outcome.pop("acts"))
    attention = outcome.pop("attention")
    return Result(lanes=lanes, votes=votes, acts=acts, attention=None if attention is None else Attention(**attention), **outcome)
