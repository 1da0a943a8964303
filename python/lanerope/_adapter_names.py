# SPDX-License-Identifier: Apache-2.0
"""What an adapter's matrices are called in GGUF and in PEFT, and in which order their rows lie."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._errors import InvalidRequest

Matrix = npt.NDArray[Any]

_USUAL = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_FUSED = {"attn_qkv": "self_attn.qkv_proj", "attn_output": "self_attn.o_proj", "ffn_up": "mlp.gate_up_proj", "ffn_down": "mlp.down_proj"}
_EXPERTS = {stem: module for stem, module in _USUAL.items() if stem.startswith("attn")} | {"ffn_gate_inp": "mlp.gate"}


@dataclass(frozen=True)
class Architecture:
    """How one architecture's linears are called."""

    name: str
    stems: dict[str, str]
    """GGUF's stem of a linear in a block, and the module's name in a layer."""
    adjacent: bool
    """In GGUF the rotary pairs of q and k are rows that lie side by side; in transformers they are half a head apart."""

    def module_of(self, tensor: str) -> str:
        """"blk.3.attn_q.weight" to "model.layers.3.self_attn.q_proj"."""
        if tensor == "output.weight":
            return "lm_head"
        found = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", tensor)
        if found is None or found[2] not in self.stems:
            raise InvalidRequest(f"{tensor} has no counterpart among the modules of {self.name}")
        return f"model.layers.{found[1]}.{self.stems[found[2]]}"

    def tensor_of(self, module: str) -> str:
        """The other way."""
        if module == "lm_head":
            return "output.weight"
        found = re.fullmatch(r"(?:model\.)*(?:language_model\.)?layers\.(\d+)\.(.+)", module)
        for stem, name in self.stems.items():
            if found is not None and found[2] == name:
                return f"blk.{found[1]}.{stem}.weight"
        raise InvalidRequest(f"{module} has no counterpart among the tensors of {self.name}")


_ALL = {
    name: Architecture(name, stems, adjacent)
    for name, stems, adjacent in [
        ("llama", _USUAL, True),
        ("mistral3", _USUAL, True),
        ("granite", _USUAL, True),
        ("smollm3", _USUAL, True),
        ("qwen2", _USUAL, False),
        ("qwen3", _USUAL, False),
        ("qwen3moe", _EXPERTS, False),
        ("gemma2", _USUAL, False),
        ("gemma3", _USUAL, False),
        ("olmo2", _USUAL, False),
        ("phi3", _FUSED, False),
    ]
}


def architecture(name: str) -> Architecture:
    """Of that name in GGUF."""
    if name not in _ALL:
        raise InvalidRequest(f"adapters of the architecture {name} cannot be converted; those of {', '.join(_ALL)} can")
    return _ALL[name]


@dataclass(frozen=True)
class Rows:
    """The order of rows of q's and k's B, by the numbers of heads; none: the same in both."""

    heads: int
    heads_kv: int

    def _of(self, tensor: str) -> int:
        return self.heads if ".attn_q." in tensor else self.heads_kv if ".attn_k." in tensor else 0

    def to_halves(self, tensor: str, b: Matrix) -> Matrix:
        """GGUF's rows (pair by pair) as transformers has them (first halves, then second). b: [rows, rank]."""
        return self._swapped(tensor, b, pairs_first=True)

    def to_pairs(self, tensor: str, b: Matrix) -> Matrix:
        """The other way."""
        return self._swapped(tensor, b, pairs_first=False)

    def _swapped(self, tensor: str, b: Matrix, *, pairs_first: bool) -> Matrix:
        heads = self._of(tensor)
        if heads == 0:
            return b
        rows, rank = b.shape
        if rows % (2 * heads) != 0:
            raise InvalidRequest(f"{tensor} has {rows} rows for {heads} heads; the adapter belongs to another model")
        half = rows // heads // 2
        shape = (heads, half, 2, rank) if pairs_first else (heads, 2, half, rank)
        return np.ascontiguousarray(b.reshape(shape).swapaxes(1, 2).reshape(rows, rank))
