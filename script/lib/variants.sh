# SPDX-License-Identifier: Apache-2.0
# What script/reproduce variants is made of: the adapter of script/lib/real.sh trained in other ways, each for fewer steps, asked questions of
# the dev problems. Choices for the study are made here, and not on what it is tested with.

variant_data() {
  train_samples
  once_printed train-gold.jsonl python3 bench/real/gold.py "$runs/train-solved.jsonl"
  train_traces lanes train-solved "$shares"
  train_traces few train-solved 1:0.2,2:0.3,4:0.5
  train_traces gold train-gold "$shares"
  dev_traces dev 4
  compose asked train-solved --part dev --dev "$(amount 500 4)" --reach 0.5 -k "$(amount 4 2)" --count "$(amount 60 2)" -s 5
}

# Trains a variant and asks it at once, so that what is cut off has its first rows.
variant() { # name data settings...
  train_adapter "$1" "$2" dev -s "steps=$(amount 80 3)" "${@:3}"
  once_printed "$1.txt" ask_variant "$1"
}
ask_variant() { # name
  ask arms asked "$budgets" --arm "$1:n=4,lora=$runs/$1.gguf"
}

variants_study() {
  local budgets=$(amount 384,512,768 24,48)
  real_model
  variant_data
  variant parts lanes
  variant start lanes -s sees_from=start
  variant few few
  variant off-prompt lanes -s lora.on_prompt=false
  variant slow lanes -s learning_rate=0.0004
  variant rank-16 lanes -s lora.rank=16 -s lora.alpha=32 -s learning_rate=0.0004
  variant gold gold
  variant frozen lanes -s omega.learn=false
  variant ntk lanes -s omega.init=ntk
  variant gt lanes -s omega.init=gt
  variant rope lanes -s omega.init=rope
  variant tags lanes -s omega.init=rope -s omega.learn=false
  right_answers arms asked "$budgets" parts | tee "$runs/table.txt"
}
