# SPDX-License-Identifier: Apache-2.0
"""LoRA adapters in GGUF, as llama.cpp and lanerope read them (src/arch/lane_keys.cpp has the keys of lanes)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ._adapter_names import Matrix
from ._errors import InvalidRequest, ModelError


@dataclass(frozen=True)
class GgufAdapter:
    """What the file of an adapter holds."""

    architecture: str
    name: str
    alpha: float
    """It adds alpha / rank * B (A x); 0: B (A x)."""
    pairs: dict[str, tuple[Matrix, Matrix]]
    """Of each linear A [rank, n_in] and B [n_out, rank]."""
    lanes: dict[str, Any] = field(default_factory=dict)
    """The keys lanerope.* without their prefix; nothing for a plain adapter."""


def lane_keys(adapter: GgufAdapter) -> dict[str, Any]:
    """What it says of lanes, as JSON has it."""
    return dict(adapter.lanes)


def _library() -> Any:
    try:
        import gguf
    except ImportError as error:
        raise ModuleNotFoundError("reading and writing GGUF needs the package gguf: pip install 'lanerope[peft]'") from error
    return gguf


def reader(file: Path) -> Any:
    """The gguf package's reader of a file."""
    if not file.exists():
        raise FileNotFoundError(2, "there is no such file", str(file))
    try:
        return _library().GGUFReader(file)
    except (ValueError, IndexError, KeyError) as error:
        raise ModelError(f"{file} is no GGUF file: {error}") from error


def value_of(metadata: Any, key: str, otherwise: Any) -> Any:
    """The value of a key."""
    found = metadata.get_field(key)
    return otherwise if found is None else found.contents()


def read_gguf(file: Path) -> GgufAdapter:
    """Raises ModelError for a file that is no adapter."""
    gguf = _library()
    read = reader(file)
    if value_of(read, "general.type", "") != "adapter" or value_of(read, "adapter.type", "") != "lora":
        raise ModelError(f'{file} is not a LoRA adapter (general.type is not "adapter")')
    halves: dict[str, dict[str, Matrix]] = {}
    for tensor in read.tensors:
        name, _, half = tensor.name.rpartition(".")
        if half not in ("lora_a", "lora_b"):
            raise InvalidRequest(f"{file} holds {tensor.name}, which PEFT has no place for")
        values = np.array(tensor.data)
        if tensor.tensor_type not in (gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16):
            values = gguf.quants.dequantize(values, tensor.tensor_type)
        halves.setdefault(name, {})[half] = np.ascontiguousarray(values.reshape(tensor.shape[::-1]))
    for name, both in halves.items():
        if len(both) != 2:
            raise ModelError(f"{file}: {name} has only one half of its pair; the file is incomplete")
    if not halves:
        raise ModelError(f"{file} holds no adapter tensors")
    lanes = {
        field.name.removeprefix("lanerope."): field.contents() for field in read.fields.values() if field.name.startswith("lanerope.")
    }
    return GgufAdapter(
        architecture=str(value_of(read, "general.architecture", "")),
        name=str(value_of(read, "general.name", "")),
        alpha=float(value_of(read, "adapter.lora.alpha", 0.0)),
        pairs={name: (both["lora_a"], both["lora_b"]) for name, both in halves.items()},
        lanes=lanes,
    )


def write_gguf(file: Path, adapter: GgufAdapter) -> None:
    """Writes what read_gguf reads."""
    gguf = _library()
    lanes = adapter.lanes
    writer = gguf.GGUFWriter(file, adapter.architecture)
    writer.add_string("general.type", "adapter")
    if adapter.name:
        writer.add_string("general.name", adapter.name)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", adapter.alpha)
    kinds = gguf.GGUFValueType
    known: dict[str, tuple[Any, Any]] = {
        "version": (kinds.UINT32, None),
        "coupling": (kinds.STRING, None),
        "init": (kinds.STRING, None),
        "stride": (kinds.INT32, None),
        "visibility": (kinds.STRING, None),
        "prompt_lane": (kinds.STRING, None),
        "sees_from": (kinds.STRING, None),
        "tag": (kinds.STRING, None),
        "wait": (kinds.STRING, None),
        "ready": (kinds.STRING, None),
        "lanes": (kinds.ARRAY, kinds.INT32),
        "prompt": (kinds.BOOL, None),
        "omega": (kinds.ARRAY, kinds.FLOAT32),
    }
    for key, value in lanes.items():
        if key not in known:
            raise InvalidRequest(f"lanerope.{key} is no key of an adapter; known are {', '.join(known)}")
        if key == "omega" and not np.isfinite(np.asarray(value, dtype=np.float64)).all():
            raise InvalidRequest("omega holds a value that is not a number")
        kind, of = known[key]
        if not (kind == kinds.ARRAY and len(value) == 0):
            writer.add_key_value(f"lanerope.{key}", value, kind, sub_type=of)
    for name, (a, b) in adapter.pairs.items():
        writer.add_tensor(f"{name}.lora_a", np.ascontiguousarray(a))
        writer.add_tensor(f"{name}.lora_b", np.ascontiguousarray(b))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
