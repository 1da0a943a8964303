# SPDX-License-Identifier: Apache-2.0
"""Four lanes answer one prompt: python examples/four_lanes.py MODEL.gguf "What is 17 * 23?"."""

import sys

import lanerope


def main(file: str, prompt: str) -> None:
    model = lanerope.Model(file)
    stream = model.stream(prompt, lanes=4, budget=128, seed=1)
    for event in stream:
        if event.kind == "token" and not event.forced:
            print(f"[{event.lane + 1}] {event.text!r}")
    result = stream.result()
    for vote in result.votes:
        print(f"{vote.count} lanes say {vote.answer}")
    if result.selected is not None:
        lane = result.lanes[result.selected]
        print(f"lane {result.selected + 1}, mean log-probability {lane.mean_logprob:.2f}: {lane.text}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
