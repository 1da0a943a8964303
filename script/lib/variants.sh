# SPDX-License-Identifier: Apache-2.0
# What script/reproduce variants is made of: the adapter of script/lib/real.sh trained in other ways, each for fewer steps, asked questions of
# the dev problems. Choices for the study are made here, and not on what it is tested with.

variant_data() {
  local mix=(--part train -m "$model" --dev "$(amount 500 4)" --wait " await" --ready "$ready" -k 1-6 --count "$(amount 1600 12)" -s 1)
  train_samples
  once train-gold.jsonl gold_solutions "$runs/train-solved.jsonl" "$runs/train-gold.jsonl"
  compose lanes train-solved "${mix[@]}" --lanes 1:0.2,2:0.3,4:0.5
  compose wide train-solved "${mix[@]}" --lanes 1:0.15,2:0.2,4:0.4,8:0.25
  compose gold train-gold "${mix[@]}" --lanes 1:0.2,2:0.3,4:0.5
  compose dev train-solved --part dev -m "$model" --dev "$(amount 500 4)" --wait " await" --ready "$ready" -k "$(amount 4 2)" \
    --count "$(amount 24 4)" --lanes 4 -s 2
  compose asked train-solved --part dev --dev "$(amount 500 4)" --reach 0.5 -k "$(amount 4 2)" --count "$(amount 60 2)" -s 5
}

gold_solutions() { # from to
  python3 bench/real/gold.py "$1" >"$2.part" && mv "$2.part" "$2"
}

# Trains a variant and asks it at once, so that what is cut off has its first rows.
variant() { # name data settings...
  local name=$1 data=$2
  shift 2
  train "$name" sft train/real.json -s "base=$model" -s "data=$runs/$data.jsonl" -s "dev=$runs/dev.jsonl" -s "ready=$ready" \
    -s "steps=$(amount 80 3)" "$@"
  once "$name.txt" ask_variant "$name" --arm "$name:n=4,lora=$runs/$name.gguf"
}
ask_variant() { # name arm...
  lanerope eval -m "$model" --questions "$runs/asked.jsonl" --out "$runs/arms" --lanes-total 4 --temp 0.6 --top-p 0.95 \
    --budgets "$(amount 384,512,768 24,48)" --parallel 32 "${@:2}" >"$runs/$1.txt.part"
  mv "$runs/$1.txt.part" "$runs/$1.txt"
}

variants_study() {
  real_model
  variant_data
  variant parts lanes
  variant wide wide
  variant off-prompt lanes -s lora.on_prompt=false
  variant slow lanes -s learning_rate=0.0004
  variant rank-16 lanes -s lora.rank=16 -s lora.alpha=32 -s learning_rate=0.0004
  variant gold gold
  variant frozen lanes -s omega.learn=false
  variant gt lanes -s omega.init=gt
  variant rope lanes -s omega.init=rope
  python3 bench/real/measure.py "$runs/arms" --questions "$runs/asked.jsonl" --budgets "$(amount 384,512,768 24,48)" --against parts |
    tee "$runs/table.txt"
}
