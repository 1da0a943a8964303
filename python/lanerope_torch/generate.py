# SPDX-License-Identifier: Apache-2.0
"""Sampling of many groups at once, all lanes of a group by one clock.

Prompt and lanes have caches of their own. A query meets the prompt rotated by theta alone and the lanes rotated by omega
too; the two results are put together by their log-sum-exp, which is one soft-max over both.
"""

import dataclasses
import time

import torch

from .model import attend_math


@dataclasses.dataclass
class Group:
    """One prompt and how its lanes see one another. Token ids are rows of the model."""

    prompt: list
    tags: list  # [N] forced ids of each lane, maybe empty
    joint: bool = True
    visibility: str = "inclusive"
    omega: torch.Tensor | None = None  # (1 or layers, D / 2); None: zero


@dataclasses.dataclass
class Sampling:
    budget: int = 384  # tokens a lane may spend, its tag and its end token included
    temperature: float = 0.6
    top_p: float = 0.95
    seed: int = 1
    cells: int = 3_000_000  # keys and values kept at once, where lanes use 0.6 of their budget on average
    lanes: int = 8192  # at once
    deadline: float = float("inf")  # time.time() at which to stop and give what is there


def part_math(q, k, v, bias, scale):
    scores = (q.float() @ k.float().transpose(-1, -2)) * scale + bias
    lse = torch.logsumexp(scores, -1)
    return torch.softmax(scores, -1).to(v.dtype) @ v, lse


def part_cuda(q, k, v, bias, scale):
    out, lse, _, _ = torch.ops.aten._scaled_dot_product_efficient_attention(
        q, k, v, bias.expand(q.shape[0], q.shape[1], q.shape[2], bias.shape[-1]), True, scale=scale
    )
    return out, lse[..., : q.shape[2]]


def part_cpu(q, k, v, bias, scale):
    return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        q, k, v, 0.0, False, attn_mask=bias.expand(q.shape[0], 1, bias.shape[2], bias.shape[3]), scale=scale
    )


def padded_bias(shape, device, dtype):
    """Zeros whose rows begin at multiples of 16 elements, as the fused kernel wants them."""
    wide = (shape[-1] + 15) // 16 * 16
    return torch.zeros(*shape[:-1], wide, device=device, dtype=dtype)[..., : shape[-1]]


