# SPDX-License-Identifier: Apache-2.0
# The tables of docs/results-made-task.md that are measured on dev problems, from $base and $lanes. Nothing here touches the test set.

all_tables=(omega lora kto length lanes far)

# The short runs have 1 to 6 parts and N = 4 (and 1), so that some hundred steps are enough to tell them apart. A seed changes
# the groups that a run sees.
short_traces() { # seed
  trace_file "short$1" traces --split train --seed "$((30 + $1))" --count "$(amount 12000 200)" --parts 1-6 \
    --lanes 1:0.1,4:0.9
  trace_file short-dev traces --split dev --seed 34 --count "$(amount 500 50)" --parts 2-6 --lanes 4
}
short_problems() { trace_file short-problems problems --split dev --seed 35 --count "$(amount 400 8)" --parts 2-6; }
short_run() { # name configuration seed settings...
  local name=$1 config=$2 seed=$3
  shift 3
  short_traces "$seed"
  short_steps=2 train "$name" sft "$config" -s "base=$base" -s "data=$runs/short$seed.jsonl" -s "dev=$runs/short-dev.jsonl" \
    -s "seed=$seed" "$@"
}

# An arm of four lanes for each model that is there, named by what follows the prefix.
model_arms() { # prefix pattern
  local file name
  for file in "$runs/$1"$2.gguf; do
    name=$(basename "$file" .gguf)
    [ ! -s "$file" ] || echo "--arm ${name#"$1"}:n=4,model=$file"
  done
}

# Every start of omega, learned and frozen, with three seeds.
omega_starts=(rope gt ntk ntk-by-parts)
omega_run() { # start learned|frozen seed
  short_run "omega-$1-$2-$3" train/omega.json "$3" -s "omega.init=$1" -s "omega.learn=$([ "$2" = learned ] && echo true || echo false)"
}
# Three times the steps, learned, for what the short ones leave open.
long_run() { # start seed
  short_run "long-$1-$2" train/omega.json "$2" -s "omega.init=$1" -s omega.learn=true -s steps=1800
}
long_runs() {
  local start seed
  [ -n "$short" ] && return
  for seed in 1 2 3; do
    for start in gt ntk ntk-by-parts; do long_run "$start" "$seed"; done
  done
  long_run rope 1
}
# Of a seed: a model that has learned much, and has room to improve.
middle() { echo "$runs/omega-ntk-by-parts-learned-$1.gguf"; }
omega_runs() {
  local start how seed
  for seed in $(amount "1 2 3" 1); do
    for how in $(amount "learned frozen" learned); do
      for start in $(amount "${omega_starts[*]}" ntk-by-parts); do omega_run "$start" "$how" "$seed"; done
    done
  done
}
omega_table() {
  local init arms=()
  short_problems
  shared omega_runs
  shared long_runs
  for init in "${omega_starts[@]}"; do
    arms+=(--arm "untrained-$init:n=4,model=$base,coupling=lanerope,init=$init,stride=256")
  done
  measure omega-untrained short-problems "$(amount 88,128,160,280 24,48)" --arm "independent:model=$base" "${arms[@]}"
  measure omega short-problems "$(amount 80,88,96,128,160 24,48)" $(model_arms omega- "*-[1-9]")
  script/lib/over-seeds "$runs/omega.txt"
  [ -n "$short" ] && return
  measure omega-long short-problems 80,88,96,128,160 $(model_arms long- "*-[1-9]")
  script/lib/over-seeds "$runs/omega-long.txt"
}

