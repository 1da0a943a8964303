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


def compare(folder, shapes, device, say, tolerance):
    """Losses of the first steps on both in f32, and the GPU's tokens a second; whether the losses agree."""
    programs = find(folder)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        traces, vocabulary = work / "traces.jsonl", work / "vocabulary.gguf"
        run(programs["lanerope-toy"], "traces", "--count", shapes.made_traces, "--split", "train", "--parts", "1-8", "-o", traces)
        run(programs["lanerope-train"], "vocabulary", "--data", traces, "--merges", 400, "-o", vocabulary)
        names = ("layers", "width", "heads", "kv_heads", "ffn", "context")

        def train(name, steps, **settings):
            out = work / f"{name}.gguf"
            config = {
                "stage": "pretrain", "name": name, "model": {key: shapes.trained[key] for key in names}, "vocabulary": str(vocabulary),
                "data": [{"file": str(traces), "weight": 1}], "out": str(out), "steps": steps, "batch_tokens": shapes.batch_tokens, "warmup": 1, **settings,
            }  # fmt: skip
            (work / f"{name}.json").write_text(json.dumps(config))
            run(programs["lanerope-train"], "pretrain", "-c", work / f"{name}.json")
            return [json.loads(line) for line in (work / f"{name}.gguf.run/curve.jsonl").read_text().splitlines()]

        here, there = ([point["loss"] for point in train(f"losses-{where}", shapes.compared_steps, device=where)] for where in ("cpu", device.type))
        gap = max(abs(a - b) / a for a, b in zip(here, there, strict=True))
        say({"trainer_losses": {"cpu": here, device.type: there, "largest_relative_gap": gap, "right": gap < tolerance}})
        for kind in ("f32", "bf16"):
            points = train(f"speed-{kind}", 4 * shapes.compared_steps, device=device.type, type=kind)
            rate = statistics.median(point["tokens_per_second"] for point in points[shapes.compared_steps :])
            say({"trainer": {"type": kind, "tokens_a_second": round(rate)}})
        return gap < tolerance