class Run:
    """Groups with the same number of lanes, from their prompts to their ends."""

    growth = 128

    def __init__(self, model, groups, sampling, pairs, parts=None):
        self.model, self.sampling, self.pairs = model, sampling, pairs
        fast = part_cuda if model.device.type == "cuda" else part_cpu if model.dtype == torch.bfloat16 else part_math
        self.parts = parts or fast
        dev = model.device
        self.n = n = len(groups[0].tags)
        self.index = torch.arange(len(groups), device=dev)
        self.length = torch.tensor([len(g.prompt) for g in groups], device=dev)
        half = model.head // 2
        zero = torch.zeros(1, half)
        self.rotated = any(g.omega is not None for g in groups)
        depth = model.layers if any(g.omega is not None and len(g.omega) > 1 for g in groups) else 1
        if self.rotated:
            self.omega = torch.stack([(zero if g.omega is None else g.omega.detach().float().cpu()).expand(depth, -1) for g in groups]).to(dev)
        eye = torch.eye(n, dtype=torch.bool)
        before = torch.tril(torch.ones(n, n, dtype=torch.bool))
        allow, last = [], []
        for g in groups:
            all_lanes = torch.ones(n, n, dtype=torch.bool) if g.joint else eye
            allow.append(all_lanes)
            last.append(all_lanes & {"inclusive": torch.ones(n, n, dtype=torch.bool), "strict": eye, "interleaved": before}[g.visibility])
        self.allow, self.last = torch.stack(allow).to(dev), torch.stack(last).to(dev)
        longest = max(len(t) for g in groups for t in g.tags)
        self.forced = torch.full((len(groups), n, longest), -1)
        for i, g in enumerate(groups):
            for m, tag in enumerate(g.tags):
                self.forced[i, m, : len(tag)] = torch.tensor(tag, dtype=torch.long)
        self.forced = self.forced.to(dev)
        self.out = torch.full((len(groups), n, sampling.budget), -1, dtype=torch.int32, device=dev)
        self.generator = torch.Generator(device=dev).manual_seed(sampling.seed)
        self.groups = groups

    def read_prompts(self):
        model, dev = self.model, self.model.device
        longest = max(len(g.prompt) for g in self.groups)
        ids = torch.zeros(len(self.groups), longest, dtype=torch.long)
        for i, g in enumerate(self.groups):
            ids[i, : len(g.prompt)] = torch.tensor(g.prompt)
        ids = ids.to(dev)
        shape = (len(self.groups), model.kv_heads, longest, model.head)
        self.prompt_kv = [tuple(torch.empty(shape, device=dev, dtype=model.dtype) for _ in range(2)) for _ in range(model.layers)]
        last = torch.empty(len(self.groups), model.config["width"], device=dev, dtype=model.dtype)
        chunk = max(1, 65536 // longest)
        for at in range(0, len(ids), chunk):
            part = ids[at : at + chunk]
            positions = torch.arange(longest, device=dev).expand(part.shape)
            x, kept = model.hidden({"ids": part, "positions": positions}, self.pairs, keep_kv=True, attend=attend_math)
            for (pk, pv), (k, v) in zip(self.prompt_kv, kept):
                pk[at : at + chunk], pv[at : at + chunk] = k, v
            last[at : at + chunk] = x[torch.arange(len(part), device=dev), self.length[at : at + chunk] - 1]
        bias = padded_bias((len(ids), 1, 1, longest), dev, model.dtype)
        self.prompt_bias = bias.masked_fill_(torch.arange(longest, device=dev) >= self.length[:, None, None, None], float("-inf"))
        return last

    def pad_bias_rows(self, bias):
        wide = padded_bias(bias.shape, bias.device, bias.dtype)
        wide.copy_(bias)
        return wide

    def resize(self, keep, step):
        """Drops groups that have ended, and makes room for more steps."""
        model, capacity = self.model, min(step + self.growth, self.sampling.budget)
        whole = bool(keep.all())
        pick = (lambda x: x) if whole else (lambda x: x[keep])
        count = int(keep.sum())
        for layer in range(model.layers):
            if step > 0:
                self.prompt_kv[layer] = tuple(pick(x) for x in self.prompt_kv[layer])
            grown = []
            for i in range(2):
                new = torch.zeros(count, model.kv_heads, capacity, self.n, model.head, device=model.device, dtype=model.dtype)
                if step > 0:
                    new[:, :, :step] = pick(self.lane_kv[layer][i][:, :, :step])
                grown.append(new)
            if step > 0:
                self.lane_kv[layer] = tuple(grown)
            else:
                self.lane_kv.append(tuple(grown))
        valid = torch.zeros(count, capacity, self.n, dtype=torch.bool, device=model.device)
        if step > 0:
            valid[:, :step] = pick(self.valid[:, :step])
            if not whole:
                self.prompt_bias = self.pad_bias_rows(pick(self.prompt_bias))
                for name in ("index", "length", "allow", "last", "forced", "alive", "token") + (("omega",) if self.rotated else ()):
                    setattr(self, name, pick(getattr(self, name)))
        self.valid = valid
        self.capacity = capacity

    def choose(self, logits, step):
        """The tokens of `step`, (B, N), from logits (B or B * N, rows)."""
        s = self.sampling
        if s.temperature <= 0:
            drawn = logits.argmax(-1)
        else:
            top, ids = torch.topk(logits.float(), min(64, logits.shape[-1]), -1)
            p = torch.softmax(top / s.temperature, -1)
            p = p * ((p.cumsum(-1) - p) < s.top_p)
            drawn = ids.gather(-1, torch.multinomial(p, 1, generator=self.generator)).squeeze(-1)
        drawn = drawn.view(-1, self.n)
        if step < self.forced.shape[-1]:
            forced = self.forced[:, :, step]
            drawn = torch.where(forced >= 0, forced, drawn)
        return drawn

    def step(self, step):
        """Feeds self.token at `step`; the logits behind it."""
        model, n = self.model, self.n
        count = len(self.index)
        x = torch.nn.functional.embedding(self.token, model.embedding)  # (B, N, width)
        turn = model.cis(model.token_angles(self.length + step))[:, None, None, :]
        self.valid[:, step] = self.alive
        if n > 1:
            seen = self.valid[:, None, : step + 1] & self.allow[:, :, None, :]
            seen[:, :, step] &= self.last
            bias = padded_bias((count, 1, model.heads // model.kv_heads * n, (step + 1) * n), model.device, model.dtype)
            repeated = seen.flatten(2)[:, :, None, :].expand(-1, -1, model.heads // model.kv_heads, -1)
            bias.masked_fill_(~repeated.reshape(bias.shape), float("-inf"))
        else:
            bias = padded_bias((1, 1, 1, step + 1), model.device, model.dtype)
        if self.rotated:
            lanes = torch.arange(n, device=model.device, dtype=torch.float32)[:, None]
            shifts = [model.cis(lanes * self.omega[:, i, None, :])[:, :, None, :] for i in range(self.omega.shape[1])]
        scale = model.head**-0.5
        group = (count, n, model.kv_heads, model.heads // model.kv_heads, model.head)

        def heads(q):  # (B, N, H, D) -> (B, G, N * H/G, D)
            return q.reshape(group).transpose(1, 2).flatten(2, 3)

        for layer, block in enumerate(model.blocks):
            qk, v = model.split(model.linear(model.norm(x, block["norm1"]), layer, "qkv", self.pairs))
            qk = qk * turn
            plain = model.real(qk)
            shifted = model.real(qk * shifts[layer % len(shifts)]) if self.rotated else plain
            keys, values = self.lane_kv[layer]
            keys[:, :, step] = shifted[:, :, model.heads :].transpose(1, 2)
            values[:, :, step] = v.transpose(1, 2)
            pk, pv = self.prompt_kv[layer]
            o1, l1 = self.parts(heads(plain[:, :, : model.heads]), pk, pv, self.prompt_bias, scale)
            o2, l2 = self.parts(
                heads(shifted[:, :, : model.heads]), keys[:, :, : step + 1].flatten(2, 3), values[:, :, : step + 1].flatten(2, 3), bias, scale
            )
            share = torch.sigmoid(l1 - l2)[..., None].to(o1.dtype)
            o = torch.lerp(o2, o1, share)
            o = o.unflatten(2, (n, group[3])).transpose(1, 2).reshape(count, n, -1)
            x = x + model.linear(o, layer, "o", self.pairs)
            x = model.ffn(x, layer, self.pairs)
        return model.logits(x).flatten(0, 1)

    @torch.inference_mode()
    def run(self, end):
        budget = self.sampling.budget
        logits = self.model.logits(self.read_prompts()).repeat_interleave(self.n, 0)
        self.lane_kv = []
        self.alive = torch.ones(len(self.groups), self.n, dtype=torch.bool, device=self.model.device)
        self.token = self.choose(logits, 0)
        del logits
        self.resize(torch.ones(len(self.groups), dtype=torch.bool, device=self.model.device), 0)
        for step in range(budget):
            self.out[self.index, :, step] = torch.where(self.alive, self.token, -1).int()
            if step % 16 == 15 or step == self.capacity:
                keep = (self.alive & (self.token != end)).any(1)
                alive = int(keep.sum())
                if alive == 0 or time.time() > self.sampling.deadline:
                    break
                if step == self.capacity or alive < 0.8 * len(keep):
                    self.resize(keep, step)
            if step + 1 == budget:
                break
            logits = self.step(step)
            self.alive = self.alive & (self.token != end)
            self.token = self.choose(logits, step + 1)
        return self.out.cpu().numpy()


def generate(model, groups, sampling, end, pairs=None, parts=None):
    """[groups][N] lists of rows, the tag and the end row included where the lane ended.

    Groups are taken in order of their prompts' lengths, as many at once as `sampling.cells` allows. A group that the
    deadline left out is None; one that it cut off has what it wrote.
    """
    order = sorted(range(len(groups)), key=lambda i: -len(groups[i].prompt))
    results = [None] * len(groups)
    at = 0
    while at < len(order) and time.time() < sampling.deadline:
        n = len(groups[order[at]].tags)
        each = len(groups[order[at]].prompt) + int(0.6 * n * sampling.budget)
        chunk = order[at : at + max(1, min(sampling.cells // each, sampling.lanes // n))]
        at += len(chunk)
        part = dataclasses.replace(sampling, seed=sampling.seed * 1000003 + at)
        out = Run(model, [groups[i] for i in chunk], part, pairs, parts).run(end)
        for i, lanes in zip(chunk, out):
            results[i] = [lane[: int((lane >= 0).sum())].tolist() for lane in lanes]
    return results
