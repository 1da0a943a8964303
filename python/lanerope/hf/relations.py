# SPDX-License-Identifier: Apache-2.0
"""Who sees whom, and by how much a score is turned: the definitions of docs/couplings.md, for lanes that all begin with the prompt.

Tokens are told apart by their lane (-1: the prompt, -2: padding) and their index i, which is the prompt's length + the step for lanes.
B: rows of a batch, Q: queries, K: keys.
"""

from dataclasses import dataclass

import torch

PROMPT = -1
PADDING = -2

COUPLINGS = ("independent", "lanerope", "groupthink", "hogwild")
VISIBILITIES = ("inclusive", "strict", "interleaved")
TOPOLOGIES = ("all", "ring", "tree", "blocks")
SEES_FROM = ("start", "hand-over")
INITS = ("rope", "gt", "ntk", "ntk-by-parts")


@dataclass(frozen=True)
class Places:
    """Where tokens stand."""

    lanes: torch.Tensor
    """[B, T] int64"""
    indices: torch.Tensor
    """[B, T] int64"""
    sees_others: torch.Tensor | None = None
    """[B, T] bool, whether a token of a lane sees other lanes; None: all do."""

    @property
    def queries(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Lanes and indices as a column, [B, T, 1]."""
        return self.lanes[:, :, None], self.indices[:, :, None]

    @property
    def keys(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Lanes and indices as a row, [B, 1, T]."""
        return self.lanes[:, None, :], self.indices[:, None, :]


def neighbours(topology: str, block: int, m: torch.Tensor, n: torch.Tensor, lanes: torch.Tensor) -> torch.Tensor:
    """Whether lane m reads lane n of so many, as the topology has it."""
    if topology == "blocks":
        return (m // block == n // block) | ((m % block == 0) & (n % block == 0))
    if topology == "all":
        return torch.ones_like(m == n)
    if topology == "ring":
        return ((m + 1) % lanes == n) | ((n + 1) % lanes == m)
    return (m == 2 * n + 1) | (m == 2 * n + 2) | (n == 2 * m + 1) | (n == 2 * m + 2)


def seen_of_others(queries: Places, keys: Places, *, visibility: str, topology: str, block: int = 8) -> torch.Tensor:
    """[B, Q, K]: keys of other lanes that a query of a lane sees."""
    (m, i), (n, j) = queries.queries, keys.keys
    # Each row of the batch is a group of its own, [B, 1, 1].
    lanes = (torch.maximum(queries.lanes.amax(1), keys.lanes.amax(1)) + 1).clamp(min=1)[:, None, None]
    there = j <= i if visibility == "inclusive" else j < i
    if visibility == "interleaved":
        there = there | ((j == i) & (n < m))
    seen = (m >= 0) & (n >= 0) & (m != n) & there & neighbours(topology, block, m, n, lanes)
    return seen if queries.sees_others is None else seen & queries.sees_others[:, :, None]


def seen_of_own(queries: Places, keys: Places) -> torch.Tensor:
    """[B, Q, K]: keys of the prompt and of the lane itself. Padding sees padding, so that no row of a soft-max is empty."""
    (m, i), (n, j) = queries.queries, keys.keys
    return ((n == m) | ((n == PROMPT) & (m >= 0))) & (j <= i)


def _of_lanes(others: torch.Tensor, keys: Places) -> torch.Tensor:
    """[B, Q, N] how many keys of each lane are seen."""
    n = keys.lanes[:, None, :]
    return torch.stack([(others & (n == lane)).sum(-1) for lane in range(max(int(keys.lanes.max()) + 1, 1))], -1)


def last_of_others(others: torch.Tensor, keys: Places, window: int) -> torch.Tensor:
    """[B, Q, K]: of what seen_of_others() gives the last ``window`` keys of each lane, whose keys stand in the order of their steps."""
    n = keys.lanes[:, None, :]
    kept = torch.zeros_like(others)
    for lane in range(int(keys.lanes.max()) + 1):
        of_lane = others & (n == lane)
        kept = kept | (of_lane & (of_lane.flip(-1).cumsum(-1).flip(-1) <= window))
    return kept


def hogwild_turns(others: torch.Tensor, kept: torch.Tensor, keys: Places) -> torch.Tensor:
    """[B, Q, K] tokens by which hogwild moves a query away from a key: every lane reads the prompt, then the others one after the other, then
    itself, as one text. ``others`` is what seen_of_others() gives, ``kept`` what last_of_others() leaves of it to be read."""
    n = keys.lanes[:, None, :]
    counts = _of_lanes(kept, keys)  # [B, Q, N]
    behind = counts.flip(-1).cumsum(-1).flip(-1)  # of lane n and those after it
    # The first key that is kept of a lane begins its part of the text, whatever its step is.
    moved = behind + _of_lanes(others, keys) - counts
    turns = moved.gather(-1, n.clamp(min=0).expand(*others.shape))
    turns = torch.where(n == PROMPT, behind[..., :1], turns)
    return torch.where(kept | (n == PROMPT), turns, torch.zeros_like(turns))


def initial_omega(init: str, theta: torch.Tensor, *, stride: int, context: int, lanes: int) -> torch.Tensor:
    """[d / 2] radians a lane, by the formulas of docs/couplings.md. theta [d / 2]: radians a token."""
    theta = theta.double()
    pairs = len(theta)
    if init == "rope":
        return torch.zeros_like(theta)
    if init == "gt":
        return stride * theta
    if init == "ntk":
        stretch = max(1.0, stride * (lanes - 1) / context)
        return stride * theta * stretch ** (-torch.arange(pairs, dtype=torch.float64) / max(pairs - 1, 1))
    turns = context * theta / (2 * torch.pi)
    return ((turns - 1) / 31).clamp(0, 1) * stride * theta
