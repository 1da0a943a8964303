# SPDX-License-Identifier: Apache-2.0
"""The evidence run on one GPU of 15 minutes: python3 -m lanerope_torch.device_run FOLDER OUT [--seconds 390] [--tiny]

FOLDER holds what parts.py wrote. Started twice with the same line it does all there is (docs/lanerope_torch.md has the whole way):
each start takes the phases of PLAN that are not done and fit into its seconds. What a phase makes lies in FOLDER/back; a phase
whose files are there is skipped, so what came back from one machine can be laid there on another.

OUT gets FOLDER/back as tar files, at most eight, each below 16 MiB, written anew whenever a phase or an arm is done. The work is
done by device_work, in a process of its own: one that fails is started again and goes on behind the phase that failed, which
is tried twice; one that hangs is ended.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tarfile
import time

# Phase, seconds it may take, files of FOLDER/back that say that it is done.
PLAN = (
    ("check", 25, ("check.json",)),
    ("sample-test", 75, ("sample-test.json", "samples-test.0.jsonl.gz", "sets.json")),
    ("sample-train", 110, ("sample-train.json", "samples-train.0.jsonl.gz")),
    ("lanes", 170, ("lanes.pt", "train-lanes.json")),
    ("control", 110, ("control.pt", "train-control.json")),
    ("compare", 40, ("compare.json",)),
)
FILES, LIMIT = 8, 15 * 1024 * 1024
# What comes back first where not all does.
ORDER = ("*.json", "*.txt", "*.pt", "curve-*", "arm-*", "samples-test*", "samples-train*")


def is_done(back, phase):
    return all((back / name).exists() for name in next(names for p, _, names in PLAN if p == phase))


def pack(back, out):
    """FOLDER/back as tar files in OUT; the names of what did not fit."""
    files = []
    for pattern in ORDER:
        files += [f for f in sorted(back.glob(pattern)) if f not in files and f.suffix != ".part"]
    tars, left_out = [], []
    for file in files:
        size = file.stat().st_size + 1024
        room = next((t for t in tars if t[0] + size <= LIMIT), None)
        if room is None and (len(tars) == FILES or size > LIMIT):
            left_out.append(file.name)
            continue
        if room is None:
            tars.append(room := [2048, []])
        room[0] += size
        room[1].append(file)
    for i, (_, members) in enumerate(tars):
        part = out / f"back.{i}.tar.part"
        with tarfile.open(part, "w") as tar:
            for file in members:
                tar.add(file, file.name)
        part.rename(out / f"back.{i}.tar")
    for stale in range(len(tars), FILES):
        (out / f"back.{stale}.tar").unlink(missing_ok=True)
    return left_out


def keep(back, out):
    try:
        if left_out := pack(back, out):
            say(back, "too large to come back:", *left_out)
    except OSError as error:  # a file that is being made anew; the next time it is there
        say(back, "packing failed:", error)


def listing(back):
    """What makes packing worth while."""
    return sorted(f.name for f in back.glob("*") if f.suffix not in (".part", ".txt"))


def latest(now):
    """When the phase that runs must be over: a phase that hangs must not take the others' time."""
    try:
        seconds = next(s for p, s, _ in PLAN if p == now.read_text() and p != "compare")
        return now.stat().st_mtime + 1.5 * seconds + 30
    except (OSError, StopIteration):
        return float("inf")


def say(back, *words):
    line = " ".join(["[device_run]", *map(str, words)])
    print(line, flush=True)
    with open(back / "log.txt", "a") as log:
        log.write(line + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=390, help="when to stop, from the start of the program")
    parser.add_argument("--tiny", action="store_true", help="all phases in a minute, on any machine, to see that they run")
    options = parser.parse_args()
    end = time.time() + options.seconds
    back = options.folder / "back"
    back.mkdir(exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    failures, seen = {}, None
    while True:
        todo = [p for p, _, _ in PLAN if not is_done(back, p) and failures.get(p, 0) < 2]
        now = options.folder / "phase.txt"
        now.unlink(missing_ok=True)
        if not todo or time.time() > end:
            break
        command = [sys.executable, "-m", "lanerope_torch.device_work", options.folder, str(end), ",".join(todo), str(sum(failures.values()))]
        worker = subprocess.Popen(command + ["--tiny"] * options.tiny, process_group=0)
        while worker.poll() is None:
            try:
                worker.wait(2)
            except subprocess.TimeoutExpired:
                pass
            if listing(back) != seen:
                seen = listing(back)
                keep(back, options.out)
            if time.time() > min(end + 20, latest(now)) and worker.poll() is None:
                say(back, "what goes on beyond its time is ended")
                os.killpg(worker.pid, signal.SIGKILL)  # with those that it started
        if worker.returncode == 0:
            break
        phase = now.read_text() if now.exists() else "start"
        failures[phase] = failures.get(phase, 0) + 1
        say(back, "failed:", phase, "with", worker.returncode)
        if failures.get("start", 0) == 2:
            break
    missing = [p for p, _, _ in PLAN if not is_done(back, p)]
    say(back, "done" if not missing else "not done: " + ", ".join(missing) + "; start again with the same line")
    keep(back, options.out)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
