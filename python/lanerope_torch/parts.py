# SPDX-License-Identifier: Apache-2.0
"""What travels to the device: python3 -m lanerope_torch.parts MODEL.gguf FOLDER GSM8K_FOLDER JUDGE [PART_BYTES]."""

import json
import pathlib
import re
import shutil
import sys

from .compose import WAIT, WORDINGS, compose_question
from .gguf_weights import read_facts, read_tensors, write_parts
from .tokenizer import CONTROL, LaneTokenizer

# Characters outside of ASCII that the model writes in calculations.
SYMBOLS = "×÷≈≤≥±°√π–—’‘“”…•→€£½¼¾²³·−∴ ×≈ ÷ – — ’ “ £ €"
ASCII_BELOW = 36000  # of tokens of ASCII text alone, which are ordered by how early they were merged


def rows_needed(tokenizer, folder):
    """Ids of tokens that can occur: of GSM8K's texts and our own, of single bytes, and the common ones in ASCII."""
    texts = [SYMBOLS, WAIT, " ".join(f"<lane{k}>" for k in range(1, 17)), "Answer 1: 18\n#### (1, 2.5, -3)\n"]
    texts += [compose_question(["a", "b"], w) for w in range(len(WORDINGS))]
    rows = {i for t in texts for i in tokenizer.encode(t)} | set(tokenizer.prompt("x"))
    for name in ("train", "test"):
        for line in open(pathlib.Path(folder) / f"{name}.jsonl", encoding="utf-8"):
            record = json.loads(line)
            question = record["question"].strip()
            texts = [question, re.sub("<<.*?>>", "", record["answer"])]
            texts += [compose_question([question, question], w) for w in range(len(WORDINGS))]
            rows |= {i for text in texts for i in tokenizer.encode(text)}
    ordinary = re.compile("[!-~ĠĊĉč]+")
    for i, token in enumerate(tokenizer.tokens):
        if len(token) == 1 or (tokenizer.types[i] == CONTROL and i <= 151645) or (i < ASCII_BELOW and ordinary.fullmatch(token)):
            rows.add(i)
    return sorted(rows)


def main(model, folder, data, judge, part_bytes="54000000"):
    _, reader = read_tensors(model)
    tokenizer = LaneTokenizer.from_dict(read_facts(reader)["vocabulary"])
    rows = rows_needed(tokenizer, data)
    parts = write_parts(model, folder, rows, int(part_bytes))
    for name in ("train", "test"):
        shutil.copy(pathlib.Path(data) / f"{name}.jsonl", folder)
    shutil.copy(judge, pathlib.Path(folder) / "judge")
    print(len(rows), "rows", parts, "parts")


if __name__ == "__main__":
    main(*sys.argv[1:])