# Adapters of 0.4 % (rank 1 on attention), 3.2 % (rank 3 everywhere in the blocks) and 3.4 % (the output as well) of the
# weights, against all weights.
lora_small=(-s lora.rank=1 -s 'lora.targets=["attn_q","attn_k","attn_v","attn_output"]')
lora_large=(-s lora.rank=3)
lora_output=(-s lora.rank=3 -s 'lora.targets=["attn_q","attn_k","attn_v","attn_output","ffn_gate","ffn_up","ffn_down","output"]')
lora_runs() {
  local rate seed
  for rate in $(amount "0.005 0.02" ""); do
    short_run "lora-large-rate-$rate" train/lora.json 1 "${lora_large[@]}" -s steps=100 -s "learning_rate=$rate"
  done
  for seed in $(amount "1 2 3" 1); do
    omega_run ntk-by-parts learned "$seed"
    short_run "lora-large-$seed" train/lora.json "$seed" "${lora_large[@]}"
    short_run "lora-output-$seed" train/lora.json "$seed" "${lora_output[@]}"
  done
  [ -n "$short" ] && return
  for seed in 1 2 3; do
    short_run "lora-output-long-$seed" train/lora.json "$seed" "${lora_output[@]}" -s steps=1800
    long_run ntk-by-parts "$seed"
  done
  short_run lora-large-long-1 train/lora.json 1 "${lora_large[@]}" -s steps=1800
  short_run lora-small-1 train/lora.json 1 "${lora_small[@]}"
  # A base that has seen these traces, its lanes closed to one another: the tokens and the form are known to it, reading is not.
  short_run lora-closed-1 train/omega.json 1 -s steps=240 -s open=false -s omega.learn=false
  if made lora-closed-1.gguf; then
    short_run lora-large-on-closed-1 train/lora.json 1 "${lora_large[@]}" -s "base=$runs/lora-closed-1.gguf" -s omega.reset=true
    short_run lora-all-on-closed-1 train/omega.json 1 -s "base=$runs/lora-closed-1.gguf" -s omega.reset=true
  fi
}

# An adapter's likeliest token is often right where its probability is low, so each row is measured without chance as well.
lora_arms() { # name seed model [adapter]
  [ -s "$3" ] && [ -s "${4:-$3}" ] || return 0
  local settings=n=4,model=$3${4:+,lora=$4}
  echo --arm "$1-$2:$settings" --arm "$1-greedy-$2:$settings,temp=0"
}
lora_table() {
  local name seed closed arms=()
  short_problems
  shared lora_runs
  for seed in 1 2 3; do
    closed=$runs/lora-closed-$seed.gguf
    arms+=($(lora_arms all "$seed" "$(middle "$seed")"))
    arms+=($(lora_arms all-long "$seed" "$runs/long-ntk-by-parts-$seed.gguf"))
    for name in small large large-long output output-long; do arms+=($(lora_arms "$name" "$seed" "$base" "$runs/lora-$name-$seed.gguf")); done
    arms+=($(lora_arms closed "$seed" "$closed"))
    arms+=($(lora_arms all-on-closed "$seed" "$runs/lora-all-on-closed-$seed.gguf"))
    arms+=($(lora_arms large-on-closed "$seed" "$closed" "$runs/lora-large-on-closed-$seed.gguf"))
  done
  measure lora short-problems "$(amount 80,88,96,128,160 24,48)" "${arms[@]}"
  script/lib/over-seeds "$runs/lora.txt"
}

