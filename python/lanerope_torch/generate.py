# SPDX-License-Identifier: Apache-2.0
"""Sampling of many groups at once, all lanes of a group by one clock.

Prompt and lanes have caches of their own, those of lanes one cell for each step of the clock. A query meets the prompt rotated
by theta alone and the lanes rotated by omega too; the two results are put together by their log-sum-exp, which is one soft-max over
both. Only lanes that are fed in a step have a row in it: a lane that sleeps (sleep.py) or has ended costs nothing but its cells.
"""

import dataclasses
import time

import torch

from .model import attend_math
from .sleep import SleepTokens


@dataclasses.dataclass
class Group:
    """One prompt and how its lanes see one another. Token ids are rows of the model."""

    prompt: list
    tags: list  # [N] forced ids of each lane, maybe empty
    joint: bool = True
    visibility: str = "inclusive"
    omega: torch.Tensor | None = None  # (1 or layers, D / 2); None: zero
    budget: int | None = None  # tokens a lane may spend; None: that of Sampling


@dataclasses.dataclass
class Written:
    """What a lane wrote: rows, the tag and the end row included where it ended, and the steps in which they were fed."""

    rows: list
    steps: list


@dataclasses.dataclass
class Sampling:
    budget: int = 384  # tokens a lane may spend, its tag and its end token included; a sleeping lane spends none
    sleep: SleepTokens = SleepTokens()
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


