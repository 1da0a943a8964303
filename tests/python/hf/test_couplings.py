# SPDX-License-Identifier: Apache-2.0
"""lanerope.hf and the engine, which share no code: the same logits for every coupling."""

import numpy as np
import pytest
import torch

import lanerope
from lanerope import hf
from lanerope.hf.relations import PROMPT
from lanerope.hf.sleep import lane_steps

from .conftest import ARCHITECTURES

PROMPT_TOKENS = [11, 45, 3, 200, 7, 99, 150, 21, 64]
LANES = [[5, 17, 80, 33, 120, 8], [90, 14, 14, 61], [200, 101, 7, 55, 18, 29, 77]]
COUPLINGS = [
    {"coupling": "independent"},
    {"coupling": "lanerope", "init": "gt"},
    {"coupling": "lanerope", "init": "ntk-by-parts"},
    {"coupling": "lanerope", "init": "ntk", "visibility": "strict"},
    {"coupling": "lanerope", "init": "gt", "visibility": "interleaved", "topology": "ring"},
    {"coupling": "lanerope", "init": "gt", "topology": "tree", "prompt_lane": "first"},
    {"coupling": "groupthink"},
    {"coupling": "groupthink", "prompt_lane": "first", "visibility": "strict"},
    {"coupling": "hogwild"},
    {"coupling": "hogwild", "visibility": "interleaved"},
]


def of_engine(file, options, wait=None, ready=None):
    """[lanes][tokens, vocabulary] logits."""
    model = lanerope.Model(file, threads=1, backend="ggml")
    asked = dict(options) | {"stride": 16, "kv_type": "f32"}
    if wait is not None:
        asked |= {"wait": wait, "ready": ready}
    found = []
    for lane in model.score(PROMPT_TOKENS, LANES, top_logits=model.info["n_tokens"], **asked):
        logits = np.empty((len(lane.tokens), model.info["n_tokens"]), np.float32)
        for row, top in zip(logits, lane.top, strict=True):
            for token, logit in top:
                row[token] = logit
        found.append(logits)
    return found


def of_hf(model, lanes=LANES, wait=-1, ready=-1):
    """The same from one forward pass over the prompt and all lanes."""
    steps = lane_steps(lanes, wait, ready)
    ids, places, owners = list(PROMPT_TOKENS), list(range(len(PROMPT_TOKENS))), [PROMPT] * len(PROMPT_TOKENS)
    for m, tokens in enumerate(lanes):
        ids += tokens
        places += [len(PROMPT_TOKENS) + step for step in steps[m]]
        owners += [m] * len(tokens)
    row = {"input_ids": ids, "position_ids": places, "lane_ids": owners}
    with torch.no_grad():
        logits = model(**{key: torch.tensor([value]) for key, value in row.items()}).logits[0]
    first = logits[len(PROMPT_TOKENS) - 1]
    out, at = [], len(PROMPT_TOKENS)
    for tokens in lanes:
        out.append(torch.stack([first, *logits[at : at + len(tokens) - 1]]).numpy())
        at += len(tokens)
    return out


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("options", COUPLINGS, ids=lambda o: "-".join(str(v) for v in o.values()))
def test_logits_are_the_engines(files, architecture, options):
    model = hf.from_gguf(files[architecture])
    asked = dict(options)
    kind, init = asked.pop("coupling"), asked.pop("init", "rope")
    hf.attach(model, coupling=kind, omega=init, stride=16, lanes=len(LANES), **asked)
    for ours, theirs in zip(of_hf(model), of_engine(files[architecture], options), strict=True):
        assert np.abs(ours - theirs).max() < 1e-3 * max(1.0, np.abs(theirs).max())


def test_without_lane_ids_the_model_is_what_it_was(files):
    model = hf.from_gguf(files["qwen2"])
    ids = torch.tensor([PROMPT_TOKENS])
    with torch.no_grad():
        before = model(ids).logits
        hf.attach(model)
        assert torch.equal(model(ids).logits, before)
        hf.detach(model)
        assert torch.equal(model(ids).logits, before)
