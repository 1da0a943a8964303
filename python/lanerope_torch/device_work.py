# SPDX-License-Identifier: Apache-2.0
"""What the phases of device_run share, and the process that runs them."""

import dataclasses
import gzip
import json
import pathlib
import sys
import time
import traceback

import torch

from . import compose, compose_lanes, device_check, device_compare, device_sample, device_train, export, generate, judge
from .device_run import PLAN, is_done
from .gguf_weights import read_parts
from .model import Decoder, Lora
from .sleep import SleepTokens, sleeps_of
from .vocabulary import Vocabulary

PART = 6 * 1024 * 1024  # of a compressed file


@dataclasses.dataclass
class Spoken:
    """A sampled lane; its tag is no part of the text. `length` counts tokens, `clock` steps until it had ended, tag and end included."""

    text: str
    length: int
    clock: int
    ended: bool
    sleeps: list  # sleep.sleeps_of


class Work:
    """The model, the problems, the clock, files."""

    stride = 256
    lora_shape = (4, 8)  # rank, alpha

    def __init__(self, folder, end, tiny, failures):
        self.started = time.time()
        self.folder, self.back, self.end, self.tiny, self.failures = folder, folder / "back", end, tiny, failures
        self.log = open(self.back / "log.txt", "a")
        self.cuda = torch.cuda.is_available()
        facts, tensors = read_parts(folder)
        self.vocabulary, self.config = Vocabulary(facts), facts["config"]
        self.sleep = SleepTokens(*(self.vocabulary.encode(text)[0] for text in (compose_lanes.WAIT, compose_lanes.READY)))
        self.problems = {name: compose.load_problems(folder / f"{name}.jsonl") for name in ("train", "test")}
        self.lanes = 11000 >> failures
        if self.cuda:
            torch.backends.cuda.enable_cudnn_sdp(False)  # it plans anew for each shape
            self.model = Decoder(facts, tensors, "cuda", torch.bfloat16)
            self.cells = int((torch.cuda.get_device_properties(0).total_memory - 30e9) / 12288 * 0.8) >> failures
        else:
            self.model = Decoder(facts, tensors, "cpu", torch.float32)
            self.cells = 200_000
        self.say("model ready", torch.cuda.get_device_name(0) if self.cuda else "cpu", "rows", len(self.vocabulary.rows), "cells", self.cells)

    def fused(self, use):
        """Whether the device's fused attention may be used for "sampling" or "training": not where check found it wrong."""
        return not (self.back / "check.json").exists() or self.read("check.json")[use]

    def left(self):
        return self.end - time.time()

    def say(self, *words):
        line = " ".join(str(w) for w in (f"[{time.time() - self.started:6.1f}]", *words))
        print(line, flush=True)
        self.log.write(line + "\n")
        self.log.flush()

    def sample(self, groups, sampling, pairs=None, parts=None):
        """[groups] of [Spoken]; a group that time left out is None. Takes fewer lanes at once where memory ends."""
        while True:
            try:
                options = dataclasses.replace(sampling, cells=self.cells, lanes=self.lanes, sleep=self.sleep, deadline=self.end)
                parts = parts or (None if self.fused("sampling") else generate.part_math)
                results = generate.generate(self.model, groups, options, self.vocabulary.end, pairs, parts)
                break
            except torch.cuda.OutOfMemoryError:
                if self.lanes < 64:
                    raise
                self.cells, self.lanes = self.cells // 2, self.lanes // 2
                self.say("out of memory; now at most", self.lanes, "lanes at once")
            torch.cuda.empty_cache()
        end = self.vocabulary.end
        flat = [(lane, len(tag)) for lanes, g in zip(results, groups) if lanes is not None for lane, tag in zip(lanes, g.tags)]
        texts = iter(self.vocabulary.decode_all([[t for t in lane.rows[skip:] if t != end] for lane, skip in flat]))
        return [
            lanes and [Spoken(next(texts), len(x.rows), x.steps[-1] + 1, x.rows[-1] == end, sleeps_of(x.steps)) for x in lanes] for lanes in results
        ]

    def judge(self, records):
        """[(right, answer)] of [(ended, text, truth)]."""
        try:
            (self.folder / "judge").chmod(0o755)
            return judge.judge(str((self.folder / "judge").resolve()), records, 16 if self.cuda else 2)
        except Exception as error:
            self.say("the judge does not run, numbers are compared instead; judge again at home:", error)
            return [judge.by_number(*record) for record in records]

    def write_lines(self, name, records):
        """name.0.jsonl.gz, name.1.jsonl.gz, ..., none of them large; the first is there once all are."""
        for old in self.back.glob(f"{name}.*.jsonl.gz"):
            old.unlink()
        parts, out = [], None
        for r in records:
            if out is None or out.fileobj.tell() > PART:
                if out:
                    out.close()
                parts.append(self.back / f"{name}.{len(parts)}.jsonl.gz")
                out = gzip.open(str(parts[-1]) + ".part", "wb", compresslevel=5)
            out.write(json.dumps(r, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
        if out:
            out.close()
        for part in reversed(parts):
            pathlib.Path(str(part) + ".part").rename(part)

    def write(self, name, data):
        part = self.back / (name + ".part")
        part.write_text(json.dumps(data, indent=1))
        part.rename(self.back / name)

    def read(self, name):
        return json.loads((self.back / name).read_text())

    def pairs(self, lora):
        return [{p: (a.detach(), b.detach()) for p, (a, b) in x.items()} for x in lora.fuse_all(self.model.layers, self.model.dtype)]

    def save_adapter(self, name, lora):
        export.save(self.back / f"{name}.pt.part", lora)
        (self.back / f"{name}.pt.part").rename(self.back / f"{name}.pt")

    def load_adapter(self, name):
        zero = torch.zeros(self.model.head // 2)
        return export.load(self.back / f"{name}.pt", lambda rank, alpha: Lora(self.config, rank, alpha, zero)).to(self.model.device)


PHASES = {
    "check": device_check.check,
    "sample-test": lambda work: device_sample.sample(work, "test"),
    "sample-train": lambda work: device_sample.sample(work, "train"),
    "lanes": lambda work: device_train.fit(work, "lanes"),
    "control": lambda work: device_train.fit(work, "control"),
    "compare": device_compare.compare,
}


def main():
    folder, end, todo, failures = pathlib.Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3].split(","), int(sys.argv[4])
    now = folder / "phase.txt"
    work = Work(folder, end, "--tiny" in sys.argv, failures)
    for phase, seconds, _ in PLAN:
        if phase not in todo:
            continue
        if work.left() < seconds and not work.tiny:
            work.say("left for the next start:", phase)
            break
        now.write_text(phase)
        work.say("phase", phase)
        began = time.time()
        try:
            PHASES[phase](work)
        except Exception:
            work.say(traceback.format_exc())
            sys.exit(1)
        if work.cuda:
            torch.cuda.empty_cache()
        work.say(phase, "done" if is_done(work.back, phase) else "not done", f"{time.time() - began:.1f} s")
    now.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
