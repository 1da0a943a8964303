# SPDX-License-Identifier: Apache-2.0
# What script/reproduce variants is made of: the adapter of script/lib/real.sh trained in other ways, each for a fifth of the steps, asked questions of
# the dev problems and shown right answers to others. Choices for the study are made here, and not on what it is tested with.

variant_data() {
  train_samples
  once_printed train-gold.jsonl python3 bench/real/gold.py "$runs/train-solved.jsonl"
  train_traces lanes train-solved "$shares"
  train_traces gold train-gold "$shares"
  dev_traces dev 4
  compose asked train-solved --part dev --dev "$(amount 500 4)" --reach 0.5 -k "$(amount 4 2)" --count "$(amount 60 2)" -s 5
  reading_traces
}

# Trains a variant and asks it at once, so that what is cut off has its first rows.
variants=()
variant() { # name data settings...
  variants+=("$1")
  train_adapter "$1" "$2" dev -s "steps=$(amount 48 3)" "${@:3}"
  once_printed "$1.txt" ask arms asked "$budgets" --arm "$1:n=4,lora=$runs/$1.gguf"
}
losses() { # adapters...
  script/shell python3 bench/real/losses.py "$model" "$runs/reading.jsonl" $(printf "$runs/%s.gguf " "$@") --ready "$ready"
}

variants_study() {
  local budgets=$(amount 384,512,768 24,48)
  real_model
  variant_data
  variant parts lanes
  variant frozen lanes -s omega.learn=false
  variant gt lanes -s omega.init=gt # and ntk, which is the same where all lanes' strides fit into the trained context, as here
  variant rope lanes -s omega.init=rope
  variant tags lanes -s omega.init=rope -s omega.learn=false
  variant rank-16 lanes -s lora.rank=16 -s lora.alpha=32 -s learning_rate=0.0004
  variant gold gold
  variant start lanes -s sees_from=start
  losses "${variants[@]}" | tee "$runs/losses.txt"
  right_answers arms asked "$budgets" parts train | tee "$runs/table.txt"
}
