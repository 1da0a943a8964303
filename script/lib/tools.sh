# SPDX-License-Identifier: Apache-2.0
# What script/reproduce tools is made of: lanes with the calculator and without on $gsm8k/train.jsonl, and the time of a step while a
# lane waits for a tool. With $short on SmolLM2 and a few made problems.

# Four lanes a question, asked in the model's template and told of no tool or of the calculator. SmolLM2's template has no tools.
told_arms() {
  local plain="n=4,total=4,coupling=independent,tag=" arms
  arms=(--arm "without:$plain")
  [ -n "$short" ] || arms+=(--arm "calculator:$plain,tool=calculator")
  arms_on_train "$(amount 512 64)" --limit "$(amount 100 6)" "${arms[@]}"
}

# The same questions behind eight solutions of GSM8K with its notes, so that lanes write some: without a tool, and with results put into them.
shown_solutions() {
  if [ -n "$short" ]; then
    printf '{"question": "Ann has 3 bags of %d nuts. How many nuts has she?", "answer": "She has 3*%d=<<3*%d=%d>>%d nuts.\\n#### %d"}\n' 4 4 4 12 12 12 5 5 5 15 15 15
  else
    sed -n 301,308p "$gsm8k/train.jsonl"
  fi
}
noted_arms() {
  local plain="n=4,total=4,coupling=independent,tag="
  once_printed shots.jsonl shown_solutions
  lanerope eval -m "$model" --questions "$runs/questions.jsonl" --raw --prompt $'Question: {question}\nAnswer:' --shots "$(amount 8 2)" \
    --shots-from "$runs/shots.jsonl" --out "$runs/noted" --count-unfinished --temp 0.6 --top-p 0.95 --budgets "$(amount 256 48)" --parallel 128 \
    --arm "alone:$plain" --arm "notes:$plain,tool=notes" >"$runs/noted.txt"
  cat "$runs/noted.txt"
  lanerope eval compare "$runs/noted:alone" "$runs/noted:notes"
  script/shell python3 bench/real/notes.py "$runs/noted"
}

# Four lanes, of which the first calls a tool as soon as it writes: what a step takes with a tool of two seconds, and with one that
# answers at once. The others write on, so both have as many steps.
step_time() {
  local tool=$1 out=$2
  lanerope run -m "$model" -n 4 -b "$(amount 512 160)" --seed 1 --coupling independent --ignore-end --json --tool "slow=$tool" \
    --lane-text "<tool_call>
{\"name\": \"slow\", \"arguments\": {}}
" "Count up from one, with commas." >"$out"
}

step_times() {
  step_time "true" "$runs/at-once.jsonl"
  step_time "sleep $(amount 2 0.2)" "$runs/slow.jsonl"
  for run in at-once slow; do
    script/shell python3 - "$run" "$runs/$run.jsonl" <<'PYTHON'
import json, sys

events = [json.loads(line) for line in open(sys.argv[2])]
result = events[-1]["result"]
waits = [run["milliseconds"] for run in result.get("tool_runs", [])]
step = 1000 * result["decode_seconds"] / result["clock"]
print(f"{sys.argv[1]}: {step:.1f} ms a step over {result['clock']} steps, the tool took {waits} ms")
PYTHON
  done
}

tools_study() {
  say "told of the calculator, and not"
  told_arms
  say "shown notes, with results and without"
  noted_arms
  say "the time of a step"
  model=$(script/model qwen2.5-coder-0.5b)
  step_times
}
