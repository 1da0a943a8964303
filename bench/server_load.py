#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many clients on lanerope's server and on llama-server, one after the other; script/bench-server starts it with what it needs."""

import argparse
import json
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from local_server import CHECKOUT, LocalServer, llama_server

PORT = 18080
WORDS = (
    "the a one of to and in is on that for with as was at by from has had but not are his her they we you all which when there been more no if out so what up "
    "water light stone river garden market letter number window engine teacher summer winter bread train paper music forest mountain city village morning"
).split()


@dataclass(frozen=True)
class Scenario:
    """What clients ask for."""

    title: str
    clients: int
    requests: int
    prompt_words: tuple[int, int]
    max_tokens: int
    written: int | None
    """Tokens of each answer; None: until it ends by itself, which counting from one number to another by two examples does after about 200."""
    answers: int = 1
    shared_words: int = 0
    """Of a system prompt that all requests have."""
    cells: int = 32768
    """Of each server's cache: as many as llama-server needs, which keeps what clients share once for each of them."""
    one_cache: bool = True
    """Whether llama-server's slots share its cache (-kvu); else each has its part. With long prompts all rows are held against the cells of all slots, which
    takes longer than reading what clients share once for each."""
    rate: float = 0.0
    """Requests a second that arrive at random (Poisson); 0: each client asks when it has been answered."""


SCENARIOS = {
    "one": Scenario("32 clients, one answer each", 32, 96, (60, 180), 128, 128),
    "four": Scenario("16 clients, four answers each", 16, 32, (60, 180), 128, 128, answers=4),
    "shared": Scenario("32 clients, a system prompt of about 2,000 tokens that all share", 32, 64, (20, 60), 128, 128, shared_words=1700, cells=65536, one_cache=False),
    "asked": Scenario("64 clients, 4,096 tokens asked for, about 200 written", 64, 128, (0, 0), 4096, None, cells=65536, one_cache=False),
    "poisson": Scenario("requests that arrive at random, one answer each", 64, 64, (60, 180), 128, 128, rate=0.5),
}


def words(draw, n):
    return " ".join(draw.choice(WORDS) for _ in range(n))


def payloads(scenario, count):
    """Whole requests from a fixed list: the same for both servers."""
    draw = random.Random(20261127)
    system = words(draw, scenario.shared_words)
    made = []
    for i in range(count):
        messages = [{"role": "system", "content": system}] if system else []
        if scenario.written is None:
            for first in (213, 571, draw.randint(100, 900)):
                messages += [{"role": "user", "content": f"Count from {first} to {first + 49}."}, {"role": "assistant", "content": "\n".join(map(str, range(first, first + 50)))}]
            messages.pop()
        else:
            given = words(draw, draw.randint(*scenario.prompt_words))
            messages.append({"role": "user", "content": f"Question {i}. Write a story of about 150 words in which these occur: {given}."})
        body = {
            "model": "model",
            "messages": messages,
            "max_tokens": scenario.max_tokens,
            "temperature": 0.8 if scenario.written else 0,
            "seed": i,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if scenario.answers > 1:
            body["n"] = scenario.answers
        if scenario.written is not None:
            body["ignore_eos"] = True
        made.append(body)
    return made


def command_of(server, model, scenario):
    cells = str(scenario.cells)
    if server == "lanerope":
        return [str(CHECKOUT / "script/shell"), "lanerope", "serve", "-m", model, "--port", str(PORT), "-c", cells, "-t", "2", "--queue", "256"]
    # As many slots as answers that are under way, and a cache as large as lanerope's.
    slots = scenario.clients * scenario.answers
    return llama_server(model, PORT, f"-c {cells} -np {slots}{' -kvu' if scenario.one_cache else ''} --jinja")


def load(aiperf, scenario, bodies, out):
    """aiperf's own numbers of one run, and `unfinished`: how many answers the server broke off or never began (aiperf counts the latter only)."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "requests.jsonl").write_text("".join(json.dumps(body) + "\n" for body in bodies))
    # Without a rate aiperf takes a core for itself to look for a client that is free; a hundred looks a second are enough.
    rate, arrival = (scenario.rate, "poisson") if scenario.rate > 0 else (100, "constant")
    how = ["--concurrency", str(scenario.clients), "--request-rate", str(rate), "--arrival-pattern", arrival]
    command = [
        aiperf, "profile", "--model", "model", "--url", f"http://127.0.0.1:{PORT}", "--endpoint-type", "chat", "--streaming",
        "--input-file", str(out / "requests.jsonl"), "--custom-dataset-type", "raw_payload", "--request-count", str(len(bodies)), *how,
        "--tokenizer", str(Path(aiperf).parents[1] / "words"), "--use-server-token-count", "--max-workers", "1", "--record-processors", "1", "--ui-type", "none",
        "--no-gpu-telemetry", "--no-server-metrics", "--artifact-dir", str(out), "--request-timeout-seconds", "1800",
    ]  # fmt: skip
    with open(out / "aiperf.log", "w") as log:
        if subprocess.run(command, stdout=log, stderr=log).returncode != 0:
            sys.exit(f"aiperf failed; see {out}/aiperf.log")
    result = json.loads((out / "profile_export_aiperf.json").read_text())
    records = [json.loads(line) for line in (out / "profile_export.jsonl").read_text().splitlines()]
    # The usage comes with an answer's end.
    result["unfinished"] = sum("output_sequence_length" not in (record.get("metrics") or {}) for record in records)
    return result


def row(server, result):
    def at(metric, statistic):
        return (result.get(metric) or {}).get(statistic) or float("nan")

    return [
        server,
        f"{at('output_token_throughput', 'avg'):.0f}",
        f"{at('request_throughput', 'avg'):.2f}",
        f"{at('time_to_first_token', 'p50') / 1000:.2f}",
        f"{at('time_to_first_token', 'p99') / 1000:.2f}",
        f"{at('inter_token_latency', 'p50'):.0f}",
        f"{at('inter_token_latency', 'p99'):.0f}",
        str(result["unfinished"]),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--aiperf", required=True)
    parser.add_argument("--only", choices=["lanerope", "llama-server"])
    parser.add_argument("--short", action="store_true")
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], metavar="SCENARIO")
    given = parser.parse_args()
    out = CHECKOUT / "build/bench-server"
    for name in given.scenarios or SCENARIOS:
        scenario = SCENARIOS[name]
        bodies = payloads(scenario, 10 if given.short else scenario.requests)
        print(f"\n{scenario.title}\n")
        print("| server | tokens/s | requests/s | first token p50 s | p99 s | a token p50 ms | p99 ms | unfinished |\n|---|---|---|---|---|---|---|---|")
        for server in [given.only] if given.only else ["lanerope", "llama-server"]:
            running = LocalServer(server, PORT, command_of(server, given.model, scenario))
            try:
                result = load(given.aiperf, scenario, bodies, out / f"{name}-{server}")
            finally:
                running.stop()
            print("| " + " | ".join(row(server, result)) + " |", flush=True)


main()
