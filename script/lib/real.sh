# SPDX-License-Identifier: Apache-2.0
# What script/reproduce real is made of: the study on a pretrained model, in $runs, each file made once. $gsm8k holds train.jsonl
# and test.jsonl. With $short everything runs on SmolLM2 and a dozen made problems, whose samples are made too.

instruction='Reason step by step, and put your final answer within \boxed{}.'

# Samples of the untouched model: four of each problem, and four more of those that one of the first solves.
sample() { # output questions seed
  lanerope data rollout -m "$model" "$2" -n 1 --groups 4 --parallel 64 -b 384 --temp 0.6 --top-p 0.95 -s "$3" \
    --system "$instruction" -o "$1.part"
  mv "$1.part" "$1"
}
samples() { # part problems
  local part=$1 problems=$2
  once "$part-problems.jsonl" head_of "$problems" "$gsm8k/$part.jsonl" "$runs/$part-problems.jsonl"
  once "$part-first.jsonl" sample "$runs/$part-first.jsonl" "$runs/$part-problems.jsonl" 1
  once "$part-again.jsonl" lanerope data reach "$runs/$part-first.jsonl" --share 0.25 -o "$runs/$part-again.jsonl"
  once "$part-second.jsonl" sample "$runs/$part-second.jsonl" "$runs/$part-again.jsonl" 2
  once "$part-solved.jsonl" join "$runs/$part-solved.jsonl" "$runs/$part-first.jsonl" "$runs/$part-second.jsonl"
}
head_of() { head -n "$1" "$2" >"$3.part" && mv "$3.part" "$3"; } # lines from to
join() { # to from...
  local to=$1
  shift
  cat "$@" >"$to.part" && mv "$to.part" "$to"
}
made_samples() { # part
  local i
  for i in {1..16}; do
    printf '{"question": "Tom has %d pens and buys %d. How many pens has he?", "answer": "%d", "lanes": ["%d + %d = %d"], "labels": [true]}\n' \
      "$i" 3 $((i + 3)) "$i" 3 $((i + 3))
  done >"$runs/$1-solved.jsonl"
}

compose() { # name solved options...
  local name=$1 solved=$2
  shift 2
  once "$name.jsonl" write_traces "$runs/$name.jsonl" lanerope data compose "$runs/$solved-solved.jsonl" "$@"
}

# The same questions for both: what is trained differs in the lanes that share them.
real_data() {
  if [ -n "$short" ]; then
    made_samples train
    made_samples test
  else
    samples train 1200
    samples test 1319
  fi
  local mix=(-m "$model" --dev "$(amount 80 4)" --wait " await" --ready "$ready")
  compose lanes train --part train "${mix[@]}" -k 1-6 --count "$(amount 1600 12)" --lanes 1:0.2,2:0.3,4:0.5 -s 1
  compose control train --part train "${mix[@]}" -k 1-6 --count "$(amount 1600 12)" --lanes 1 -s 1
  compose dev train --part dev "${mix[@]}" -k "$(amount 4 2)" --count "$(amount 24 4)" --lanes 4 -s 2
  compose dev-control train --part dev "${mix[@]}" -k "$(amount 4 2)" --count "$(amount 24 4)" --lanes 1 -s 2
  local k
  for k in 2 4; do compose "reach-$k" test --reach 0.5 -k "$k" --count "$(amount 100 2)" -s 3; done
  compose reach-1 test --reach 0.5 -k 1 --count "$(amount 150 2)" -s 3
  [ -n "$short" ] || frozen
}

# The sets that are tested on, as they were before anything was trained.
frozen() {
  local digests=$checkout/bench/real/reach.sha256
  if [ ! -f "$digests" ]; then
    (cd "$runs" && sha256sum reach-1.jsonl reach-2.jsonl reach-4.jsonl) | tee "$digests"
    die "these are the sets of problems in reach; commit $digests before anything is trained, and run this again"
  fi
  (cd "$runs" && sha256sum --status --check "$digests") ||
    die "the sets of problems in reach are not those of bench/real/reach.sha256: the model's samples came out otherwise on this machine"
}

real_training() {
  train lanes sft train/real.json -s "base=$model" -s "data=$runs/lanes.jsonl" -s "dev=$runs/dev.jsonl" -s "ready=$ready"
  train control sft train/real.json -s "base=$model" -s "data=$runs/control.jsonl" -s "dev=$runs/dev-control.jsonl" -s "ready=$ready" \
    -s "name=Qwen2.5-Coder-0.5B-Instruct, one lane"
}

compare() { # name questions budgets arms...
  local name=$1 questions=$2 budgets=$3
  shift 3
  lanerope eval -m "$model" --questions "$runs/$questions.jsonl" --out "$runs/$name" --lanes-total 4 --temp 0.6 --top-p 0.95 \
    --budgets "$budgets" --parallel 32 "$@" >"$runs/$name.txt"
  cat "$runs/$name.txt"
}

# Four lanes of each arm. The fair control is an adapter that saw the same problems and solutions, one lane at a time.
real_tables() {
  local lanes="lora=$runs/lanes.gguf" k
  for k in 4 2; do
    compare "table-$k" "reach-$k" "$(amount 128,192,256,384,512,768,1024 24,48)" \
      --arm "lanes:n=4,$lanes" --arm "control:n=1,lora=$runs/control.gguf" --arm "closed:n=4,coupling=independent,$lanes" \
      --arm "one:n=1,$lanes" --arm "base:n=1"
  done
  compare table-1 reach-1 "$(amount 128,192,256,384 24,48)" \
    --arm "lanes:n=4,$lanes" --arm "one:n=1,$lanes" --arm "control:n=1,lora=$runs/control.gguf" --arm "base:n=1"
}

real_study() {
  if [ -n "$short" ]; then
    model=$(script/model smollm2) ready=" done" short_steps=3
  else
    model=$(script/model qwen2.5-coder-0.5b) ready=" $(printf '\xe2\x9c\x93')"
  fi
  say "samples and questions"
  real_data
  say "training"
  real_training
  say "tables"
  real_tables
}
