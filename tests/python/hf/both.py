# SPDX-License-Identifier: Apache-2.0
"""Logits of lanes that are given, by the engine and by an attached model of transformers: the same rows from two implementations."""

import numpy as np
import torch

from lanerope.hf.relations import PROMPT
from lanerope.hf.sleep import lane_steps


def of_engine(model, prompt, lanes, **options):
    """[lanes][tokens, vocabulary] logits, each before the token of its row was known."""
    n_tokens = model.info["n_tokens"]
    found = []
    for lane in model.score(prompt, lanes, top_logits=n_tokens, kv_type="f32", **options):
        tokens, logits = zip(*(zip(*top, strict=True) for top in lane.top), strict=True)
        row = np.empty((len(lane.tokens), n_tokens), np.float32)
        np.put_along_axis(row, np.array(tokens), np.array(logits, np.float32), -1)
        found.append(row)
    return found


def row_of(prompt, lanes, wait=-1, ready=-1):
    """input_ids, position_ids, lane_ids and sees_others of a group, each [1, tokens]: the prompt, then lane after lane."""
    steps = lane_steps(lanes, wait, ready)
    ids, places, owners, late = list(prompt), list(range(len(prompt))), [PROMPT] * len(prompt), [False] * len(prompt)
    for m, tokens in enumerate(lanes):
        ids += tokens
        places += [len(prompt) + step for step in steps[m]]
        owners += [m] * len(tokens)
        first = next((i for i, token in enumerate(tokens) if token in (wait, ready)), len(tokens))
        late += [i >= first for i in range(len(tokens))]
    row = {"input_ids": ids, "position_ids": places, "lane_ids": owners, "sees_others": late}
    return {key: torch.tensor([values]) for key, values in row.items()}


def of_hf(model, prompt, lanes, wait=-1, ready=-1):
    """The same from one forward pass over the whole group."""
    with torch.no_grad():
        logits = model(**row_of(prompt, lanes, wait, ready)).logits[0]
    out, at = [], len(prompt)
    for tokens in lanes:
        out.append(torch.cat([logits[len(prompt) - 1 : len(prompt)], logits[at : at + len(tokens) - 1]]).numpy())
        at += len(tokens)
    return out


def furthest(one, other):
    """How far two such lists are apart."""
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))
