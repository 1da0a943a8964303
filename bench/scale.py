#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a step of N lanes reads, computes and sends, and what bounds it: the tables of docs/scale.md.

  python3 bench/scale.py           bytes and multiply-adds by model, lanes and length; times on machines by their data sheets
  python3 bench/scale.py --check   the same formula against steps that bench/RESULTS.md measured

A step feeds one token of each lane. Every weight is read once for all lanes, and multiplied with each lane's token. The prompt's cells are stored and read
once for all lanes; the cells of a lane are read once too, by its own query or by those of all lanes: lanes that see one another read no byte more, they
compute more. Parts that wait for the memory and parts that wait for the arithmetic overlap in part: their times are added as (a^p + b^p)^(1/p), p = 1.5,
with the products at half of the arithmetic's peak; both numbers are fitted to the five steps of one run, and the other runs say how far that goes.
"""

import argparse
from dataclasses import dataclass

OVERLAP, PRODUCT_SHARE = 1.5, 0.5
LANES = 1, 4, 8, 32


@dataclass(frozen=True)
class Model:
    name: str
    n_layer: int
    n_embd: int
    n_head: int
    n_head_kv: int
    head_dim: int
    n_ffn: int
    n_vocab: int
    tied: bool
    weight_bytes: float  # of all weights that a step reads, as stored
    cell_bits: int = 16

    def products(self):
        """Multiply-adds of one token with the weights."""
        attention = self.n_embd * self.head_dim * (2 * self.n_head + 2 * self.n_head_kv)
        return self.n_layer * (attention + 3 * self.n_embd * self.n_ffn) + self.n_embd * self.n_vocab

    def cell(self):
        """Bytes of a cell: the keys and values of one token in all layers."""
        return self.n_layer * 2 * self.n_head_kv * self.head_dim * self.cell_bits / 8

    def of_cell(self):
        """Multiply-adds of one query with one cell: scores and values."""
        return self.n_layer * 2 * self.n_head * self.head_dim


@dataclass(frozen=True)
class Machine:
    name: str
    bandwidth: float  # bytes a second
    products: float  # multiply-adds a second, peak, in the type that products are made in
    attention: float  # the same for attention, as reached


@dataclass(frozen=True)
class Step:
    read: float  # bytes
    products: float  # multiply-adds
    attention: float

    def seconds(self, machine):
        memory, arithmetic = self.read / machine.bandwidth, self.products / (PRODUCT_SHARE * machine.products)
        return (memory**OVERLAP + arithmetic**OVERLAP) ** (1 / OVERLAP) + self.attention / machine.attention

    def bound(self, machine, model):
        parts = {
            "weights": model.weight_bytes / machine.bandwidth,
            "cells": (self.read - model.weight_bytes) / machine.bandwidth,
            "products": self.products / (PRODUCT_SHARE * machine.products),
            "attention": self.attention / machine.attention,
        }
        return max(parts, key=parts.get)


def step(model, lanes, prompt, written, joint=True):
    """Of `lanes` lanes that have written so many tokens each behind a prompt."""
    cells = prompt + lanes * written
    seen = prompt + (lanes * written if joint else written)
    return Step(model.weight_bytes + cells * model.cell(), lanes * model.products(), lanes * seen * model.of_cell())


SMALL = Model("Qwen2.5 0.5B, Q4_K_M", 24, 896, 14, 2, 64, 4864, 151936, True, 491e6)
R1 = Model("1.5B, Q4_K_M", 28, 1536, 12, 2, 128, 8960, 151936, False, 1114e6)
R1_Q8 = Model("1.5B, Q8_0", 28, 1536, 12, 2, 128, 8960, 151936, False, 1.76 * 2**30)
MODELS = [
    Model("1.5B, 4 bits", 28, 1536, 12, 2, 128, 8960, 151936, False, 1.1e9),
    Model("8B, 4 bits", 36, 4096, 32, 8, 128, 12288, 151936, False, 5.0e9),
    Model("8B, 16 bits", 36, 4096, 32, 8, 128, 12288, 151936, False, 16.4e9),
    Model("32B, 4 bits", 64, 5120, 64, 8, 128, 25600, 151936, False, 19.8e9),
]
MACHINES = [
    Machine("laptop: 8 cores, 100 GB/s, 3 TMAC/s in 8 bits, 0.8 in floats", 100e9, 3e12, 0.8e12),
    Machine("Mac of 546 GB/s and 9 TMAC/s", 546e9, 9e12, 4e12),
    Machine("H100: 3,350 GB/s, 495 TMAC/s in 16 bits", 3350e9, 495e12, 150e12),
]
# Model, GB/s and GMAC/s as the run measured them, lanes, prompt, tokens a lane on average while timed, milliseconds. The float rate is 210 GMAC/s.
MEASURED = [
    *((R1, 42.2, 626, lanes, 512, 32, ms) for lanes, ms in ((1, 28.46), (2, 29.62), (4, 35.61), (8, 52.57), (16, 97.02))),
    (R1, 52.2, 822, 8, 512, 32, 47.97),
    (R1, 49.5, 814, 8, 512, 256, 56.51),
    (R1, 44.7, 817, 8, 4096, 8, 74.51),
    (R1_Q8, 34.9, 818, 8, 128, 8, 70.76),
    *((SMALL, 27, 817, lanes, 512, 24, lanes / rate * 1e3) for lanes, rate in ((1, 51.1), (4, 165.8), (8, 263.0))),
]


def check():
    print("| model | lanes | prompt | written | measured ms | formula | off by |\n|---|---|---|---|---|---|---|")
    for model, bandwidth, rate, lanes, prompt, written, ms in MEASURED:
        told = 1e3 * step(model, lanes, prompt, written).seconds(Machine("", bandwidth * 1e9, rate * 1e9, 210e9))
        print(f"| {model.name} | {lanes} | {prompt:,} | {written} | {ms:.1f} | {told:.1f} | {100 * (told / ms - 1):+.0f} % |")


def tables():
    prompt, written = 512, 2048
    print(f"Prompt of {prompt} tokens, {written:,} written by each lane.\n")
    print("| model | lanes | weights GB | cells GB | products GMAC | attention GMAC, independent | joint |\n|---|---|---|---|---|---|---|")
    for model in MODELS:
        for lanes in LANES:
            joint, alone = (step(model, lanes, prompt, written, both) for both in (True, False))
            print(
                f"| {model.name} | {lanes} | {model.weight_bytes / 1e9:.1f} | {(joint.read - model.weight_bytes) / 1e9:.2f} | {joint.products / 1e9:,.0f} "
                f"| {alone.attention / 1e9:,.1f} | {joint.attention / 1e9:,.1f} |"
            )
    for machine in MACHINES:
        print(f"\n{machine.name[0].upper()}{machine.name[1:]}\n\n| model | lanes | ms a step | tokens/s | joint over independent | bound by |\n|---|---|---|---|---|---|")
        for model in MODELS:
            for lanes in LANES:
                joint, alone = (step(model, lanes, prompt, written, both) for both in (True, False))
                seconds = joint.seconds(machine)
                over = seconds / alone.seconds(machine)
                print(f"| {model.name} | {lanes} | {1e3 * seconds:.1f} | {lanes / seconds:,.0f} | {over:.2f} | {joint.bound(machine, model)} |")
    print("\nTwo machines, half of the layers each: what goes over the wire, one way\n\n| model | lanes | KB a step | 1 Gbit/s | 10 Gbit/s |\n|---|---|---|---|---|")
    for model in (MODELS[1], MODELS[3]):
        for lanes in (1, 8, 32):
            sent = 4 * model.n_embd * lanes
            print(f"| {model.name} | {lanes} | {sent / 1e3:.0f} | {1e3 * sent / 125e6:.2f} ms | {1e3 * sent / 1250e6:.3f} ms |")


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--check", action="store_true", help="against measured steps")
if parser.parse_args().check:
    check()
else:
    tables()
