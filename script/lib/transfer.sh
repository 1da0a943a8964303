# SPDX-License-Identifier: Apache-2.0
# What script/reproduce transfer is made of: four functions of $humaneval in each question, for lanes that were trained to share word problems; the table
# of docs/results.md. With $short on SmolLM2, which no adapter trained, and two made functions at a time.

made_functions() {
  local i
  for i in {1..4}; do
    printf '{"prompt": "def add_%d(n):\\n    \\"\\"\\"Adds %d.\\"\\"\\"\\n", "entry_point": "add_%d", "test": "def check(f):\\n    assert f(1) == %d\\n"}\n' \
      "$i" "$i" "$i" $((i + 1))
  done >"$runs/made.jsonl"
}

transfer_study() {
  local model arms=(--arm untrained:n=1)
  if [ -n "$short" ]; then
    model=$(script/model smollm2) humaneval=$runs/made.jsonl
    made_functions
    arms+=(--arm lanes:n=4)
  else
    model=$(script/model qwen2.5-coder-0.5b)
    arms+=(--arm lanes:n=4,lora=lanes:qwen2.5-coder-0.5b --arm one:n=1,lora=lanes:qwen2.5-coder-0.5b)
  fi
  once_printed functions.jsonl python3 bench/real/functions.py compose "$humaneval" -k "$(amount 4 2)"
  lanerope eval -m "$model" --questions "$runs/functions.jsonl" --kind code --judge "python3 bench/real/functions.py judge" --out "$runs/arms" \
    --lanes-total 4 --temp 0.6 --top-p 0.95 --budgets "$(amount 1536 48)" --parallel 64 "${arms[@]}"
  script/shell python3 bench/real/functions.py measure "$runs/arms" --questions "$runs/functions.jsonl" | tee "$runs/table.txt"
}