class LaneState:
    """What each lane of B groups is about to do, (B, N); sleep.Sleepers for all groups at once."""

    def __init__(self, count, n, device):
        flags = lambda value: torch.full((count, n), value, device=device)  # noqa: E731
        self.token = torch.zeros(count, n, dtype=torch.long, device=device)  # chosen last
        self.count = torch.zeros(count, n, dtype=torch.long, device=device)  # of tokens that were chosen
        self.live, self.pending = flags(True), flags(True)  # pending: what was chosen was not fed yet
        self.asleep, self.wants, self.news = flags(False), flags(False), flags(False)

    def keep(self, groups):
        for name, value in vars(self).items():
            setattr(self, name, value[groups])

    def chose(self, lanes, tokens, ends, sleep):
        self.token.view(-1)[lanes] = tokens
        self.count.view(-1)[lanes] += 1
        self.live.view(-1)[lanes] = ~ends
        if sleep.wait >= 0:
            self.wants.view(-1)[lanes] = tokens == sleep.wait
            self.news.view(-1)[lanes] = ends | (tokens == sleep.ready)

    def settle(self, joint):
        """`joint` (B, 1): whether lanes of a group see one another."""
        company = self.live.sum(1, keepdim=True) > 1
        asleep = (self.asleep | self.wants) & self.live & joint & company & ~self.news.any(1, keepdim=True)
        awake = (self.live & ~asleep).any(1, keepdim=True)
        self.asleep = asleep & awake
        self.wants.zero_()
        self.news.zero_()


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
        self.joint = torch.tensor([g.joint for g in groups], device=dev)[:, None]
        self.budget = torch.tensor([g.budget or sampling.budget for g in groups], device=dev)[:, None]
        self.longest = int(self.budget.max())
        self.out = torch.full((len(groups), n, self.longest), -1, dtype=torch.int32, device=dev)
        self.fed_at = torch.full((len(groups), n, self.longest), -1, dtype=torch.int32, device=dev)
        self.state = LaneState(len(groups), n, dev)
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
        model, capacity = self.model, step + self.growth
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
                for name in ("index", "length", "allow", "last", "forced", "joint", "budget") + (("omega",) if self.rotated else ()):
                    setattr(self, name, pick(getattr(self, name)))
                self.state.keep(keep)
        self.valid = valid
        self.capacity = capacity

    def draw(self, logits):
        """A token from each row of logits."""
        s = self.sampling
        if s.temperature <= 0:
            return logits.argmax(-1)
        top, ids = torch.topk(logits, min(64, logits.shape[-1]), -1)
        p = torch.softmax(top.float() / s.temperature, -1)
        p = p * ((p.cumsum(-1) - p) < s.top_p)
        return ids.gather(-1, torch.multinomial(p, 1, generator=self.generator)).squeeze(-1)

    def choose(self, drawn, lanes, end):
        """Lanes, numbered through all groups, choose what was drawn, or what they are forced to."""
        state = self.state
        count = state.count.view(-1)[lanes]
        if self.forced.shape[-1] > 0:
            forced = self.forced.flatten(0, 1)[lanes, count.clamp(max=self.forced.shape[-1] - 1)]
            drawn = torch.where((forced >= 0) & (count < self.forced.shape[-1]), forced, drawn)
        group, lane = self.index[lanes // self.n], lanes % self.n
        self.out[group, lane, count] = drawn.int()
        state.chose(lanes, drawn, (drawn == end) | (count + 1 >= self.budget.view(-1)[lanes // self.n]), self.sampling.sleep)

    def step(self, step, fed):
        """Feeds the tokens of the lanes `fed` (R numbers through all groups) at `step`; the hidden states behind them, (R, width)."""
        model, n = self.model, self.n
        count = len(self.index)
        group_of, lane_of = fed // n, fed % n
        x = torch.nn.functional.embedding(self.state.token.view(-1)[fed], model.embedding)  # (R, width)
        turn = model.cis(model.token_angles(self.length + step))[group_of, None, :]
        self.valid[group_of, step, lane_of] = True
        self.fed_at[self.index[group_of], lane_of, self.state.count.view(-1)[fed] - 1] = step
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
            shifts = [model.cis(lanes * self.omega[:, i, None, :]).flatten(0, 1)[fed, None, :] for i in range(self.omega.shape[1])]
        scale = model.head**-0.5
        group = (count, n, model.kv_heads, model.heads // model.kv_heads, model.head)

        def heads(q):  # (R, H, D) -> (B, G, N * H/G, D), lanes without a row zero
            every = q.new_zeros(count * n, *q.shape[1:])
            every[fed] = q
            return every.view(group).transpose(1, 2).flatten(2, 3)

        for layer, block in enumerate(model.blocks):
            qk, v = model.split(model.linear(model.norm(x, block["norm1"]), layer, "qkv", self.pairs))
            qk = qk * turn
            plain = model.real(qk)
            shifted = model.real(qk * shifts[layer % len(shifts)]) if self.rotated else plain
            keys, values = self.lane_kv[layer]
            keys[group_of, :, step, lane_of] = shifted[:, model.heads :]
            values[group_of, :, step, lane_of] = v
            pk, pv = self.prompt_kv[layer]
            o1, l1 = self.parts(heads(plain[:, : model.heads]), pk, pv, self.prompt_bias, scale)
            o2, l2 = self.parts(
                heads(shifted[:, : model.heads]), keys[:, :, : step + 1].flatten(2, 3), values[:, :, : step + 1].flatten(2, 3), bias, scale
            )
            share = torch.sigmoid(l1 - l2)[..., None].to(o1.dtype)
            o = torch.lerp(o2, o1, share)
            o = o.unflatten(2, (n, group[3])).transpose(1, 2).reshape(count * n, -1)[fed]
            x = x + model.linear(o, layer, "o", self.pairs)
            x = model.ffn(x, layer, self.pairs)
        return x

    @torch.inference_mode()
    def run(self, end):
        """Rows that the lanes wrote and the steps in which they were fed, both (groups, N, budget), -1 where there is none."""
        n, state = self.n, self.state
        every = torch.arange(len(self.groups) * n, device=self.model.device)
        logits = self.model.logits(self.read_prompts()).repeat_interleave(n, 0)
        self.lane_kv = []
        self.choose(self.draw(logits), every, end)
        del logits
        self.resize(torch.ones(len(self.groups), dtype=torch.bool, device=self.model.device), 0)
        step = 0
        while time.time() < self.sampling.deadline:
            state.settle(self.joint)
            if step % 16 == 15 or step == self.capacity:
                keep = state.live.any(1)
                left = int(keep.sum())
                if left == 0:
                    break
                if step == self.capacity or left < 0.8 * len(keep):
                    self.resize(keep, step)
            fed = (state.pending & ~state.asleep).view(-1).nonzero().squeeze(-1)
            if len(fed) == 0:
                break
            x = self.step(step, fed)
            goes_on = state.live.view(-1)[fed]
            state.pending.view(-1)[fed] = goes_on
            if len(fed := fed[goes_on]) > 0:
                self.choose(self.draw(self.model.logits(x[goes_on])), fed, end)
            step += 1
        return self.out.cpu().numpy(), self.fed_at.cpu().numpy()


def written(lane, fed_at):
    count = int((lane >= 0).sum())
    steps = fed_at[:count].tolist()
    if count and steps[-1] < 0:
        steps[-1] = steps[-2] + 1 if count > 1 else 0
    return Written(lane[:count].tolist(), steps)


def generate(model, groups, sampling, end, pairs=None, parts=None):
    """[groups][N] Written. The step of a last token that nobody is left to read is the next one of its lane.

    All groups have the same number of lanes. They are taken in order of their budgets and lengths, as many at once as `sampling.cells` allows.
    A group that the deadline left out is None; one that it cut off has what it wrote.
    """
    budget_of = lambda i: groups[i].budget or sampling.budget  # noqa: E731
    order = sorted(range(len(groups)), key=lambda i: (-budget_of(i), -len(groups[i].prompt)))
    results = [None] * len(groups)
    at = 0
    while at < len(order) and time.time() < sampling.deadline:
        n = len(groups[order[at]].tags)
        budget, longest, chunk = budget_of(order[at]), 0, []
        for i in order[at:]:
            longest = max(longest, len(groups[i].prompt))
            count = len(chunk) + 1
            if chunk and (count * (longest + int(0.6 * n * budget)) > sampling.cells or count * n > sampling.lanes):
                break
            chunk.append(i)
        at += len(chunk)
        part = dataclasses.replace(sampling, seed=sampling.seed * 1000003 + at)
        out, fed_at = Run(model, [groups[i] for i in chunk], part, pairs, parts).run(end)
        for i, lanes, steps in zip(chunk, out, fed_at):
            results[i] = [written(lane, at) for lane, at in zip(lanes, steps)]
    return results
