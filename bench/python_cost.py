# SPDX-License-Identifier: Apache-2.0
"""What the layer of Python costs a step: python bench/python_cost.py [MODEL.gguf]. Nothing else should run on the machine.

A step is timed where Python only waits for the end, so that steps follow one another in C++. What reading the events adds is timed on a group that has
run already, beside another one whose events were read: all that is left of it is to hand its events over. Prints the medians of several runs.
"""

import statistics
import sys
import time

import lanerope

LANES, BUDGET, RUNS = 8, 64, 7
PROMPT = "Count to a hundred."


def seconds_of_step(model: lanerope.Model) -> float:
    result = model.generate(PROMPT, lanes=LANES, budget=BUDGET, seed=1, ignore_end=True, raw=True)
    return result.decode_seconds / result.clock


def seconds_of_event(model: lanerope.Model) -> float:
    with model.engine(cells=4 * LANES * BUDGET) as engine:
        first, second = (engine.submit(PROMPT, lanes=LANES, budget=budget, seed=1, ignore_end=True, raw=True) for budget in (BUDGET + 8, BUDGET))
        first.result()
        assert second.finished
        tokens = 0
        start = time.perf_counter()
        for event in second:
            tokens += event.kind == "token" and event.text is not None and event.logprob is not None
        return (time.perf_counter() - start) / max(tokens, 1)


def main(file: str | None = None) -> None:
    model = lanerope.Model(file)
    step = statistics.median(seconds_of_step(model) for _ in range(RUNS))
    event = statistics.median(seconds_of_event(model) for _ in range(RUNS))
    print(f"a step of {LANES} lanes takes {1e3 * step:.3f} ms; each of its {LANES} events {1e6 * event:.1f} us more, together {100 * LANES * event / step:.2f} % of it")


if __name__ == "__main__":
    main(*sys.argv[1:2])
