# SPDX-License-Identifier: Apache-2.0
"""Scores the fifty questions with lm-evaluation-harness through a running server and with `lanerope score`.

    pip install 'lm_eval[api]==0.4.13'
    python3 compare.py --url http://127.0.0.1:8080 --score "lanerope score -m MODEL"

Prints the accuracy that each of them finds and how far apart their log-likelihoods are; ends with 1 where the
accuracies differ or a log-likelihood is off by more than 0.5 (an answer's tokens are the end of the prompt in one
way and a lane in the other, so sums round differently).
"""

import argparse
import glob
import json
import os
import shlex
import subprocess
import sys
import tempfile


def by_harness(url, folder):
    """[question][choice] -> log-likelihood."""
    with tempfile.TemporaryDirectory() as out:
        arguments = f"base_url={url}/v1/completions,model=any,tokenizer_backend=remote,num_concurrent=4,max_retries=1"
        command = [sys.executable, "-m", "lm_eval", "--model", "local-completions", "--model_args", arguments]
        command += ["--tasks", "lanerope_choices", "--include_path", folder, "--log_samples", "--output_path", out]
        subprocess.run(command, cwd=folder, check=True, env={**os.environ, "HF_DATASETS_OFFLINE": "1"})
        (file,) = glob.glob(f"{out}/**/samples_*.jsonl", recursive=True)
        samples = sorted(map(json.loads, open(file)), key=lambda sample: sample["doc_id"])
    return [[float(response[0][0]) for response in sample["resps"]] for sample in samples]


def by_score(command, questions):
    lines = [json.dumps({"prompt": q["question"], "lanes": [" " + c for c in q["choices"]]}) for q in questions]
    text = "\n".join(lines) + "\n"
    words = shlex.split(command) + ["--coupling", "independent"]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=True)
    return [[lane["sum"] for lane in json.loads(line)["lanes"]] for line in done.stdout.splitlines()]


def accuracy(scores, questions):
    right = sum(max(range(len(s)), key=s.__getitem__) == q["answer"] for s, q in zip(scores, questions))
    return right / len(questions)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--score", required=True)
    arguments = parser.parse_args()
    folder = os.path.dirname(os.path.abspath(__file__))
    questions = [json.loads(line) for line in open(f"{folder}/choices.jsonl")]
    ours = by_score(arguments.score, questions)
    theirs = by_harness(arguments.url, folder)
    worst = max(abs(a - b) for x, y in zip(ours, theirs) for a, b in zip(x, y))
    same = sum(x.index(max(x)) == y.index(max(y)) for x, y in zip(ours, theirs))
    print(f"lanerope score: {accuracy(ours, questions):.2f}; lm-eval through the server: {accuracy(theirs, questions):.2f};")
    print(f"the same choice in {same} of {len(questions)}; log-likelihoods differ by {worst:.4f} at most")
    sys.exit(worst > 0.5 or accuracy(ours, questions) != accuracy(theirs, questions))


if __name__ == "__main__":
    main()
