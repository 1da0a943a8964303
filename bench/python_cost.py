# SPDX-License-Identifier: Apache-2.0
"""What the layer of Python costs a step: python bench/python_cost.py [MODEL.gguf]. Nothing else should run on the machine.

The same seeded group is run twice in turns: once without events, where Python waits for the end and the steps follow one another in C++, and once
with every event read in Python. Prints the medians of several runs and how much longer a step takes.
"""

import statistics
import sys
import time

import lanerope

LANES, BUDGET, RUNS = 8, 64, 7


def seconds_of_step(model: lanerope.Model, read_events: bool) -> float:
    stream = model.stream("Count to a hundred.", lanes=LANES, budget=BUDGET, seed=1, ignore_end=True, raw=True)
    events = 0
    if read_events:
        start = time.perf_counter()
        for event in stream:
            events += event.kind == "token" and event.text is not None and event.logprob is not None
        seconds = time.perf_counter() - start
        return seconds / BUDGET
    start = time.perf_counter()
    model.generate("Count to a hundred.", lanes=LANES, budget=BUDGET, seed=1, ignore_end=True, raw=True)
    return (time.perf_counter() - start) / BUDGET


def main(file: str | None = None) -> None:
    model = lanerope.Model(file)
    seconds_of_step(model, True)
    without, read = [], []
    for _ in range(RUNS):
        without.append(seconds_of_step(model, False))
        read.append(seconds_of_step(model, True))
    a, b = statistics.median(without), statistics.median(read)
    print(f"a step of {LANES} lanes: {1e3 * a:.3f} ms without events, {1e3 * b:.3f} ms with them, {100 * (b / a - 1):+.2f} %")


if __name__ == "__main__":
    main(*sys.argv[1:2])
