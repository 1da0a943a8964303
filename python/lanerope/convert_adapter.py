# SPDX-License-Identifier: Apache-2.0
"""Adapters between a GGUF file and a folder of PEFT's, both ways: ``lanerope-convert-adapter SOURCE TARGET [--base MODEL.gguf] [--type f16]``.

The matrices go over to the bit where they are f32 or f16, and no other type is asked for; bf16 and quantised ones become f32. What the adapter says of lanes goes into
``lanerope.json`` beside PEFT's files, omega included, which PEFT leaves alone. Needs the extra ``lanerope[peft]``.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ._adapter_file import GgufAdapter, lane_keys, read_gguf, write_gguf
from ._adapter_names import Architecture, Matrix, Rows, architecture
from ._errors import InvalidRequest, ModelError
from ._peft_folder import PeftAdapter, read_peft, write_peft

LANES_FILE = "lanerope.json"

Type = Literal["f32", "f16"]
TYPES: dict[str, Any] = {"f32": np.float32, "f16": np.float16}


def to_peft(source: str | Path, target: str | Path, *, base: str | Path | None = None, base_name: str | None = None, type: Type | None = None) -> Path:
    """Writes a GGUF adapter as a folder of PEFT's.

    Args:
        type: Of the matrices; None: as they are.
        base: The model's GGUF. Needed for architectures whose rows of q and k lie otherwise in GGUF (llama among them), for the heads.
        base_name: What PEFT is told the base model is.
    """
    adapter = read_gguf(Path(source))
    known = architecture(adapter.architecture)
    rows = _rows(known, base)
    tensors = {}
    for name, (a, b) in adapter.pairs.items():
        module = known.module_of(name)
        tensors[module] = (_typed(a, type), _typed(rows.to_halves(name, b), type))
    folder = Path(target)
    write_peft(folder, PeftAdapter(alpha=adapter.alpha, pairs=tensors, base_name=base_name or ""))
    (folder / LANES_FILE).write_text(json.dumps({"architecture": adapter.architecture, "name": adapter.name, **lane_keys(adapter)}, indent=1) + "\n")
    return folder


def to_gguf(source: str | Path, target: str | Path, *, base: str | Path, type: Type | None = None) -> Path:
    """Writes a folder of PEFT's as a GGUF adapter for the model `base`, with what ``lanerope.json`` in the folder says of lanes."""
    adapter = read_peft(Path(source))
    given = Path(source) / LANES_FILE
    lanes: dict[str, Any] = json.loads(given.read_text()) if given.exists() else {}
    name = _base_architecture(Path(base))
    if lanes.get("architecture", name) != name:
        raise InvalidRequest(f"{source} is for the architecture {lanes['architecture']}, and {base} is {name}; name its own base model")
    known = architecture(name)
    rows = _rows(known, base)
    pairs = {}
    for module, (a, b) in adapter.pairs.items():
        tensor = known.tensor_of(module)
        pairs[tensor] = (_typed(a, type), _typed(rows.to_pairs(tensor, b), type))
    keys = {key: value for key, value in lanes.items() if key not in ("architecture", "name")}
    write_gguf(Path(target), GgufAdapter(architecture=name, name=lanes.get("name", Path(source).name), alpha=adapter.alpha, pairs=pairs, lanes=keys))
    return Path(target)


def with_type(source: str | Path, target: str | Path, *, type: Type) -> Path:
    """Writes a GGUF adapter as another one whose matrices are of that type: f16 for one that has been trained and goes out to others."""
    adapter = read_gguf(Path(source))
    pairs = {name: (_typed(a, type), _typed(b, type)) for name, (a, b) in adapter.pairs.items()}
    write_gguf(Path(target), replace(adapter, pairs=pairs))
    return Path(target)


def convert_adapter(source: str | Path, target: str | Path, *, base: str | Path | None = None, type: Type | None = None) -> Path:
    """A GGUF adapter becomes a folder of PEFT's, and a folder a GGUF adapter. With a type, and a target that ends in .gguf, a GGUF adapter becomes another."""
    if type is not None and type not in TYPES:
        raise InvalidRequest(f"the matrices of an adapter are of the type {' or '.join(TYPES)}, not {type}")
    if not Path(source).exists():
        raise FileNotFoundError(2, "there is no such file or folder", str(source))
    if not Path(source).is_dir():
        if Path(target).suffix != ".gguf":
            return to_peft(source, target, base=base, type=type)
        if type is None:
            raise InvalidRequest(f"{source} is a GGUF adapter already; name a folder to write, or the type that its matrices shall have (--type)")
        return with_type(source, target, type=type)
    if base is None:
        raise InvalidRequest("name the base model's GGUF, for what the adapter's matrices are called there (--base)")
    return to_gguf(source, target, base=base, type=type)


def _typed(values: Matrix, type: Type | None) -> Matrix:
    """[rows, columns], as it is or of the type."""
    if type is None:
        return values
    if type == "f16" and float(np.abs(values).max(initial=0.0)) > float(np.finfo(np.float16).max):
        raise InvalidRequest("a matrix of the adapter holds values beyond what f16 has; write f32")
    return np.ascontiguousarray(values.astype(TYPES[type]))


def _metadata(file: Path) -> Any:
    from ._adapter_file import reader

    return reader(file)


def _base_architecture(base: Path) -> str:
    from ._adapter_file import value_of

    return str(value_of(_metadata(base), "general.architecture", ""))


def _rows(known: Architecture, base: str | Path | None) -> Rows:
    if not known.adjacent:
        return Rows(0, 0)
    if base is None:
        raise InvalidRequest(
            f"adapters of {known.name} have the rows of q and k in another order in GGUF, so the heads must be known; name the base model's GGUF (--base)"
        )
    from ._adapter_file import value_of

    metadata = _metadata(Path(base))
    found = str(value_of(metadata, "general.architecture", ""))
    if found != known.name:
        raise InvalidRequest(f"the adapter is for the architecture {known.name}, and {base} is {found}; name its own base model")
    heads = int(value_of(metadata, f"{found}.attention.head_count", 0))
    return Rows(heads, int(value_of(metadata, f"{found}.attention.head_count_kv", heads)))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="lanerope-convert-adapter", description="A GGUF adapter becomes a folder of PEFT's, and a folder a GGUF adapter.")
    parser.add_argument("source", metavar="SOURCE", help="a GGUF adapter, or a folder with adapter_config.json and adapter_model.safetensors")
    parser.add_argument("target", metavar="TARGET", help="what to write")
    parser.add_argument("--base", metavar="MODEL", help="the base model's GGUF; needed for a folder, and for llama and its like")
    parser.add_argument("--type", choices=list(TYPES), help="of the matrices that are written (default: as they are)")
    given = parser.parse_args(arguments)
    try:
        print(convert_adapter(given.source, given.target, base=given.base, type=given.type))
    except (InvalidRequest, ModelError, OSError) as error:
        print(f"lanerope-convert-adapter: {error}", file=sys.stderr)
        return 2 if isinstance(error, InvalidRequest) else 1
    return 0


def equal(one: GgufAdapter, other: GgufAdapter) -> bool:
    """Whether two adapters say the same, to the bit."""
    return (
        (one.architecture, one.alpha, lane_keys(one)) == (other.architecture, other.alpha, lane_keys(other))
        and one.pairs.keys() == other.pairs.keys()
        and all(np.array_equal(x, y) and x.dtype == y.dtype for name in one.pairs for x, y in zip(one.pairs[name], other.pairs[name]))
    )


if __name__ == "__main__":
    sys.exit(main())
