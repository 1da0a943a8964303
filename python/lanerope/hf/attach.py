# SPDX-License-Identifier: Apache-2.0
"""Makes a causal model of transformers run, and train, with lanes."""

from collections.abc import Sequence
from typing import Any

import torch

from .._errors import InvalidRequest
from .attention import NAME, register
from .coupling import LaneCoupling
from .relations import COUPLINGS, INITS, PADDING, SEES_FROM, TOPOLOGIES, VISIBILITIES, initial_omega

ARCHITECTURES = ("llama", "qwen2", "qwen3", "gemma3_text", "smollm3")


def decoder_of(model: torch.nn.Module) -> torch.nn.Module:
    """The stack of layers inside, with its embedding and its rotary module."""
    for module in model.modules():
        if hasattr(module, "layers") and hasattr(module, "rotary_emb"):
            return module
    raise InvalidRequest("the model has no decoder with layers and a rotary embedding, as lanes need")


def _theta_of(decoder: Any, layer: Any) -> torch.Tensor:
    attention = layer.self_attn
    kind = getattr(attention, "layer_type", None)
    rotary = decoder.rotary_emb
    frequencies = getattr(rotary, f"{kind}_inv_freq", None) if kind is not None else None
    theta: torch.Tensor = (rotary.inv_freq if frequencies is None else frequencies).double().cpu()
    # Layers without RoPE (every fourth of smollm3) know no lanes either.
    return theta if getattr(attention, "use_rope", True) else torch.zeros_like(theta)


def attach(
    model: Any,
    *,
    coupling: str = "lanerope",
    omega: str | Sequence[float] | torch.Tensor = "ntk-by-parts",
    stride: int = 256,
    lanes: int = 4,
    visibility: str = "inclusive",
    window: int = 0,
    sees_from: str = "start",
    topology: str = "all",
    block: int = 8,
    prompt_lane: str = "own",
    learn: bool = True,
) -> LaneCoupling:
    """Gives the model lanes: ``model(input_ids, position_ids=..., lane_ids=...)``, each [B, T], with lane -1 for the prompt and -2 for padding.

    Args:
        model: A causal model of transformers (llama, qwen2, qwen3, gemma3, smollm3), before PEFT wraps it.
        coupling: lanerope, groupthink, hogwild or independent.
        omega: How it begins (rope, gt, ntk, ntk-by-parts), or radians a lane, [pairs] or [layers, pairs].
        stride: K, tokens between two lanes for gt, ntk and groupthink.
        lanes: N of the formula of ntk.
        visibility: inclusive, strict or interleaved.
        window: How many of another lane's last tokens are seen; 0: all.
        sees_from: start, or hand-over: a lane sees others from its first wait or ready token on, as ``model(..., sees_others=...)`` [B, T] says;
            LaneCollator and generate() do.
        topology: all, ring, tree or blocks.
        block: Lanes of a block in the topology blocks.
        prompt_lane: own, or first: to lanes the prompt is as far away as lane 0.
        learn: Whether omega is trained.

    Returns:
        The coupling, also as ``model.lane_coupling``, so that omega is one of the model's parameters. Without ``lane_ids`` the model is what
        it was.
    """
    for value, known, what in (
        (coupling, COUPLINGS, "coupling"),
        (visibility, VISIBILITIES, "visibility"),
        (topology, TOPOLOGIES, "topology"),
        (sees_from, SEES_FROM, "sees_from"),
        (prompt_lane, ("own", "first"), "prompt_lane"),
    ):
        if value not in known:
            raise InvalidRequest(f'{what} must be one of {", ".join(known)}, not "{value}"')
    if stride < 1 or lanes < 1:
        raise InvalidRequest("stride must be at least one token, and lanes at least one")
    if block < 1:
        raise InvalidRequest("block must be at least one lane")
    if window < 0:
        raise InvalidRequest("window must be at least one token, or 0 for all that another lane has written")
    config = getattr(model.config, "text_config", model.config)
    if config.model_type not in ARCHITECTURES:
        raise InvalidRequest(f"lanes are not known for models of the kind {config.model_type}; those of {', '.join(ARCHITECTURES)} are")
    decoder: Any = decoder_of(model)
    theta = [_theta_of(decoder, layer) for layer in decoder.layers]
    handle = LaneCoupling(
        kind=coupling,
        omega=_omega(omega, theta, decoder, config, stride=stride, lanes=lanes),
        theta=theta,
        stride=stride,
        init=omega if isinstance(omega, str) else "given",
        visibility=visibility,
        window=window,
        sees_from=sees_from,
        topology=topology,
        block=block,
        prompt_lane=prompt_lane,
        learn=learn and coupling == "lanerope",
    )
    detach(model)
    register()
    for layer in decoder.layers:
        layer.self_attn.__dict__["lane_coupling"] = handle  # not a part of each layer, but of the model
    handle.__dict__["undo"] = (config._attn_implementation, decoder.register_forward_pre_hook(_check, with_kwargs=True))
    model.set_attn_implementation(NAME)
    model.lane_coupling = handle.to(next(model.parameters()).device)
    return handle


