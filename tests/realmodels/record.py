#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what llama.cpp makes of SmolLM2-135M-Instruct, for tests/realmodels/smollm2_test.cpp.

    pip install llama-cpp-python==0.3.36     # in a virtual environment; it compiles llama.cpp
    build/release/bin/make_adapter -m "$(script/model smollm2)" -o adapter.gguf --rank 8 --seed 7 --strength 0.05
    tests/realmodels/record.py "$(script/model smollm2)" adapter.gguf > tests/realmodels/smollm2.json

Token ids are those of llama.cpp's tokenizer, special tokens in the text read as such and none added. The greedy texts
come with the margin of each choice: the difference of the two largest log-probabilities. The prompts of dialogues are
the file's chat template, rendered by Jinja2.
"""
import hashlib
import json
import sys

import jinja2.sandbox
import llama_cpp
import numpy

TEXTS = [
    "", " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", " \n \n", "a", " a", "a ", "Hello, world!", " Hello  world ",
    "don't you'll I'VE we're", "1", "12", "123", "1234567890", "3.14159e-10", "2026-11-27T03:42:59Z", "x=1;y=22;z=333",
    "def f(x):\n    return x ** 2\n\n\nprint(f(3))", "#include <vector>\nstd::vector<int> v{1, 2, 3};",
    "{\"key\": [null, true, 1e5], \"other\": \"\\u00e9\"}", "<div class=\"a\">&amp;</div>", "\\frac{1}{2} \\boxed{42}",
    "Straße, Müller, naïve café", "e\u0301 is not \u00e9", "Здравствуй, мир", "Γειά σου Κόσμε", "שלום עולם", "مرحبا بالعالم",
    "नमस्ते दुनिया", "สวัสดีชาวโลก", "こんにちは世界", "你好，世界！", "안녕하세요 세계", "🙂", "👩‍👩‍👧‍👦 family", "🇫🇷🇩🇪", "a\u200bb\ufeffc",
    "\u00a0\u2003\u3000x", "ﬁ ﬂ ½ ² ①", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "\u0000\u0001\u007f", "<|im_start|>user\nhi<|im_end|>\n", "<|endoftext|>",
    "<|im_start|", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "!!!???...,,,;;;:::---___",
    "CamelCaseAndsnake_case_AndSCREAMING", "https://example.org/a/b?c=d&e=%20#f", "0x1F 0b1010 1_000_000",
]

PASSAGES = [
    "A lighthouse keeper wrote down the weather every evening for forty years. In the first winter the sea was so rough that "
    "no boat could land, and he lived on dried fish and potatoes. He counted the ships that passed, and by the end of the "
    "year he had seen three hundred and twelve of them. When his daughter asked him why he did it, he answered that somebody "
    "should know how many had come home.",
    "To compute the area of a circle, square its radius and multiply the result by pi. For a radius of 3 the area is 9 pi, "
    "which is about 28.27. If the radius is doubled, the area becomes four times as large: 36 pi, or about 113.1. The "
    "circumference only doubles.",
    "def fibonacci(n):\n    \"\"\"Return the first n Fibonacci numbers.\"\"\"\n    numbers = [0, 1]\n    while len(numbers) < n:\n"
    "        numbers.append(numbers[-1] + numbers[-2])\n    return numbers[:n]\n\n\nfor value in fibonacci(10):\n    print(value)\n",
]

DIALOGUES = [
    [{"role": "user", "content": "What is the capital of France?"}],
    [{"role": "system", "content": "You answer in one short sentence."},
     {"role": "user", "content": "Name three colours."}],
    [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello! How can I help?"},
     {"role": "user", "content": "Count from 1 to 5."}],
]
GREEDY_TOKENS = 32


# Weights are multiplied as they lie in the file: the packed forms round otherwise, and that of AMX crashed where this was
# recorded.
default_params = llama_cpp.llama_cpp.llama_model_default_params


def params_without_packing():
    params = default_params()
    params.use_extra_bufts = False
    return params


llama_cpp.llama_cpp.llama_model_default_params = params_without_packing


def load(path, **more):
    return llama_cpp.Llama(path, n_ctx=1024, n_threads=2, n_gpu_layers=0, logits_all=True, verbose=False, **more)


def encode(model, text):
    return model.tokenize(text.encode(), add_bos=False, special=True)


def log_probabilities(model, tokens):
    """Of each token but the first, given those before it."""
    model.reset()
    model.eval(tokens)
    rows = model.scores[: len(tokens) - 1].astype(numpy.float64)
    rows -= rows.max(axis=1, keepdims=True)
    rows -= numpy.log(numpy.exp(rows).sum(axis=1, keepdims=True))
    return [round(float(row[token]), 5) for row, token in zip(rows, tokens[1:])]


def render(model, messages):
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(model.metadata["tokenizer.chat_template"])
    return template.render(messages=messages, add_generation_prompt=True, bos_token="", eos_token="<|im_end|>")


def greedy(model, prompt):
    tokens = encode(model, prompt)
    model.reset()
    model.eval(tokens)
    chosen, margins = [], []
    for _ in range(GREEDY_TOKENS):
        logits = model.scores[model.n_tokens - 1]
        first, second = numpy.argsort(logits)[-1:-3:-1]
        if first == model.token_eos():
            break
        chosen.append(int(first))
        margins.append(round(float(logits[first] - logits[second]), 3))
        model.eval([int(first)])
    return {"prompt": prompt, "tokens": chosen, "margins": margins}


def main():
    path, adapter = sys.argv[1:]
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    model = load(path)
    prompts = [render(model, messages) for messages in DIALOGUES]
    passages = [encode(model, text) for text in PASSAGES]
    record = {
        "made_by": f"tests/realmodels/record.py, llama-cpp-python {llama_cpp.__version__}",
        "model_sha256": digest,
        "tokens": [{"text": text, "ids": encode(model, text)} for text in TEXTS],
        "log_probabilities": [{"tokens": tokens, "values": log_probabilities(model, tokens)} for tokens in passages],
        "dialogues": [{"messages": messages, **greedy(model, prompt)} for messages, prompt in zip(DIALOGUES, prompts)],
        "adapter": "make_adapter --rank 8 --seed 7 --strength 0.05",
    }
    with_adapter = load(path, lora_path=adapter)
    record["with_adapter"] = [{"tokens": tokens, "values": log_probabilities(with_adapter, tokens)} for tokens in passages]
    print("{")
    entries = []
    for key, value in record.items():
        if isinstance(value, list):
            rows = ",\n  ".join(json.dumps(row, separators=(",", ":")) for row in value)
            entries.append(f" {json.dumps(key)}: [\n  {rows}\n ]")
        else:
            entries.append(f" {json.dumps(key)}: {json.dumps(value)}")
    print(",\n".join(entries))
    print("}")


if __name__ == "__main__":
    main()
