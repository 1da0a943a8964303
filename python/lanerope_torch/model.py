# SPDX-License-Identifier: Apache-2.0
"""The qwen2 decoder with lanes: the rotation by omega, the mask of the clock, LoRA pairs.

Rotary pairs lie side by side inside, (2t, 2t + 1), so that a rotation is a complex product; GGUF's qwen2 files hold them as
halves. Letters: B groups, N lanes, S tokens of a group, H query heads, G heads of keys and values, D the size of a head.
"""

import concurrent.futures
import math

import torch
import torch.nn.functional as F

from .gguf_weights import unpack

TARGETS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
# Linears whose inputs are the same are one product.
FUSED = {"qkv": ("attn_q", "attn_k", "attn_v"), "o": ("attn_output",), "gu": ("ffn_gate", "ffn_up"), "down": ("ffn_down",)}


def to_adjacent(rows, head):
    """Rows of a matrix (or a bias) of queries or keys, from halves to pairs side by side."""
    return rows.reshape(-1, 2, head // 2, *rows.shape[1:]).transpose(1, 2).reshape(rows.shape)


def to_halves(rows, head):
    return rows.reshape(-1, head // 2, 2, *rows.shape[1:]).transpose(1, 2).reshape(rows.shape)


def theta(config):
    """Radians a token, (D / 2) doubles."""
    head = config["width"] // config["heads"]
    return config["rope_base"] ** (-2.0 * torch.arange(head // 2, dtype=torch.float64) / head)


def initial_omega(config, init, stride, lanes=4):
    """Radians a lane, (D / 2) doubles, by the formulas of docs/couplings.md."""
    th = theta(config)
    turns = config["context"] * th / (2 * math.pi)
    ramp = ((turns - 1) / 31).clamp(0, 1)
    s = max(1.0, stride * (lanes - 1) / config["context"])
    ntk = s ** (-torch.arange(len(th), dtype=torch.float64) / (len(th) - 1))
    share = {"rope": 0 * th, "gt": 0 * th + 1, "ntk": ntk, "ntk-by-parts": ramp}[init]
    return share * stride * th


class LoraLinear(torch.autograd.Function):
    """y = x W' + b + (x A') B', keeping nothing but x for the way back. W and b are frozen."""

    @staticmethod
    def forward(ctx, x, weight, bias, a, b):
        y = F.linear(x, weight, bias)
        flat, low = y.view(-1, y.shape[-1]), x.reshape(-1, x.shape[-1]) @ a.t()
        flat.addmm_(low, b.t())
        ctx.save_for_backward(x, weight, a, b)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, weight, a, b = ctx.saved_tensors
        x2, dy2 = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
        low, dlow = x2 @ a.t(), dy2 @ b
        dx = dy2 @ weight
        dx.addmm_(dlow, a)
        return dx.view(x.shape), None, None, dlow.t() @ x2, dy2.t() @ low


class SwiGlu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gu):
        ctx.save_for_backward(gu)
        gate, up = gu.chunk(2, -1)
        return F.silu(gate) * up

    @staticmethod
    def backward(ctx, dy):
        (gu,) = ctx.saved_tensors
        gate, up = gu.chunk(2, -1)
        sig = torch.sigmoid(gate)
        out = torch.empty_like(gu)
        dgate, dup = out.chunk(2, -1)
        torch.mul(gate * sig, dy, out=dup)
        torch.mul(dy * up, sig * (1 + gate * (1 - sig)), out=dgate)
        return out


class Lora(torch.nn.Module):
    """Low-rank pairs for all seven matrices of each layer, and omega, (layers, D / 2)."""

    def __init__(self, config, rank, alpha, omega, seed=1):
        super().__init__()
        self.rank, self.alpha = rank, alpha
        generator = torch.Generator().manual_seed(seed)
        head = config["width"] // config["heads"]
        kv, width, ffn = config["kv_heads"] * head, config["width"], config["ffn"]
        self.n_out = {"attn_q": width, "attn_k": kv, "attn_v": kv, "attn_output": width, "ffn_gate": ffn, "ffn_up": ffn, "ffn_down": width}
        n_in = dict.fromkeys(TARGETS, width) | {"ffn_down": ffn}
        self.a, self.b = torch.nn.ParameterDict(), torch.nn.ParameterDict()
        for layer in range(config["layers"]):
            for target in TARGETS:
                a = torch.randn(rank, n_in[target], generator=generator) / math.sqrt(n_in[target])
                self.a[f"{layer}_{target}"] = torch.nn.Parameter(a)
                self.b[f"{layer}_{target}"] = torch.nn.Parameter(torch.zeros(self.n_out[target], rank))
        self.omega = torch.nn.Parameter(omega.float().expand(config["layers"], -1).clone())

    def fused(self, layer, part, dtype):
        """(A, B) of linears that are one product; the gain is in B."""
        names = [f"{layer}_{t}" for t in FUSED[part]]
        a = torch.cat([self.a[n] for n in names])
        b = torch.block_diag(*[self.b[n] for n in names]) * (self.alpha / self.rank)
        return a.to(dtype), b.to(dtype)

    def fuse_all(self, layers, dtype):
        return [{part: self.fused(layer, part, dtype) for part in FUSED} for layer in range(layers)]


class Decoder:
    def __init__(self, facts, tensors, device="cpu", dtype=torch.float32):
        self.config = c = facts["config"]
        self.device, self.dtype = torch.device(device), dtype
        self.heads, self.kv_heads, self.layers = c["heads"], c["kv_heads"], c["layers"]
        self.head = c["width"] // c["heads"]
        self.theta = theta(c).to(device)
        names = {"attn_q": True, "attn_k": True}

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            unpacked = dict(zip(tensors, pool.map(lambda t: unpack(*t), tensors.values())))

        def get(name, adjacent=False, kind=dtype):
            values = torch.from_numpy(unpacked.pop(name)).to(device)
            if adjacent:
                values = to_adjacent(values, self.head)
            return values.to(kind)

        self.embedding = get("token_embd.weight")
        self.output = get("output.weight") if "output.weight" in tensors else self.embedding
        self.output_norm = get("output_norm.weight")
        self.blocks = []
        for i in range(self.layers):
            block = {
                "norm1": get(f"blk.{i}.attn_norm.weight"),
                "norm2": get(f"blk.{i}.ffn_norm.weight"),
            }
            for part, roles in FUSED.items():
                block[part] = torch.cat([get(f"blk.{i}.{r}.weight", names.get(r, False)) for r in roles])
                bias = [f"blk.{i}.{r}.bias" for r in roles]
                block[part + "_bias"] = torch.cat([get(b, names.get(r, False)) for b, r in zip(bias, roles)]) if bias[0] in tensors else None
            self.blocks.append(block)

    # ---- pieces that training and decoding share

    def norm(self, x, weight):
        return F.rms_norm(x, (x.shape[-1],), weight, self.config["epsilon"])

    def linear(self, x, layer, part, pairs):
        block = self.blocks[layer]
        if pairs is None:
            return F.linear(x, block[part], block[part + "_bias"])
        a, b = pairs[layer][part]
        return LoraLinear.apply(x, block[part], block[part + "_bias"], a, b)

    def cis(self, angles):
        return torch.polar(torch.ones_like(angles, dtype=torch.float32), angles.float())

    def token_angles(self, positions):
        """(..., D / 2) of indices (...): exact in double before it is rounded."""
        return torch.remainder(positions.double()[..., None] * self.theta, 2 * math.pi)

    def split(self, qkv):
        """(.., H + G, D/2) complex queries and keys, (.., G, D) values."""
        n = (self.heads + self.kv_heads) * self.head
        qk = qkv[..., :n].float().unflatten(-1, (self.heads + self.kv_heads, self.head // 2, 2))
        return torch.view_as_complex(qk), qkv[..., n:].unflatten(-1, (self.kv_heads, self.head))

    def real(self, x):
        return torch.view_as_real(x).flatten(-2).to(self.dtype)

    def ffn(self, x, layer, pairs):
        h = self.norm(x, self.blocks[layer]["norm2"])
        return x + self.linear(SwiGlu.apply(self.linear(h, layer, "gu", pairs)), layer, "down", pairs)

    def logits(self, x):
        return F.linear(self.norm(x, self.output_norm), self.output)

    # ---- whole groups at once

    def hidden(self, batch, pairs=None, omega=None, keep_kv=False, attend=None):
        """The last layer's output, (B, S, width), of a batch of train.py's form; before the last norm.

        `omega` (layers, D / 2) or None where no lane is rotated. With keep_kv also each layer's rotated keys and
        values, (B, G, S, D).
        """
        x = F.embedding(batch["ids"], self.embedding)
        turn = self.cis(self.token_angles(batch["positions"]))[..., None, :]
        lanes = batch.get("lanes")
        in_lane = batch["in_lane"][..., None, None].to(self.dtype) if lanes is not None else None
        attend = attend or attend_math
        kept = []
        for layer, block in enumerate(self.blocks):
            qk, v = self.split(self.linear(self.norm(x, block["norm1"]), layer, "qkv", pairs))
            qk = qk * turn
            plain = self.real(qk)
            q, k = plain.split([self.heads, self.kv_heads], -2)
            if lanes is not None:
                shifted = self.real(qk * self.cis(lanes[..., None] * omega[layer])[..., None, :])
                q = torch.cat([q, shifted[..., : self.heads, :]], -1)
                k = torch.cat([k * (1 - in_lane), shifted[..., self.heads :, :] * in_lane], -1)
            if keep_kv:
                kept.append((k.transpose(1, 2), v.transpose(1, 2)))
            repeat = self.heads // self.kv_heads
            o = attend(
                q.transpose(1, 2),
                k.transpose(1, 2).repeat_interleave(repeat, 1),
                v.transpose(1, 2).repeat_interleave(repeat, 1),
                batch.get("mask"),
                self.head**-0.5,
            )
            x = x + self.linear(o.transpose(1, 2).flatten(2), layer, "o", pairs)
            x = self.ffn(x, layer, pairs)
        return (x, kept) if keep_kv else x


def attend_math(q, k, v, mask, scale):
    """mask (B, 1, S, S), 0 or -inf, or None for a causal one."""
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None, scale=scale)
