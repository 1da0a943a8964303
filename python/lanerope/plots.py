# SPDX-License-Identifier: Apache-2.0
"""Figures by matplotlib. Each draws into `axes`, or into a new figure's, and gives them back. Needs ``lanerope[data]``."""

from collections.abc import Sequence
from typing import Any

from ._result import Attention
from .evaluation import Evaluation


def _axes(axes: Any) -> Any:
    if axes is not None:
        return axes
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ModuleNotFoundError("figures need matplotlib: pip install 'lanerope[data]'") from error
    return Figure(figsize=(6.4, 4.0), layout="constrained").subplots()


def accuracy(evaluation: Evaluation, budgets: Sequence[int], *, measure: str = "majority", axes: Any = None) -> Any:
    """Right answers by the tokens that a lane may spend, a line an arm with its 95 % interval. measure: majority, pass_at_1 or oracle."""
    axes = _axes(axes)
    scores = evaluation.scores(budgets)
    for arm in evaluation.arms:
        own = [score for score in scores if score.arm == arm]
        estimates = [getattr(score, measure) for score in own]
        line = axes.plot([s.budget for s in own], [100 * e.value for e in estimates], marker="o", label=arm)[0]
        axes.fill_between(
            [s.budget for s in own], [100 * e.low for e in estimates], [100 * e.high for e in estimates], color=line.get_color(), alpha=0.15, linewidth=0
        )
    axes.set_xlabel("tokens a lane may spend")
    axes.set_ylabel("right answers, %")
    axes.set_ylim(0, 100)
    axes.legend()
    return axes


def attention(record: Attention, *, axes: Any = None) -> Any:
    """How much of each lane's attention goes to the prompt and to each lane: the mean over tokens, layers and heads."""
    axes = _axes(axes)
    shares = 100 * record.between_lanes()
    image = axes.imshow(shares, vmin=0, cmap="viridis")
    n_lanes = len(shares)
    axes.set_xticks(range(n_lanes + 1), ["prompt", *(f"lane {m + 1}" for m in range(n_lanes))])
    axes.set_yticks(range(n_lanes), [f"lane {m + 1}" for m in range(n_lanes)])
    for m in range(n_lanes):
        for n in range(n_lanes + 1):
            dark = shares[m, n] < 0.6 * shares.max()
            axes.text(n, m, f"{shares[m, n]:.0f}", ha="center", va="center", color="white" if dark else "black")
    axes.set_title("attention of each lane, %")
    axes.figure.colorbar(image, ax=axes, shrink=0.8)
    return axes
