# SPDX-License-Identifier: Apache-2.0
"""A small random model, and the decoder with lanes written out in double precision, which shares nothing with lanerope_torch."""

import math

import numpy as np

from lanerope_torch import model

CONFIG = {"layers": 2, "width": 32, "heads": 4, "kv_heads": 2, "ffn": 48, "context": 512, "rope_base": 10000.0, "epsilon": 1e-6, "architecture": "qwen2"}
HEAD = 8
ROWS = 50


def random_model():
    draw = np.random.default_rng(3)

    def tensor(*shape):
        values = draw.standard_normal(shape).astype(np.float32) * (0.4 if len(shape) > 1 else 0.2) + (len(shape) == 1)
        return values.reshape(-1).view(np.uint8), "F32", shape

    tensors = {"token_embd.weight": tensor(ROWS, 32), "output.weight": tensor(ROWS, 32), "output_norm.weight": tensor(32)}
    for i in range(2):
        for role, shape in {"attn_q": (32, 32), "attn_k": (16, 32), "attn_v": (16, 32), "attn_output": (32, 32), "ffn_gate": (48, 32), "ffn_up": (48, 32), "ffn_down": (32, 48)}.items():
            tensors[f"blk.{i}.{role}.weight"] = tensor(*shape)
            if role in ("attn_q", "attn_k", "attn_v"):
                tensors[f"blk.{i}.{role}.bias"] = tensor(shape[0])
        tensors[f"blk.{i}.attn_norm.weight"] = tensor(32)
        tensors[f"blk.{i}.ffn_norm.weight"] = tensor(32)
    return model.Decoder({"config": CONFIG}, tensors), tensors


def rotated(x, angles):
    """Halves (t, t + D/2), as GGUF's qwen2 files have them."""
    a, b = np.split(x, 2)
    return np.concatenate([a * np.cos(angles) - b * np.sin(angles), a * np.sin(angles) + b * np.cos(angles)])


def reference(tensors, prompt, lanes, omega, visibility, joint=True, steps=None):
    """Logits behind every token, {(lane, step): (rows)}, prompt tokens as lane -1, by the definition in docs/couplings.md, in double.

    `steps` of each lane's tokens; None: 0, 1, 2 ...
    """
    steps = steps or [range(len(lane)) for lane in lanes]
    w = {name: raw.view(np.float32).reshape(shape).astype(np.float64) for name, (raw, _, shape) in tensors.items()}
    th = 10000.0 ** (-2 * np.arange(HEAD // 2) / HEAD)
    norm = lambda x, g: x / np.sqrt((x * x).mean() + 1e-6) * g  # noqa: E731
    cells = [(-1, i - len(prompt), t) for i, t in enumerate(prompt)]
    cells += [(m, s, t) for m, lane in enumerate(lanes) for s, t in zip(steps[m], lane)]
    x = {c[:2]: w["token_embd.weight"][c[2]] for c in cells}

    def sees(m, s, n, j):
        if n == -1 or n == m:
            return j <= s
        if m == -1 or not joint:
            return False
        return j <= s if visibility == "inclusive" or (visibility == "interleaved" and n < m) else j < s

    for i in range(2):
        q, k, v = {}, {}, {}
        for c, value in x.items():
            h = norm(value, w[f"blk.{i}.attn_norm.weight"])
            q[c], k[c], v[c] = (w[f"blk.{i}.{r}.weight"] @ h + w[f"blk.{i}.{r}.bias"] for r in ("attn_q", "attn_k", "attn_v"))
        new = {}
        for (m, s), value in x.items():
            out = []
            for h in range(4):
                scores, values = [], []
                for n, j in x:
                    if not sees(m, s, n, j):
                        continue
                    phi = omega * (m - n) if n not in (-1, m) else 0 * omega
                    query = rotated(q[m, s][h * HEAD : (h + 1) * HEAD], th * (len(prompt) + s) + phi)
                    key = rotated(k[n, j][h // 2 * HEAD : (h // 2 + 1) * HEAD], th * (len(prompt) + j))
                    scores.append(query @ key / math.sqrt(HEAD))
                    values.append(v[n, j][h // 2 * HEAD : (h // 2 + 1) * HEAD])
                p = np.exp(np.array(scores) - max(scores))
                out.append((p / p.sum()) @ np.array(values))
            new[m, s] = value + w[f"blk.{i}.attn_output.weight"] @ np.concatenate(out)
        for c, value in new.items():
            h = norm(value, w[f"blk.{i}.ffn_norm.weight"])
            g = w[f"blk.{i}.ffn_gate.weight"] @ h
            new[c] = value + w[f"blk.{i}.ffn_down.weight"] @ (g / (1 + np.exp(-g)) * (w[f"blk.{i}.ffn_up.weight"] @ h))
        x = new
    return {c: w["output.weight"] @ norm(value, w["output_norm.weight"]) for c, value in x.items()}


OMEGA = model.initial_omega(CONFIG, "gt", 3.0)