def _check(decoder: Any, _: tuple[Any, ...], given: dict[str, Any]) -> None:
    """Before each forward pass: whether what says where tokens stand makes sense."""
    lanes, indices = given.get("lane_ids"), given.get("position_ids")
    if lanes is None:
        return
    if decoder.config._attn_implementation != NAME:
        raise InvalidRequest(f"the model's attention is now {decoder.config._attn_implementation}, which knows no lanes; attach() again")
    if indices is None:
        raise InvalidRequest("lane_ids need position_ids: the prompt's length and the step of each lane's token")
    inputs = given.get("input_ids") if given.get("inputs_embeds") is None else given["inputs_embeds"]
    shape = tuple(lanes.shape)
    if indices.shape != lanes.shape or (inputs is not None and tuple(inputs.shape[:2]) != shape):
        raise InvalidRequest(f"lane_ids have the shape {shape}; input_ids and position_ids must have it too")
    if decoder.layers[0].self_attn.__dict__["lane_coupling"].sees_from == "hand-over":
        sees_others = given.get("sees_others")
        if sees_others is None or sees_others.shape != lanes.shape:
            raise InvalidRequest(f"lanes see one another from their hand-over on: give sees_others of the shape {shape}, or attach() otherwise")
    if lanes.is_floating_point() or indices.is_floating_point():
        raise InvalidRequest("lane_ids and position_ids must be whole numbers")
    if int(lanes.min()) < PADDING or int(indices.min()) < 0:
        raise InvalidRequest("lane_ids begin at 0, with -1 for the prompt and -2 for padding, and position_ids at 0")


def _omega(
    omega: str | Sequence[float] | torch.Tensor, theta: list[torch.Tensor], decoder: Any, config: Any, *, stride: int, lanes: int
) -> torch.Tensor:
    if isinstance(omega, str):
        if omega not in INITS:
            raise InvalidRequest(f'omega must begin as one of {", ".join(INITS)}, or be given as numbers; "{omega}" is neither')
        rows = []
        for layer, angles in zip(decoder.layers, theta, strict=True):
            window = getattr(layer.self_attn, "sliding_window", None) or config.max_position_embeddings
            context = min(window, config.max_position_embeddings)
            rows.append(initial_omega(omega, angles, stride=stride, context=context, lanes=lanes))
        return torch.stack(rows)
    given = torch.as_tensor(omega, dtype=torch.float64)
    if not torch.isfinite(given).all():
        raise InvalidRequest("omega holds a value that is not a number")
    shape = (len(theta), len(theta[0]))
    if given.shape not in ((shape[1],), shape):
        raise InvalidRequest(f"omega must have {shape[1]} numbers, or {shape[0]} times {shape[1]}; it has the shape {tuple(given.shape)}")
    used = torch.stack([(angles != 0).any().double() for angles in theta])[:, None]
    return given.expand(shape) * used


def detach(model: Any) -> None:
    """Takes the lanes away again, if the model has any."""
    handle = getattr(model, "lane_coupling", None)
    if handle is None:
        return
    implementation, hook = handle.__dict__.pop("undo")
    hook.remove()
    decoder: Any = decoder_of(model)
    for layer in decoder.layers:
        layer.self_attn.__dict__.pop("lane_coupling", None)
    del model.lane_coupling
    model.set_attn_implementation(implementation)
