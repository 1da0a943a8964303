# SPDX-License-Identifier: Apache-2.0
"""The options of a request, by name and type."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal, TypedDict

import numpy as np
import numpy.typing as npt

Coupling = Literal["independent", "lanerope", "groupthink", "hogwild", "bridge"]
Init = Literal["rope", "gt", "ntk", "ntk-by-parts", "given"]
Visibility = Literal["inclusive", "strict", "interleaved"]
Topology = Literal["all", "ring", "tree", "blocks"]
FarLanes = Literal["extrapolated", "clamped", "wrapped", "interpolated"]
PromptLane = Literal["own", "first"]
SeesFrom = Literal["start", "hand-over"]
Select = Literal["vote", "logprob", "verifier", "first", "then", "none"]
VoteWeight = Literal["equal", "logprob", "self-certainty", "lowest-window"]
KvType = Literal["f16", "f32", "q8_0"]
BackEnd = Literal["automatic", "kernels", "ggml"]

Message = Mapping[str, Any]
"""A message as OpenAI's API has it: role, content, and where they belong tool_calls, tool_call_id, name, reasoning_content."""

Prompt = str | Sequence[int] | npt.NDArray[np.integer[Any]] | Sequence[Message]
"""A text (the user's message; with ``raw=True`` it goes in as it is), token ids, or messages."""

Omega = npt.ArrayLike


class CouplingOptions(TypedDict, total=False):
    """How lanes see one another. What is unset is as the model or its adapter was trained; lanes of others are independent."""

    coupling: Coupling
    """independent (each for itself, and they vote), lanerope, groupthink, hogwild, or bridge, for models that were trained with bridges."""
    init: Init
    """Where omega comes from, of the coupling lanerope; in place of the one that was trained."""
    omega: Omega
    """Omega itself, float32 of shape [pairs] or [layers, pairs], in radians a lane."""
    stride: int
    """K in tokens, of gt, ntk, ntk-by-parts and groupthink; 0: the budget."""
    visibility: Visibility
    """Which cells of other lanes a query at step s sees: step <= s, < s, or as a causal kernel would."""
    topology: Topology
    """Which other lanes a lane sees at all."""
    block: int
    """Lanes of a block in the topology blocks, by default 8."""
    far_lanes: FarLanes
    """Where lanes stand that are further apart than any that were trained, of the coupling lanerope; by default clamped."""
    trained_lanes: int
    """The most lanes that omega was trained with, for far_lanes; by default as the model or its adapter says."""
    window: int
    """Of other lanes only the last so many cells are seen; 0: all."""
    sees_from: SeesFrom
    """From which of its tokens on a lane sees others: all, or its first wait or ready token."""
    prompt_lane: PromptLane
    """Whether the prompt is in every lane, or in lane 0 alone."""
    force: bool
    """Also with another visibility than the adapter was trained with."""


class PromptOptions(TypedDict, total=False):
    """How a prompt goes in."""

    system: str
    """The system message before a text or messages."""
    raw: bool
    """The text goes in as it is, without the chat template."""
    tools: str | Sequence[Mapping[str, Any]]
    """OpenAI's tool objects, for the chat template."""
    template_arguments: str | Mapping[str, Any]
    """Variables of the chat template, such as enable_thinking."""
    continue_last: bool
    """The last message is the beginning of the answer."""


