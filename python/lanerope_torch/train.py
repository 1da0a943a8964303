# SPDX-License-Identifier: Apache-2.0
"""Training of LoRA pairs and omega on groups of lanes: rows of tokens with their clock, batches, one loop."""

import dataclasses
import json
import math
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.checkpoint import checkpoint

PAD_STEP = 1 << 30
CHUNK_LOGITS = 600_000_000


@dataclasses.dataclass
class Rows:
    """One group, its prompt first, then lanes step-major. Lane -1 is the prompt; a prompt's steps are negative."""

    ids: np.ndarray
    lanes: np.ndarray
    steps: np.ndarray
    targets: np.ndarray  # -1: nothing is learned here
    prompt: int
    n: int

    def __len__(self):
        return len(self.ids)


def to_rows(prompt, lanes):
    """Rows of a prompt's ids and compose_lanes.Lanes. A lane that slept has a gap in its steps."""
    p, n = len(prompt), len(lanes)
    ids, lane, steps, targets = list(prompt), [-1] * p, list(range(-p, 0)), [-1] * p
    if n == 1 and lanes[0].learned[0]:
        targets[-1] = lanes[0].ids[0]
    for m, one in enumerate(lanes):
        ids += one.ids
        lane += [m] * len(one.ids)
        steps += range(len(one.ids)) if one.steps is None else one.steps
        targets += [t if ok else -1 for t, ok in zip(one.ids[1:], one.learned[1:])] + [-1]
    order = np.lexsort((lane, steps))
    make = lambda x: np.asarray(x, dtype=np.int32)[order]  # noqa: E731
    return Rows(make(ids), make(lane), make(steps), make(targets), p, n)


def make_batch(groups, device, dtype, visibility="inclusive", multiple=64):
    """Tensors (B, S) for Decoder.hidden of groups that are padded to one length; the mask only where lanes need one."""
    longest = max(len(g) for g in groups)
    width = (longest + multiple - 1) // multiple * multiple
    whole = np.zeros((4, len(groups), width), dtype=np.int32)
    whole[1], whole[2], whole[3] = -1, PAD_STEP, -1
    for b, g in enumerate(groups):
        whole[:, b, : len(g)] = g.ids, g.lanes, g.steps, g.targets
    prompts = torch.tensor([g.prompt for g in groups])[:, None]
    tensor = torch.from_numpy(whole)
    if device.type == "cuda":
        tensor, prompts = tensor.pin_memory().to(device, non_blocking=True), prompts.to(device)
    ids, lanes, steps, targets = tensor.long()
    pad = steps == PAD_STEP
    batch = {"ids": ids, "targets": targets, "positions": torch.where(pad, 0, steps + prompts), "in_lane": lanes >= 0}
    if max(g.n for g in groups) > 1:
        batch["lanes"] = lanes.clamp(min=0).float()
        if visibility == "inclusive":
            seen = steps[:, None, :] <= steps[:, :, None]
            batch["mask"] = torch.zeros(seen.shape, device=device, dtype=dtype).masked_fill_(~seen, float("-inf"))[:, None]
    return batch


def attend_cuda(q, k, v, mask, scale):
    if mask is None and q.shape[-1] != v.shape[-1]:
        wide = F.pad(v, (0, q.shape[-1] - v.shape[-1]))
        with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
            return F.scaled_dot_product_attention(q, k, wide, is_causal=True, scale=scale)[..., : v.shape[-1]]
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION if mask is None else SDPBackend.EFFICIENT_ATTENTION]):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None, scale=scale)


