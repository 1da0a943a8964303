# SPDX-License-Identifier: Apache-2.0
"""Lanes that are steered while they write, and many groups at once: python examples/steered_lanes.py [MODEL.gguf]."""

import asyncio
import sys

import lanerope


def hurry(stream: lanerope.Stream, event: lanerope.Event) -> None:
    """A policy: once a lane has ended by itself, the others are told to come to an end."""
    if event.kind == "lane_finished" and event.finish == "end" and not stream.finished:
        for lane in range(4):
            if lane != event.lane:
                try:
                    stream.push(lane, " So the answer is")
                except lanerope.InvalidRequest:
                    pass  # it has ended too, or its budget is spent


async def answer_all(engine: lanerope.Engine, questions: list[str]) -> list[lanerope.Result]:
    """Each question is a group; the groups are computed together."""
    streams = [engine.submit(question, lanes=2, budget=32, seed=i) for i, question in enumerate(questions)]
    return list(await asyncio.gather(*(stream.aresult() for stream in streams)))


def main(file: str | None = None) -> None:
    with lanerope.Model(file) as model:
        result = model.generate("Name a prime above 80.", lanes=4, budget=64, seed=1, policy=hurry)
        for m, lane in enumerate(result.lanes):
            print(f"lane {m + 1} ({lane.finish}): {lane.text!r}")
        with lanerope.Engine(model, cells=4096) as engine:
            for answered in asyncio.run(answer_all(engine, ["Say one.", "Say two.", "Say three."])):
                print(answered.answer, answered.confidence)


if __name__ == "__main__":
    main(*sys.argv[1:2])
