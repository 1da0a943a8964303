# SPDX-License-Identifier: Apache-2.0
"""LoRA adapters as PEFT keeps them: a folder with adapter_config.json and adapter_model.safetensors."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ._adapter_names import Matrix
from ._errors import InvalidRequest, ModelError

_PREFIX = "base_model.model."


@dataclass(frozen=True)
class PeftAdapter:
    """What such a folder holds."""

    alpha: float
    """It adds alpha / rank * B (A x); 0: B (A x)."""
    pairs: dict[str, tuple[Matrix, Matrix]]
    """Of each module A [rank, n_in] and B [n_out, rank]."""
    base_name: str = ""


def _library() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError as error:
        raise ModuleNotFoundError("PEFT's folders need the package safetensors: pip install 'lanerope[peft]'") from error
    return safetensors


def read_peft(folder: Path) -> PeftAdapter:
    """Raises ModelError for a folder that holds no adapter, InvalidRequest for one that GGUF has no place for."""
    config_file, tensors_file = folder / "adapter_config.json", folder / "adapter_model.safetensors"
    for file in (config_file, tensors_file):
        if not file.exists():
            raise ModelError(f"{folder} has no {file.name}; is it a folder that PEFT saved, with safetensors?")
    config = json.loads(config_file.read_text())
    if config.get("peft_type") != "LORA":
        raise InvalidRequest(f"{folder} is of the kind {config.get('peft_type')}; only LoRA can be converted")
    for key in ("use_dora", "modules_to_save", "lora_bias", "alpha_pattern", "trainable_token_indices"):
        if config.get(key):
            raise InvalidRequest(f"{folder} uses {key}, which a GGUF adapter has no place for")
    if config.get("bias", "none") != "none":
        raise InvalidRequest(f"{folder} trains biases, which a GGUF adapter has no place for")
    halves: dict[str, dict[str, Matrix]] = {}
    for name, values in _tensors(tensors_file).items():
        found = re.fullmatch(re.escape(_PREFIX) + r"(.+)\.lora_([AB])(?:\.default)?\.weight", name)
        if found is None:
            raise InvalidRequest(f"{tensors_file} holds {name}, which is no half of a LoRA matrix")
        halves.setdefault(found[1], {})[found[2]] = values
    pairs = {}
    for module, both in halves.items():
        if len(both) != 2 or both["A"].shape[0] != both["B"].shape[1]:
            raise ModelError(f"{tensors_file}: the halves of {module} do not belong together")
        pairs[module] = (both["A"], both["B"])
    if not pairs:
        raise ModelError(f"{tensors_file} holds no adapter tensors")
    return PeftAdapter(alpha=_alpha(config, pairs), pairs=pairs, base_name=config.get("base_model_name_or_path") or "")


def _alpha(config: dict[str, Any], pairs: dict[str, tuple[Matrix, Matrix]]) -> float:
    alpha = float(config.get("lora_alpha", 8))
    if not config.get("use_rslora"):
        return alpha
    ranks = {a.shape[0] for a, _ in pairs.values()}
    if len(ranks) != 1:
        raise InvalidRequest("an adapter of several ranks with use_rslora has no one alpha, as a GGUF adapter needs")
    return alpha * math.sqrt(ranks.pop())


def _tensors(file: Path) -> dict[str, Matrix]:
    """NumPy has no bf16: such tensors become f32."""
    safetensors = _library()
    found: dict[str, Matrix] = {}
    header = _header(file)
    plain = all(entry["dtype"] in ("F32", "F16") for entry in header.values())
    if plain:
        found.update(safetensors.numpy.load_file(file))
        return found
    for name, values in safetensors.deserialize(file.read_bytes()):
        raw, kind = bytes(values["data"]), values["dtype"]
        if kind == "BF16":
            array = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
        elif kind in ("F32", "F16"):
            array = np.frombuffer(raw, {"F32": np.float32, "F16": np.float16}[kind])
        else:
            raise InvalidRequest(f"{file}: {name} is {kind}, and adapters are f32, f16 or bf16")
        found[name] = array.reshape(values["shape"])
    return found


def _header(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        if size > 100_000_000:
            raise ModelError(f"{file} is no file of safetensors")
        try:
            header = json.loads(stream.read(size))
        except ValueError as error:
            raise ModelError(f"{file} is no file of safetensors") from error
    header.pop("__metadata__", None)
    return dict(header)


def write_peft(folder: Path, adapter: PeftAdapter) -> None:
    """Writes what read_peft, and PeftModel.from_pretrained, read."""
    ranks = {module: a.shape[0] for module, (a, _) in adapter.pairs.items()}
    usual = max(set(ranks.values()), key=list(ranks.values()).count)
    others = {module: rank for module, rank in ranks.items() if rank != usual}
    if adapter.alpha == 0 and others:
        raise InvalidRequest("the adapter has no alpha and several ranks, which PEFT has no place for")
    alpha = adapter.alpha if adapter.alpha != 0 else float(usual)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": adapter.base_name,
        "r": usual,
        "lora_alpha": int(alpha) if alpha == int(alpha) else alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "target_modules": sorted({module.rsplit(".", 1)[-1] for module in ranks}),
        "rank_pattern": others,
    }
    tensors = {}
    for module, (a, b) in adapter.pairs.items():
        tensors[f"{_PREFIX}{module}.lora_A.weight"] = np.ascontiguousarray(a)
        tensors[f"{_PREFIX}{module}.lora_B.weight"] = np.ascontiguousarray(b)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    _library().numpy.save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