# Class weights with which weight_right * right / (weight_wrong * wrong) is 7/6.
kto_weights() { # name
  awk '{ right += gsub(/true/, "x", $0); wrong += gsub(/false/, "x", $0) }
    END {
      share = right / (wrong > 0 ? wrong : 1)
      if (share > 7 / 6) print "-s kto.weight_right=1 -s kto.weight_wrong=" share * 6 / 7
      else print "-s kto.weight_wrong=1 -s kto.weight_right=" 7 / 6 / (share > 0 ? share : 1)
    }' <(sed 's/.*"labels"://; s/\].*//' "$runs/$1.jsonl")
}
kto_run() { # name base rollouts settings...
  local name=$1 from=$2 rollouts=$3
  shift 3
  made "$rollouts.jsonl" && [ -s "$from" ] || return 0
  short_steps=2 train "kto-$name" kto train/kto.json -s "base=$from" -s "data=$runs/$rollouts.jsonl" -s "dev=$runs/dev4.jsonl" \
    $(kto_weights "$rollouts") "$@"
}
kto_runs() {
  local rate seed
  trace_file kto-problems problems --split train --seed 41 --count "$(amount 300 8)" --parts 2-8
  # Lanes that were sampled alone, labelled by what they had ended with after 160 and 88 tokens.
  rollout_file kto-base-160 kto-problems "$base" 1 --coupling independent -b "$(amount 160 40)"
  if [ -z "$short" ]; then
    rollout_file kto-base-88 kto-problems "$base" 1 --coupling independent -b 88
    rollout_file kto-lanes-160 kto-problems "$lanes" 1 --coupling independent -b 160
    rollout_file kto-lanes-88 kto-problems "$lanes" 1 --coupling independent -b 88
    # Lanes that were sampled together, by the bundled model and by one with room to improve.
    rollout_file kto-lanes-together kto-problems "$lanes" 1 -b 80
  fi
  kto_middle_runs 1 $(amount "1e-5 1e-4 1e-6 3e-5" 1e-5)
  for rate in $(amount "1e-5 1e-4" 1e-5); do
    kto_run "lanes-160-$rate" "$lanes" kto-lanes-160 -s "learning_rate=$rate"
    kto_run "lanes-together-$rate" "$lanes" kto-lanes-together -s "learning_rate=$rate"
    # Only with omega = 0 is the base under an open mask near to what it is alone, which a preference needs to start from.
    kto_run "base-160-$rate" "$base" kto-base-160 -s "learning_rate=$rate" -s omega.init=rope
  done
  [ -n "$short" ] && return
  kto_run lanes-160-1e-6 "$lanes" kto-lanes-160 -s learning_rate=1e-6
  kto_run lanes-88-1e-5 "$lanes" kto-lanes-88 -s learning_rate=1e-5
  kto_run base-88-1e-5 "$base" kto-base-88 -s learning_rate=1e-5 -s omega.init=rope
  kto_run middle-beta-1 "$(middle 1)" kto-middle-together-1 -s learning_rate=1e-5 -s kto.beta=0.5
  for seed in 2 3; do kto_middle_runs "$seed" 1e-5 3e-5; done
}
# The lanes that a middle model samples together, and what they make of it.
kto_middle_runs() { # seed rates...
  local seed=$1 rate from
  from=$(middle "$seed")
  shift
  [ -s "$from" ] || return 0
  rollout_file "kto-middle-together-$seed" kto-problems "$from" "$seed" -b "$(amount 96 40)"
  for rate in "$@"; do
    kto_run "middle-$rate-$seed" "$from" "kto-middle-together-$seed" -s "learning_rate=$rate" -s "seed=$seed"
  done
  [ -n "$short" ] && return
  # What as many tokens of plain fine-tuning, on traces that it has not seen, do to the same model.
  short_run "kto-middle-sft-$seed" train/omega.json "$((seed % 3 + 1))" -s "base=$from" -s steps=48 -s learning_rate=1e-4
}

kto_table() {
  local seed
  for seed in $(amount "1 2 3" 1); do omega_run ntk-by-parts learned "$seed"; done
  shared kto_runs
  trace_file kto-dev problems --split dev --seed 36 --count "$(amount 300 8)" --parts 2-8
  measure kto kto-dev "$(amount 72,80,88,96,128,160,280 24,48)" --arm "independent:model=$base" \
    --arm "base:n=4,model=$base,coupling=lanerope,init=rope" --arm "lanes:n=4,model=$lanes" \
    $(model_arms kto- "base-*") $(model_arms kto- "lanes-*")
  short_problems
  for seed in $(amount "1 2 3" 1); do
    measure "kto-middle-$seed" short-problems "$(amount 72,80,88,96,128 24,48)" \
      --arm "middle:n=4,model=$(middle "$seed")" $(model_arms kto- "middle-*-$seed")
  done
}

