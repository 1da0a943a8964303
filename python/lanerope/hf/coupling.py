# SPDX-License-Identifier: Apache-2.0
"""How the lanes of an attached model see one another: the coupling and omega, its learned angles."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from .._errors import InvalidRequest
from .relations import PROMPT, Places, hogwild_turns, last_of_others, seen_of_others, seen_of_own


class LaneCoupling(torch.nn.Module):  # type: ignore[misc]  # torch is an extra, unknown to mypy
    """What attach() gives. ``omega`` [layers, pairs], radians a lane, is a parameter, trained where ``requires_grad`` is set."""

    def __init__(
        self,
        *,
        kind: str,
        omega: torch.Tensor,
        theta: Sequence[torch.Tensor],
        stride: int,
        init: str,
        visibility: str,
        window: int,
        sees_from: str,
        topology: str,
        block: int,
        prompt_lane: str,
        learn: bool,
    ) -> None:
        super().__init__()
        self.kind, self.stride, self.init = kind, stride, init
        self.visibility, self.window, self.topology, self.block, self.prompt_lane = visibility, window, topology, block, prompt_lane
        self.sees_from = sees_from
        self.omega = torch.nn.Parameter(omega.float(), requires_grad=learn)
        self.theta = list(theta)
        """Of each layer [pairs] in double precision, radians a token; zeros in layers without RoPE."""

    def turn_of_lanes(self, layer: int, device: torch.device) -> torch.Tensor:
        """[pairs] radians by which two neighbouring lanes are apart."""
        if self.kind == "groupthink":
            return (self.stride * self.theta[layer]).float().to(device)
        return self.omega[layer].to(device)

    def scores(
        self,
        layer: int,
        query: tuple[torch.Tensor, Places],
        key: tuple[torch.Tensor, Places],
        sliding_window: int | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Products [B, H, Q, K] of queries [B, H, Q, D] with keys [B, H, K, D], turned as the coupling says, and which are seen [B, Q, K]."""
        from .attention import turned

        (q, queries), (k, keys) = query, key
        own = seen_of_own(queries, keys)
        if self.kind == "independent":
            others = torch.zeros_like(own)
        else:
            others = seen_of_others(queries, keys, visibility=self.visibility, topology=self.topology, block=self.block)
        kept = last_of_others(others, keys, self.window) if self.window else others
        seen = own | kept
        if sliding_window:
            seen = seen & (queries.indices[:, :, None] - keys.indices[:, None, :] < sliding_window)
        plain = q @ k.transpose(-1, -2)
        if self.kind == "independent":
            return plain, seen
        if self.kind == "hogwild":
            return self._hogwild(layer, (q, queries), (k, keys), hogwild_turns(others, kept, keys)), seen

        # <R(m w) q, R(n w) k> = <R((m - n) w) q, k>: one product for all pairs of lanes.
        apart = self.turn_of_lanes(layer, q.device)
        of_queries = queries.lanes.clamp(min=0)[..., None] * apart
        of_keys = keys.lanes.clamp(min=0)[..., None] * apart
        crossing = turned(q, of_queries) @ turned(k, of_keys).transpose(-1, -2)
        crosses = kept
        if self.prompt_lane == "first":
            crosses = crosses | ((queries.lanes[:, :, None] >= 0) & (keys.lanes[:, None, :] == PROMPT))
        return torch.where(crosses[:, None], crossing, plain), seen

    def _hogwild(
        self, layer: int, query: tuple[torch.Tensor, Places], key: tuple[torch.Tensor, Places], turns: torch.Tensor
    ) -> torch.Tensor:
        """Turned by what hogwild_turns() gives, [B, Q, K] tokens, the same for all keys of a lane: one product a lane."""
        from .attention import turned

        (q, queries), (k, keys) = query, key
        theta = self.theta[layer].float().to(q.device)
        scores = q @ k.transpose(-1, -2)
        for lane in range(PROMPT, int(keys.lanes.max()) + 1):
            of_lane = (keys.lanes == lane)[:, None, :] & (queries.lanes >= 0)[:, :, None]  # [B, Q, K]
            most = (turns * of_lane).amax(-1)  # [B, Q]: the same for all keys of a lane that are seen
            product = turned(q, most[..., None] * theta) @ k.transpose(-1, -2)
            scores = torch.where((of_lane & (turns > 0))[:, None], product, scores)
        return scores

    def adapter_keys(self, lanes: Sequence[int] = (), **more: Any) -> Mapping[str, Any]:
        """The keys ``lanerope.*`` of a GGUF adapter, without their prefix, for lanerope.convert_adapter. ``lanes``: how many were trained with;
        ``more``: tag, wait, ready."""
        for name, value, usual in (
            ("window", self.window, 0),
            ("topology", self.topology, "all"),
            ("prompt_lane", self.prompt_lane, "own"),
        ):
            if value != usual:
                raise InvalidRequest(f"an adapter cannot say that lanes were trained with {name}={value}; attach() with {name}={usual}")
        keys: dict[str, Any] = {
            "version": 1,
            "coupling": self.kind,
            "init": self.init,
            "stride": self.stride,
            "visibility": self.visibility,
            "lanes": list(lanes),
            "prompt": True,
            **more,
        }
        if self.sees_from != "start":
            keys["sees_from"] = self.sees_from
        if self.sees_from == "hand-over" and not more.get("wait"):
            raise InvalidRequest("lanes that see one another from their hand-over on need a wait token; give the one that they were trained with")
        if self.kind == "lanerope":
            keys["omega"] = self.omega.detach().cpu().double().flatten().tolist()
        return keys

    def save(self, folder: str | os.PathLike[str], lanes: Sequence[int] = (), **more: Any) -> None:
        """Writes them to ``lanerope.json`` beside PEFT's files, where ``lanerope convert-adapter`` finds them."""
        (Path(folder) / "lanerope.json").write_text(json.dumps(self.adapter_keys(lanes, **more), indent=1) + "\n")