def loss_of(model, lora, batch, pairs, attend):
    """(sum of -log p, number of targets)."""
    x = model.hidden(batch, pairs, lora.omega, attend=attend)
    rows = (batch["targets"] >= 0).nonzero(as_tuple=True)
    x, targets = x[rows], batch["targets"][rows]
    part = lambda h, t: F.cross_entropy(model.logits(h).float(), t, reduction="sum")  # noqa: E731
    chunk = max(1, CHUNK_LOGITS // len(model.output))
    if len(targets) <= chunk:
        return part(x, targets), len(targets)
    # Logits of a large vocabulary are made again on the way back, so that only one chunk of them is there at a time.
    return sum(checkpoint(part, h, t, use_reentrant=False) for h, t in zip(x.split(chunk), targets.split(chunk))), len(targets)


def split_batches(groups, tokens, draw, window=512):
    """Batches of about `tokens` padded tokens from groups of like length and kind, in random order."""
    batches = []
    for at in range(0, len(groups), window):
        part = sorted(groups[at : at + window], key=lambda g: (g.n > 1, len(g)))
        batch, made = [], []
        for g in part:
            if batch and (max(len(x) for x in [*batch, g]) * (len(batch) + 1) > tokens or (batch[0].n > 1) != (g.n > 1)):
                made.append(batch)
                batch = []
            batch.append(g)
        made.append(batch)
        draw.shuffle(made)
        batches += made
    return batches


@dataclasses.dataclass
class TrainOptions:
    tokens: int = 10_000_000  # real ones, padding not counted
    batch_tokens: int = 16384
    accumulate: int = 2
    learning_rate: float = 8e-4
    omega_rate: float = 5e-3
    warmup: float = 0.04  # shares of the tokens
    final_share: float = 0.05
    clip: float = 1.0
    visibility: str = "inclusive"
    deadline: float = float("inf")


def train(model, lora, groups, options, draw, curve=None, attend=None):
    """Trains `lora` on groups, over and over, until options.tokens are read. Returns what was done."""
    attend = attend or (attend_cuda if model.device.type == "cuda" else None)
    lora.to(model.device)
    matrices = [p for name, p in lora.named_parameters() if name != "omega"]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "rate": options.learning_rate, "weight_decay": 0.01}, {"params": [lora.omega], "rate": options.omega_rate, "weight_decay": 0.0}],
        lr=1e-3,
        betas=(0.9, 0.95),
        fused=model.device.type == "cuda",
    )
    done = {"tokens": 0, "targets": 0, "steps": 0, "groups": 0, "padded": 0}
    started, queue, logged = time.time(), [], []
    while done["tokens"] < options.tokens and time.time() < options.deadline:
        share = done["tokens"] / options.tokens
        rate = min(1.0, (share + 1e-3) / options.warmup)
        rate *= options.final_share + (1 - options.final_share) * 0.5 * (1 + math.cos(math.pi * share))
        for family in optimizer.param_groups:
            family["lr"] = family["rate"] * rate
        parts = []
        for _ in range(options.accumulate):
            if not queue:
                shuffled = list(groups)
                draw.shuffle(shuffled)
                queue = split_batches(shuffled, options.batch_tokens, draw)[::-1]
            parts.append(queue.pop())
        count = sum(int((g.targets >= 0).sum()) for part in parts for g in part)
        total = torch.zeros((), device=model.device)
        for part in parts:
            batch = make_batch(part, model.device, model.dtype, options.visibility)
            pairs = lora.fuse_all(model.layers, model.dtype)
            loss, _ = loss_of(model, lora, batch, pairs, attend)
            (loss / count).backward()
            total += loss.detach()
            done["tokens"] += sum(len(g) for g in part)
            done["groups"] += len(part)
            done["padded"] += batch["ids"].numel()
        torch.nn.utils.clip_grad_norm_([p for p in lora.parameters() if p.grad is not None], options.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        done["steps"] += 1
        done["targets"] += count
        logged.append((done["steps"], done["tokens"], total / count))
        if curve and (done["steps"] % 20 == 0 or done["steps"] == 1):
            for step, tokens, value in logged:
                curve.write(json.dumps({"step": step, "tokens": tokens, "loss": round(float(value), 4)}) + "\n")
            curve.flush()
            print(f"step {step} tokens {tokens} loss {float(logged[-1][2]):.4f} {time.time() - started:.1f}s", flush=True)
            logged = []
    if model.device.type == "cuda":
        torch.cuda.synchronize()
    done["seconds"] = time.time() - started
    return done
