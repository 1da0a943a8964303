# SPDX-License-Identifier: Apache-2.0
"""The whole of device_run on a random model of Qwen2's shape, on the CPU."""

import gzip
import json
import os
import pathlib
import subprocess
import sys
import tarfile

import numpy as np
import pytest

pytest.importorskip("torch")
gguf = pytest.importorskip("gguf")

from lanerope_torch import compose_lanes, device_run, evaluate, measure, mixture, parts  # noqa: E402

PYTHON = pathlib.Path(__file__).parents[2] / "python"


def byte_letters():
    """The letter that stands for each byte in a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {b: chr(b) for b in plain}
    return [letters.setdefault(b, chr(256 + sum(x not in plain for x in range(b)))) for b in range(256)]


def write_model(path):
    letters = byte_letters()
    tokens, merges = list(letters), []
    for word in (compose_lanes.WAIT, compose_lanes.READY):
        spelt = [letters[b] for b in word.encode()]
        # A space is put before the rest, as "Ġ" and a word that is one token already.
        for at in range(2, len(spelt)):
            merges.append(f"{''.join(spelt[1:at])} {spelt[at]}")
        merges.append(f"{spelt[0]} {''.join(spelt[1:])}")
        tokens += [m.replace(" ", "") for m in merges if m.replace(" ", "") not in tokens]
    tokens += ["<|im_start|>", "<|im_end|>"]
    draw = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "qwen2")
    facts = {"block_count": 2, "embedding_length": 64, "attention.head_count": 4, "attention.head_count_kv": 2, "feed_forward_length": 96, "context_length": 4096}
    for name, value in facts.items():
        writer.add_uint32(f"qwen2.{name}", value)
    writer.add_float32("qwen2.rope.freq_base", 1e4)
    writer.add_float32("qwen2.attention.layer_norm_rms_epsilon", 1e-6)
    writer.add_token_list(tokens)
    writer.add_token_types([1] * (len(tokens) - 2) + [3, 3])
    writer.add_token_merges(merges)
    writer.add_eos_token_id(len(tokens) - 1)
    shapes = {"attn_q": (64, 64), "attn_k": (32, 64), "attn_v": (32, 64), "attn_output": (64, 64), "ffn_gate": (96, 64), "ffn_up": (96, 64), "ffn_down": (64, 96)}
    tensors = {"token_embd": (len(tokens), 64), "output": (len(tokens), 64)}
    tensors |= {f"blk.{i}.{role}": shape for i in range(2) for role, shape in shapes.items()}
    for name, shape in tensors.items():
        writer.add_tensor(f"{name}.weight", draw.standard_normal(shape).astype(np.float32) * 0.1)
    for name in ["output_norm"] + [f"blk.{i}.{norm}" for i in range(2) for norm in ("attn_norm", "ffn_norm")]:
        writer.add_tensor(f"{name}.weight", np.ones(64, dtype=np.float32))
    for role in ("attn_q", "attn_k", "attn_v"):
        for i in range(2):
            writer.add_tensor(f"blk.{i}.{role}.bias", np.zeros(shapes[role][0], dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def start(folder, out):
    environment = os.environ | {"PYTHONPATH": str(PYTHON), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "lanerope_torch.device_run", str(folder), str(out), "--tiny"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def carried(tmp_path_factory):
    """What parts.py writes for a device, and the two folders that it is made of."""
    home = tmp_path_factory.mktemp("device")
    for name in ("train", "test"):
        lines = [{"question": f"{name} has {i} pens and gets 4 more. How many?", "answer": f"It is so.\n#### {i + 4}"} for i in range(40)]
        (home / f"{name}.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    write_model(home / "model.gguf")
    (home / "judge").write_text("#!/bin/sh\nexit 1\n")
    parts.write(home / "model.gguf", home / "device", home, home / "judge", 20000)
    assert len(list((home / "device").glob("weights.*"))) > 3
    return home


@pytest.fixture(scope="module")
def came_back(carried):
    """What a start brought back, as it lies on the device and in OUT."""
    ran = start(carried / "device", carried / "out")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return carried / "device/back", carried / "out"


def test_everything_comes_back_in_files_small_enough(came_back):
    back, out = came_back
    files = list(out.glob("*"))
    assert 1 <= len(files) <= 8 and all(f.suffix == ".tar" and f.stat().st_size < 16 * 2**20 for f in files)
    names = {name for f in files for name in tarfile.open(f).getnames()}
    assert names == {f.name for f in back.glob("*")}
    assert {name for _, _, made in device_run.PLAN for name in made} <= names


def test_what_matters_most_comes_back_where_not_all_does(tmp_path, monkeypatch):
    back, out = tmp_path / "back", tmp_path / "out"
    back.mkdir()
    out.mkdir()
    sizes = {"a.json": 1000, "lanes.pt": 6000, "arm-x.0.jsonl.gz": 6000, "samples-test.0.jsonl.gz": 6000, "samples-train.0.jsonl.gz": 6000, "new.json.part": 10}
    for name, size in (sizes | {"control.pt": 90000}).items():
        (back / name).write_bytes(bytes(size))
    monkeypatch.setattr(device_run, "LIMIT", 20000)
    monkeypatch.setattr(device_run, "FILES", 1)
    assert device_run.pack(back, out) == ["control.pt", "samples-test.0.jsonl.gz", "samples-train.0.jsonl.gz"]
    assert [f.name for f in out.glob("*")] == ["back.0.tar"] and (out / "back.0.tar").stat().st_size <= 20480
    assert tarfile.open(out / "back.0.tar").getnames() == ["a.json", "lanes.pt", "arm-x.0.jsonl.gz"]


def test_records_hold_what_every_figure_is_made_of(came_back):
    back, _ = came_back
    for title, n, lanes in (("lanes-reach", 4, 4), ("control-reach", 1, 4), ("base-plain", 1, 4)):
        with gzip.open(back / f"arm-{title}.0.jsonl.gz", "rt") as lines:
            records = [json.loads(line) for line in lines]
        for r in records:
            assert r["n"] == n and len(r["lanes"]) == lanes and r["k"] == len(r["gold"]) == len(r["problems"])
            assert all({"text", "length", "clock", "ended", "final"} <= set(x) and x["clock"] >= x["length"] for x in r["lanes"])
            assert evaluate.group_scores(r)["tokens"] == sum(x["length"] for x in r["lanes"])
    lanes, control = (json.loads((back / f"train-{kind}.json").read_text()) for kind in ("lanes", "control"))
    assert lanes["whole"] and control["whole"]
    samples = list(mixture.read_samples(back.glob("samples-test.*.jsonl.gz")))
    assert len(samples) == 24 and {r["p"] for r in samples} == set(range(12))


def test_tables_are_made_at_home(came_back, capsys):
    back, _ = came_back
    measure.main(["device", str(back), "--against", "control", "--budgets", "20,40"])
    told = capsys.readouterr().out
    assert all(word in told for word in ("reach-4", "reach-1", "plain", "lanes", "closed", "one", "base")) and told.count("nan") == 0


def test_samples_become_rollouts(came_back, carried):
    back, _ = came_back
    measure.main(["rollouts", str(back), "test", str(carried), str(carried / "rollouts.jsonl")])
    lines = [json.loads(line) for line in open(carried / "rollouts.jsonl")]
    assert len(lines) == 24 and all(len(x["lanes"]) == len(x["labels"]) == len(x["ended"]) == 1 for x in lines)


def test_what_came_back_is_not_made_again_and_one_phase_that_fails_leaves_the_rest(came_back, carried):
    back, out = came_back
    for f in back.glob("*"):
        f.unlink()
    for f in out.glob("*"):
        with tarfile.open(f) as tar:
            tar.extractall(back, filter="data")
    told = {f.name: f.stat().st_mtime for f in back.glob("*") if f.name != "log.txt"}
    assert start(carried / "device", out).returncode == 0
    assert told == {f.name: f.stat().st_mtime for f in back.glob("*") if f.name != "log.txt"}
    (back / "lanes.pt").write_bytes(b"broken")
    for name in ("compare.json", "control.pt", "check.json"):
        (back / name).unlink()
    ran = start(carried / "device", out)
    assert ran.returncode == 1 and ran.stdout.count("failed: compare") == 2
    assert (back / "control.pt").exists() and (back / "check.json").exists() and not (back / "compare.json").exists()
    assert "control.pt" in {name for f in out.glob("*") for name in tarfile.open(f).getnames()}
