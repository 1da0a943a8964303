#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The mean of two adapters of one kind, weight by weight, such as one from before a training and one from after it.

  python3 bench/real/mean.py BEFORE.gguf AFTER.gguf SHARE OUT.gguf

SHARE is that of AFTER, whose keys (omega among them) and types OUT has as well. Needs the package gguf.
"""

import argparse
import shutil
import sys

import numpy
from gguf import GGUFReader


def weights(file):
    return {tensor.name: tensor.data for tensor in file.tensors}


def write_mean(files, share, out):
    """files: before and after. Raises ValueError where they do not have the same weights."""
    before, after = (weights(GGUFReader(file)) for file in files)
    if {name: data.shape for name, data in before.items()} != {name: data.shape for name, data in after.items()}:
        raise ValueError(f"{files[0]} and {files[1]} do not have the same weights")
    shutil.copyfile(files[1], out)
    written = weights(GGUFReader(out, "r+"))
    for name, data in written.items():
        data[...] = (1 - share) * before[name].astype(numpy.float32) + share * after[name].astype(numpy.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("share", type=float)
    parser.add_argument("out")
    given = parser.parse_args()
    try:
        write_mean((given.before, given.after), given.share, given.out)
    except OSError as error:
        sys.exit(f"{error.filename} cannot be read or written: {error.strerror}")
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