# The bundled model, which knows 1 to 8 parts, learns the labels 9 and 10 from single lanes; with lanes it never has more than 8.
length_runs() {
  trace_file length-one traces --split train --seed 51 --count "$(amount 6000 200)" --parts 1:.07,2:.07,3:.07,4:.07,5:.07,6:.07,7:.07,8:.07,9:.22,10:.22
  trace_file length-lanes traces --split train --seed 52 --count "$(amount 6000 200)" --parts 1-8 --lanes 2:0.3,4:0.5,8:0.2
  short_steps=2 train length sft train/length.json -s "base=$lanes" -s "dev=$runs/dev4.jsonl" \
    -s "data=[{\"file\":\"$runs/length-one.jsonl\",\"weight\":1},{\"file\":\"$runs/length-lanes.jsonl\",\"weight\":1}]"
}

length_table() {
  local parts start arms=()
  shared length_runs
  for parts in $(amount "10 9 8" 10); do
    trace_file "dev-parts$parts" problems --split dev --seed "$((60 + parts))" --count "$(amount 200 4)" --parts "$parts"
    measure "length-$parts" "dev-parts$parts" "$(amount 72,88,96,104,112,128,160,192,240,272 24,48)" -m "$runs/length.gguf" \
      --arm one:n=1 --arm two:n=2 --arm four:n=4 --arm eight:n=8
  done
  [ -n "$short" ] && return
  # The models of the omega table, which had N = 4 and 1, with other numbers of lanes.
  for start in "${omega_starts[@]}"; do
    for n in 2 3 8; do arms+=(--arm "$start-n$n:n=$n,total=$((n == 3 ? 3 : n == 8 ? 8 : 4)),model=$runs/omega-$start-learned-1.gguf"); done
  done
  measure length-lanes short-problems 72,88,96,128,160,240 "${arms[@]}" --limit 200
}

# One group of N lanes, N = 1 to 32, on problems of eight parts.
lanes_table() {
  local n arms=()
  trace_file dev-parts8 problems --split dev --seed 68 --count "$(amount 200 4)" --parts 8
  for n in 1 2 4 8 16 32; do arms+=(--arm "n$n:n=$n,total=$n"); done
  measure many-lanes dev-parts8 "$(amount 64,72,80,96,128,280 24,48)" -m "$lanes" "${arms[@]}"
  # Milliseconds a step with 32 lanes live whatever N is; they mean something on an idle machine only.
  arms=()
  for n in 1 2 4 8 16 32; do arms+=(--arm "n$n:n=$n,total=32"); done
  rm -rf "$runs/step-times"
  measure step-times dev-parts8 "$(amount 64 24)" -m "$lanes" --limit "$(amount 12 1)" "${arms[@]}"
}

# The bundled model, trained with at most 8 lanes, with more of them: where those stand that are further apart than any it has met.
far_table() {
  local n how arms=()
  trace_file dev-parts8 problems --split dev --seed 68 --count "$(amount 200 4)" --parts 8
  for n in $(amount "16 32" 16); do
    arms+=(--arm "independent-$n:n=$n,total=$n,coupling=independent")
    for how in extrapolated clamped wrapped interpolated; do
      arms+=(--arm "$how-$n:n=$n,total=$n,coupling=lanerope,far-lanes=$how")
    done
  done
  measure far-lanes dev-parts8 "$(amount 64,72,80,96,128 24,48)" -m "$lanes" "${arms[@]}"
  # Right texts of so many lanes, which the model is shown: what it copies, and from how far.
  local files=()
  for n in $(amount "8 16 32" "8 16"); do
    trace_file "far-traces$n" traces --split dev --seed 68 --count "$(amount 60 2)" --parts 8 --lanes "$n"
    files+=("$runs/far-traces$n.jsonl")
  done
  script/shell python3 bench/far_lanes.py "$lanes" "${files[@]}" | tee "$runs/far-scores.txt"
}
