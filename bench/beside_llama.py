#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lanerope bench and llama.cpp's server in turns, on one model: tokens a second that read a prompt, and that N lanes of it write; script/bench-llama starts
it. A lane of llama.cpp is a slot of its server which has the prompt in its cache already, as lanerope's lanes have it in theirs."""

import argparse
import concurrent.futures
import json
import random
import statistics
import subprocess
import time
import urllib.request
from pathlib import Path

from local_server import CHECKOUT, LocalServer, llama_server

PORT = 18096
LANES = (1, 4, 8)


def lanerope(given):
    """{what: tokens a second}; what is "prefill" or (coupling, lanes)."""
    command = ["script/shell", "lanerope", "bench", "-m", given.model, "-t", "2", "-n", ",".join(map(str, LANES)), "-p", str(given.prompt), "-g", str(given.tokens)]
    command += ["-r", "1", "--couplings", "independent,lanerope", "--backends", "kernels", "--json"]
    report = json.loads(subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout)
    rates = {"prefill": report["prefill"][0]["tokens_per_second"]}
    for row in report["decode"]:
        rates[row["coupling"].split(",")[0], row["lanes"]] = row["tokens_per_second"]
    rates["lanerope", 1] = rates["independent", 1]  # one lane is one lane
    return rates


class LlamaServer(LocalServer):
    def __init__(self, given):
        self.given = given
        cells = max(LANES) * (given.prompt + given.tokens + 64)
        super().__init__("llama-server", PORT, llama_server(given.model, PORT, f"-c {cells} -np {max(LANES)}"))

    def complete(self, slot, tokens, n_predict):
        body = {"prompt": tokens, "n_predict": n_predict, "id_slot": slot, "cache_prompt": True, "ignore_eos": True, "seed": slot + 1}
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.loads(urllib.request.urlopen(request, timeout=600).read())

    def rates(self, numbers):
        tokens = [numbers.randrange(1000, 20000) for _ in range(self.given.prompt)]
        read = self.complete(0, tokens, 1)["timings"]
        for slot in range(1, max(LANES)):
            self.complete(slot, tokens, 1)
        rates = {"prefill": read["prompt_n"] / read["prompt_ms"] * 1000}
        for lanes in LANES:
            with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
                start = time.time()
                written = sum(answer["tokens_predicted"] for answer in pool.map(lambda slot: self.complete(slot, tokens, self.given.tokens), range(lanes)))
                rates["independent", lanes] = written / (time.time() - start)
        return rates


def median(runs, what):
    return statistics.median(run[what] for run in runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("model")
    given = parser.parse_args()
    given.prompt, given.tokens, rounds = (32, 8, 1) if given.short else (512, 64, 5)
    server = LlamaServer(given)
    ours, theirs = [], []
    numbers = random.Random(1)
    try:
        for _ in range(rounds):  # llama-server does nothing while it is not asked
            ours.append(lanerope(given))
            theirs.append(server.rates(numbers))
    finally:
        server.stop()
    print(f"\n{Path(given.model).name}, prompt of {given.prompt}, {given.tokens} tokens a lane, tokens/s of all lanes, medians of {rounds}\n")
    print("| | prefill | " + " | ".join(f"N = {lanes}" for lanes in LANES) + " |\n|---|" + "---|" * (1 + len(LANES)))
    rows = [("lanerope, independent lanes", ours, "independent"), ("lanerope, lanes that see one another", ours, "lanerope"), ("llama.cpp", theirs, "independent")]
    for title, runs, coupling in rows:
        print(f"| {title} | {median(runs, 'prefill'):.0f} | " + " | ".join(f"{median(runs, (coupling, lanes)):.1f}" for lanes in LANES) + " |")
    ratios = [median(ours, "prefill") / median(theirs, "prefill")]
    ratios += [median(ours, ("independent", lanes)) / median(theirs, ("independent", lanes)) for lanes in LANES]
    print("| independent lanes over llama.cpp | " + " | ".join(f"{ratio:.1f} x" for ratio in ratios) + " |", flush=True)


main()
