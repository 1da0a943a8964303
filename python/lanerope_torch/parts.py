# SPDX-License-Identifier: Apache-2.0
"""What travels to a device: python3 -m lanerope_torch.parts MODEL.gguf FOLDER GSM8K_FOLDER JUDGE; weights.0 ... and the rest."""

import argparse
import json
import pathlib
import shutil

from . import mixture
from .compose import WORDINGS, compose_question
from .compose_lanes import READY, WAIT
from .gguf_weights import read_facts, read_tensors, write_parts
from .tokenizer import CONTROL, LaneTokenizer


def rows_of_texts(tokenizer, data, samples):
    """Ids that occur in GSM8K, in samples and in what compose_lanes.py writes, single bytes and control tokens."""
    texts = [WAIT, " ".join(f"<lane{k}>" for k in range(1, 17)), f"Answer 1: 18{READY}\n#### (1, 2.5, -3)\n"]
    for name in ("train", "test"):
        for line in open(pathlib.Path(data) / f"{name}.jsonl", encoding="utf-8"):
            question = json.loads(line)["question"].strip()
            texts += [question] + [compose_question([question, question], w) for w in range(len(WORDINGS))]
    texts += [r["text"] + "\n" for r in mixture.read_samples(samples)]
    rows = {i for text in texts for i in tokenizer.encode(text)} | set(tokenizer.prompt("x"))
    return sorted(rows | {i for i, t in enumerate(tokenizer.tokens) if len(t) == 1 or tokenizer.types[i] == CONTROL})


def write(model, folder, data, judge, part_bytes, samples=None):
    """The number of parts that the weights became, and of rows of the vocabulary, where not all."""
    _, reader = read_tensors(model)
    rows = None
    if samples is not None:
        rows = rows_of_texts(LaneTokenizer.from_dict(read_facts(reader)["vocabulary"]), data, samples)
    parts = write_parts(model, folder, part_bytes, rows)
    for name in ("train", "test"):
        shutil.copy(pathlib.Path(data) / f"{name}.jsonl", folder)
    shutil.copy(judge, pathlib.Path(folder) / "judge")
    (pathlib.Path(folder) / "judge").chmod(0o755)
    return parts, rows and len(rows)


def main():
    parser = argparse.ArgumentParser()
    for name in ("model", "folder", "data", "judge"):
        parser.add_argument(name)
    parser.add_argument("--part-bytes", type=int, default=50_000_000)
    parser.add_argument("--samples", nargs="*", help="keep only the rows of these samples' tokens: to train with, never to sample with")
    options = parser.parse_args()
    parts, rows = write(options.model, options.folder, options.data, options.judge, options.part_bytes, options.samples)
    print(parts, "parts,", rows or "all", "rows")


if __name__ == "__main__":
    main()
