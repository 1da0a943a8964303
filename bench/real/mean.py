#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The mean of two adapters of one kind, weight by weight, such as one from before a training and one from after it.

  python3 bench/real/mean.py BEFORE.gguf AFTER.gguf SHARE OUT.gguf

SHARE is that of AFTER, whose keys (omega among them) OUT has as well. Needs the package gguf.
"""

import argparse
import shutil

import numpy


def mean(before, after, share):
    """Of two arrays, in the type of the second one."""
    return ((1 - share) * before.astype(numpy.float32) + share * after.astype(numpy.float32)).astype(after.dtype)


def shapes(tensors):
    return {name: data.shape for name, data in tensors.items()}


def main():
    from gguf import GGUFReader

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("share", type=float)
    parser.add_argument("out")
    given = parser.parse_args()
    before, after = ({tensor.name: tensor.data for tensor in GGUFReader(file).tensors} for file in (given.before, given.after))
    if shapes(before) != shapes(after):
        parser.exit(1, f"{given.before} and {given.after} do not have the same weights\n")
    shutil.copyfile(given.after, given.out)
    written = GGUFReader(given.out, "r+")
    for tensor in written.tensors:
        tensor.data[...] = mean(before[tensor.name], tensor.data, given.share)
    written.data.flush()


if __name__ == "__main__":
    main()
