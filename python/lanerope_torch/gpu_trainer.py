# SPDX-License-Identifier: Apache-2.0
"""script/device --trainer: the trainer in C++ (lanerope-train), built against this machine's PyTorch, on its GPU and on its CPU."""

import json
import statistics
import subprocess
import tempfile
from pathlib import Path

PROGRAMS = ("lanerope-toy", "lanerope-train")


def find(folder):
    """The programs, or an error that says how they are built."""
    found = {name: Path(folder) / name for name in PROGRAMS}
    missing = [str(path) for path in found.values() if not path.is_file()]
    if missing:
        raise FileNotFoundError(f"there is no {missing[0]}; docs/lanerope_torch.md says how the trainer is built against this machine's PyTorch")
    return found


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(words[0]).name}: {(done.stderr or done.stdout).strip().splitlines()[-1]}")


class Trainer:
    """Trains the model of the made task, in a folder that is gone after a with."""

    def __init__(self, programs, shapes):
        self.programs, self.shapes = programs, shapes
        self.folder = tempfile.TemporaryDirectory()
        self.work = Path(self.folder.name)

    def __enter__(self):
        run(self.programs["lanerope-toy"], "traces", "--count", self.shapes.made_traces, "--split", "train", "--parts", "1-8", "-o", self.work / "traces.jsonl")
        run(self.programs["lanerope-train"], "vocabulary", "--data", self.work / "traces.jsonl", "--merges", 400, "-o", self.work / "vocabulary.gguf")
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def curve(self, name, steps, **settings):
        """The points of a training of so many steps."""
        names = ("layers", "width", "heads", "kv_heads", "ffn", "context")
        out = self.work / f"{name}.gguf"
        config = {
            "stage": "pretrain", "name": name, "model": {key: self.shapes.trained[key] for key in names}, "vocabulary": str(self.work / "vocabulary.gguf"),
            "data": [{"file": str(self.work / "traces.jsonl"), "weight": 1}], "out": str(out), "steps": steps, "batch_tokens": self.shapes.batch_tokens,
            "warmup": 1, **settings,
        }  # fmt: skip
        (self.work / f"{name}.json").write_text(json.dumps(config))
        run(self.programs["lanerope-train"], "pretrain", "-c", self.work / f"{name}.json")
        return [json.loads(line) for line in (self.work / f"{name}.gguf.run/curve.jsonl").read_text().splitlines()]

    def losses(self, device):
        """Of the first steps, f32."""
        return [point["loss"] for point in self.curve(f"losses-{device}", self.shapes.compared_steps, device=str(device))]

    def speed(self, device, kind):
        """Tokens a second, once it runs evenly."""
        steps = self.shapes.compared_steps
        points = self.curve(f"speed-{kind}", 4 * steps, device=str(device), type=kind)
        return round(statistics.median(point["tokens_per_second"] for point in points[steps:]))
