# SPDX-License-Identifier: Apache-2.0
"""Quantised GGUF tensors to float32, in numpy, and files that hold the part of a model that is needed elsewhere.

Types: F32, F16, Q8_0, Q4_1, Q5_0, Q4_K, Q6_K. Shapes are torch's: (rows, columns), where ggml says [columns, rows].
"""

import json
import pathlib

import numpy as np

# type -> (weights in a block, bytes of a block)
BLOCKS = {"F32": (1, 4), "F16": (1, 2), "Q8_0": (32, 34), "Q4_1": (32, 20), "Q5_0": (32, 22), "Q4_K": (256, 144), "Q6_K": (256, 210)}


def _half(raw):
    return raw.copy().view(np.float16).astype(np.float32)


def _nibbles(quants):
    """(n, 16) bytes to (n, 32): low halves, then high halves."""
    return np.concatenate([quants & 15, quants >> 4], axis=1)


def _q8_0(raw):
    return _half(raw[:, :2]) * raw[:, 2:].view(np.int8).astype(np.float32)


def _q4_1(raw):
    return _half(raw[:, :2]) * _nibbles(raw[:, 4:]) + _half(raw[:, 2:4])


def _q5_0(raw):
    high = np.unpackbits(raw[:, 2:6], axis=1, bitorder="little")
    return _half(raw[:, :2]) * (_nibbles(raw[:, 6:]) + np.float32(16) * high - np.float32(16))


def _q4_k(raw):
    n = raw.shape[0]
    scale, low = _half(raw[:, 0:2]), _half(raw[:, 2:4])
    packed = raw[:, 4:16].reshape(n, 3, 4)
    d, m, both = packed[:, 0], packed[:, 1], packed[:, 2]
    scales = np.concatenate([d & 63, (both & 15) | ((d >> 2) & 48)], axis=1).astype(np.float32)
    lows = np.concatenate([m & 63, (both >> 4) | ((m >> 2) & 48)], axis=1).astype(np.float32)
    quants = raw[:, 16:].reshape(n, 4, 1, 32)
    quants = np.concatenate([quants & 15, quants >> 4], axis=2).reshape(n, 8, 32).astype(np.float32)
    return ((scale * scales)[:, :, None] * quants - (low * lows)[:, :, None]).reshape(n, 256)


def _q6_k(raw):
    n = raw.shape[0]
    low = raw[:, :128].reshape(n, 2, 1, 64)
    low = np.concatenate([low & 15, low >> 4], axis=2).reshape(n, 2, 4, 32)
    high = raw[:, 128:192].reshape(n, 2, 1, 32)
    high = (high >> np.array([0, 2, 4, 6], dtype=np.uint8).reshape(1, 1, 4, 1)) & 3
    quants = (low | (high << 4)).astype(np.float32) - 32
    scales = raw[:, 192:208].view(np.int8).astype(np.float32) * _half(raw[:, 208:210])
    return (quants.reshape(n, 16, 16) * scales[:, :, None]).reshape(n, 256)


UNPACK = {"Q8_0": _q8_0, "Q4_1": _q4_1, "Q5_0": _q5_0, "Q4_K": _q4_k, "Q6_K": _q6_k}


def unpack(raw, kind, shape):
    """The float32 values of a tensor's bytes."""
    if kind == "F32":
        return raw.view(np.float32).reshape(shape).copy()
    if kind == "F16":
        return raw.view(np.float16).astype(np.float32).reshape(shape)
    return UNPACK[kind](raw.reshape(-1, BLOCKS[kind][1])).reshape(shape)


def read_tensors(path):
    """The tensors of a GGUF file by name, each (bytes, type, shape), and the reader with its keys."""
    from gguf import GGUFReader

    reader = GGUFReader(path)
    tensors = {}
    for t in reader.tensors:
        shape = tuple(int(n) for n in reversed(t.shape))
        tensors[t.name] = (np.asarray(t.data).reshape(-1).view(np.uint8), t.tensor_type.name, shape)
    return tensors, reader


def read_facts(reader):
    """What the decoder and the tokenizer need to know."""

    def key(name):
        return reader.fields[name].contents()

    arch = key("general.architecture")
    config = {
        "layers": key(f"{arch}.block_count"),
        "width": key(f"{arch}.embedding_length"),
        "heads": key(f"{arch}.attention.head_count"),
        "kv_heads": key(f"{arch}.attention.head_count_kv"),
        "ffn": key(f"{arch}.feed_forward_length"),
        "context": key(f"{arch}.context_length"),
        "rope_base": key(f"{arch}.rope.freq_base"),
        "epsilon": key(f"{arch}.attention.layer_norm_rms_epsilon"),
        "architecture": arch,
    }
    vocabulary = {
        "tokens": key("tokenizer.ggml.tokens"),
        "types": key("tokenizer.ggml.token_type"),
        "merges": key("tokenizer.ggml.merges"),
        "end": key("tokenizer.ggml.eos_token_id"),
    }
    return {"config": config, "vocabulary": vocabulary}


def rows_of(tensor, rows):
    """A matrix with only some of its rows, as bytes."""
    raw, kind, shape = tensor
    per_row = raw.size // shape[0]
    return raw.reshape(shape[0], per_row)[rows].reshape(-1), kind, (len(rows), shape[1])


def write_parts(path, folder, part_bytes, rows=None):
    """Writes the model as files of at most `part_bytes`; embedding and output with `rows` only where given. Returns their number."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors, reader = read_tensors(path)
    facts = read_facts(reader)
    if rows is not None:
        facts["rows"] = [int(r) for r in rows]
        for name in ("token_embd.weight", "output.weight"):
            if name in tensors:
                tensors[name] = rows_of(tensors[name], np.asarray(rows))
    # One run of bytes, cut anywhere.
    index, offset, part, room = {}, 0, 0, part_bytes
    out = open(folder / "weights.0", "wb")
    for name, (raw, kind, shape) in tensors.items():
        index[name] = [offset, int(raw.size), kind, list(shape)]
        offset += int(raw.size)
        while raw.size:
            if room == 0:
                out.close()
                part, room = part + 1, part_bytes
                out = open(folder / f"weights.{part}", "wb")
            out.write(raw[:room].tobytes())
            raw, room = raw[room:], room - min(room, raw.size)
    out.close()
    facts["index"] = index
    (folder / "facts.json").write_text(json.dumps(facts))
    return part + 1


def read_parts(folder):
    """(facts, tensors) as write_parts wrote them."""
    folder = pathlib.Path(folder)
    facts = json.loads((folder / "facts.json").read_text())
    files = sorted(folder.glob("weights.*"), key=lambda f: int(f.suffix[1:]))
    whole = np.concatenate([np.fromfile(f, dtype=np.uint8) for f in files])
    return facts, {name: (whole[at : at + size], kind, tuple(shape)) for name, (at, size, kind, shape) in facts["index"].items()}
