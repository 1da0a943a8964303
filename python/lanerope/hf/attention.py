# SPDX-License-Identifier: Apache-2.0
"""The attention of lanes as a function that transformers calls in place of its own."""

from typing import Any

import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from .._errors import InvalidRequest
from .coupling import LaneCoupling
from .relations import Places

NAME = "lanerope"


def turned(x: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """x [B, H, T, D] with its first pairs, which lie as halves, turned by angles [B, T, pairs]; in f32, given back as x's type."""
    half = angles.shape[-1]
    cos, sin = angles.float().cos()[:, None], angles.float().sin()[:, None]
    a, b = x[..., :half].float(), x[..., half : 2 * half].float()
    return torch.cat([(a * cos - b * sin).to(x.dtype), (a * sin + b * cos).to(x.dtype), x[..., 2 * half :]], -1)


def lane_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """query [B, H, Q, D], key and value [B, G, K, D], rotated by theta i already; gives [B, Q, H, D].

    Without ``lane_ids`` it is the model's plain attention. With them it takes no notice of attention_mask: ``lane_ids`` and
    ``position_ids`` [B, Q], and ``key_lane_ids`` and ``key_position_ids`` [B, K] where keys were kept from earlier calls, say who sees whom; so does
    ``sees_others`` [B, Q] where lanes see one another from their hand-over on.
    """
    lane_ids = kwargs.pop("lane_ids", None)
    key_lanes, key_indices = kwargs.pop("key_lane_ids", None), kwargs.pop("key_position_ids", None)
    sees_others = kwargs.pop("sees_others", None)
    if lane_ids is None:
        if softcap is not None:
            kwargs["softcap"] = softcap
        plain: tuple[torch.Tensor, torch.Tensor | None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return plain
    coupling: LaneCoupling = module.__dict__["lane_coupling"]
    late = sees_others.bool() if coupling.sees_from == "hand-over" else None
    queries = Places(lane_ids, kwargs["position_ids"].expand_as(lane_ids), late)
    keys = queries if key_lanes is None else Places(key_lanes, key_indices)
    if keys.lanes.shape[1] != key.shape[2]:
        raise InvalidRequest(f"there are {key.shape[2]} keys, and key_lane_ids says where {keys.lanes.shape[1]} stand")

    repeat = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(repeat, 1), value.repeat_interleave(repeat, 1)
    scores, seen = coupling.scores(module.layer_idx, (query, queries), (key, keys), sliding_window)
    scores = scores.float() * (scaling if scaling is not None else query.shape[-1] ** -0.5)
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    weights = scores.masked_fill(~seen[:, None], float("-inf")).softmax(-1).to(query.dtype)
    weights = torch.nn.functional.dropout(weights, p=dropout, training=module.training)
    return (weights @ value).transpose(1, 2).contiguous(), weights


def register() -> None:
    """Makes it known to transformers by its name."""
    ALL_ATTENTION_FUNCTIONS.register(NAME, lane_attention)
    ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, sdpa_mask)
