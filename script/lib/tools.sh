# SPDX-License-Identifier: Apache-2.0
# What script/reproduce tools is made of: lanes with the calculator and without on $gsm8k/train.jsonl, and the time of a step while a
# lane waits for a tool. With $short on SmolLM2 and a few made problems.

# Four lanes a question, told of no tool, of the calculator, and given results where they write notes. SmolLM2's template has no tools.
tool_arms() {
  local plain="n=4,total=4,coupling=independent,tag="
  arms=(--arm "without:$plain" --arm "notes:$plain,tool=notes")
  [ -n "$short" ] || arms+=(--arm "calculator:$plain,tool=calculator" --arm "both:$plain,tool=calculator,tool=notes")
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
  local arms=()
  tool_arms
  arms_on_train "$(amount 512 64)" "${arms[@]}"
  say "the time of a step"
  model=$(script/model qwen2.5-coder-0.5b)
  step_times
}