class Options(CouplingOptions, PromptOptions, total=False):
    """All that a request may say beside its prompt. What is left out is as ``lanerope run`` has it."""

    lanes: int
    """N, by default 4."""
    budget: int
    """Tokens that each lane may hold, its tag included; by default 512."""
    max_tokens: int
    """Tokens that each lane may sample, within its budget."""
    tag: str
    """What each lane is fed first; {k} becomes its number, from 1."""
    wait: str
    """The token with which a lane waits, asleep, for others; by default as trained, "": never."""
    ready: str
    """The token that wakes lanes which wait; "": only the end of a lane does."""
    lane_texts: Sequence[str]
    """What each lane is fed behind its tag; may be shorter than lanes."""
    temperature: float
    """0.8 by default; 0 takes the likeliest token."""
    top_k: int
    top_p: float
    min_p: float
    repetition_penalty: float
    presence_penalty: float
    frequency_penalty: float
    penalty_window: int
    logit_bias: Mapping[int, float]
    """Added to logits; -inf bans a token."""
    seed: int
    """Lane m draws its s-th token from (seed, m, s); by default it is drawn, and the result says which it was."""
    stop: str | Sequence[str]
    """A lane ends before it would write one of these."""
    control_text: bool
    """Control tokens that a lane writes are, by name, part of its text."""
    ignore_end: bool
    """End tokens do not end a lane."""
    json: bool
    """Answers are JSON objects."""
    json_schema: str | Mapping[str, Any]
    """Answers are JSON that the schema allows."""
    grammar: str
    """Answers keep to a grammar in GBNF."""
    regex: str
    """Answers match an expression."""
    choices: Sequence[str]
    """Answers are one of these."""
    thinking_budget: int
    """Tokens that a lane may think; -1: no bound."""
    then: str
    """A second stage: when all lanes have ended, one more reads them, is told this and gives the answer; {n} is their number."""
    then_budget: int
    """Tokens that the second stage may write; by default as many as a lane."""
    select: Select
    """How the answer is chosen, by default by vote."""
    vote_weight: VoteWeight
    consensus: int
    """The group ends as soon as so many lanes give the same answer; 0: never."""
    policies: str | Sequence[str]
    """What watches the lanes and acts: "consensus", "prune:window=32,keep=3" and their like (docs/policies.md)."""
    policy_command: str
    """A policy of your own: a command that reads a JSON line a step and writes a line of acts."""
    policy_timeout: float
    """Seconds that it may take for a step."""
    lane_tools: str | Sequence[str]
    """What lanes call while they write: "calculator", "notes", "NAME=CMD" (docs/tools.md)."""
    tool_wait: Literal["call", "end"]
    """From when on a lane waits for its result, by default from its call."""
    tool_calls: int
    """Calls that a lane may make."""
    tool_timeout: float
    """Seconds that a call may take."""
    tool_bytes: int
    """Bytes of a result; what is longer is cut."""
    verifier: str
    """With select="verifier": a command that reads a JSON line a lane and writes a score a line."""
    verifier_timeout: float
    calibration: str | PathLike[str]
    """A file of ``lanerope calibrate``, for the confidence."""
    logprobs: bool
    """Log-probabilities of sampled tokens, by default on."""
    top_logprobs: int
    """Alternatives with each token of an event, at most 20."""
    prompt_logprobs: int
    """Not None: log-probabilities of the prompt's own tokens too."""
    certainty_window: int
    """Above 0, each lane's certainty is measured with such a window."""
    adapter_scales: Sequence[float]
    """One an adapter that is loaded."""
    reserved_lanes: int
    """Room for lanes that are spawned or forked later."""
    hold: bool
    """Once finished, the group stays readable for probe() until its stream is gone."""
    attention: bool
    """Records where lanes look, for Result.attention."""


class ScoreOptions(CouplingOptions, total=False):
    """What Model.score takes beside prompt and lanes."""

    adapter_scales: Sequence[float]
    wait: str
    ready: str
    kv_type: KvType
    """How keys and values are stored meanwhile; by default f16. With f32 and weights of f32 nothing is rounded but by f32 itself."""
    start_steps: Sequence[int]
    """The step of each lane's first token; by default 0."""
    top_logits: int
    """The so many largest logits are given with each token."""


def prepared(options: Mapping[str, Any]) -> dict[str, Any]:
    """A copy that _core may take apart, omega as an array of float32."""
    copy = dict(options)
    if copy.get("omega") is not None:
        copy["omega"] = np.ascontiguousarray(copy["omega"], dtype=np.float32)
    return copy
