# SPDX-License-Identifier: Apache-2.0
# What script/reproduce real is made of: the study on a pretrained model, in $runs, each file made once. $gsm8k holds train.jsonl
# and test.jsonl. With $short everything runs on SmolLM2 and a dozen made problems, whose samples are made too.

sets=$checkout/bench/real
shares=1:0.15,2:0.2,4:0.4,8:0.25 # of groups with so many lanes, in what is trained on
instruction='Reason step by step, and put your final answer within \boxed{}.'

# Samples of each problem by the untouched model, in files of a hundred problems: several shells share them, and one that is cut off has lost
# no more than a file.
sample_block() { # output problems block samples seed
  sed -n "$((100 * $3 + 1)),$((100 * $3 + 100))p" "$2" |
    lanerope data rollout -m "$model" - -n 1 --groups "$4" --parallel 128 -b 384 --temp 0.6 --top-p 0.95 -s "$5" --system "$instruction" -o "$1.part"
  mv "$1.part" "$1"
}
sample_blocks() { # name problems samples seed
  local block blocks=$((($(wc -l <"$runs/$2.jsonl") + 99) / 100))
  for ((block = 0; block < blocks; block++)); do
    once "$1-$block.jsonl" sample_block "$runs/$1-$block.jsonl" "$runs/$2.jsonl" "$block" "$3" "$4"
  done
}
sample() { # name problems samples seed
  shared sample_blocks "$@"
  once_printed "$1.jsonl" cat $(ls -v "$runs/$1"-[0-9]*.jsonl)
}
samples() { # part problems samples
  once_printed "$1-problems.jsonl" head -n "$2" "$gsm8k/$1.jsonl"
  sample "$1-solved" "$1-problems" "$3" 1
}
# Four more of those that one of four solves.
again() { # part
  once "$1-again.jsonl" lanerope data reach "$runs/$1-solved.jsonl" --share 0.25 -o "$runs/$1-again.jsonl"
  sample "$1-second" "$1-again" 4 2
  once_printed "$1-eight.jsonl" cat "$runs/$1-solved.jsonl" "$runs/$1-second.jsonl"
}
# Those of the train part, which took an hour: git has them, and without that file they are made anew.
train_samples() {
  local packed=$sets/train-solved.jsonl.gz
  if [ -n "$short" ]; then
    made_samples train
  elif [ -f "$packed" ]; then
    once_printed train-solved.jsonl gunzip --stdout "$packed"
  else
    samples train 6000 1
  fi
}
made_samples() { # part
  local i
  for i in {1..16}; do
    printf '{"question": "Tom has %d pens and buys %d. How many pens has he?", "answer": "%d", "lanes": ["%d + %d = %d"], "labels": [true]}\n' \
      "$i" 3 $((i + 3)) "$i" 3 $((i + 3))
  done >"$runs/$1-solved.jsonl"
}

# Arms on 300 questions of $gsm8k/train.jsonl; with $short on SmolLM2 and a few made problems. $model is the one that answered.
arms_on_train() { # budget arms...
  local budget=$1
  shift
  if [ -n "$short" ]; then model=$(script/model smollm2); else model=$(script/model qwen2.5-coder-0.5b); fi
  say "questions"
  if [ -n "$short" ]; then
    made_samples train
    once_printed questions.jsonl head -n 6 "$runs/train-solved.jsonl"
  else
    once_printed questions.jsonl head -n 300 "$gsm8k/train.jsonl"
  fi
  say "arms"
  lanerope eval -m "$model" --questions "$runs/questions.jsonl" --preset gsm8k --out "$runs/arms" --count-unfinished --temp 0.6 --top-p 0.95 \
    --budgets "$budget" --parallel 128 "$@" >"$runs/arms.txt"
  cat "$runs/arms.txt"
}

compose() { # name solved options...
  local name=$1 solved=$2
  shift 2
  once "$name.jsonl" write_traces "$runs/$name.jsonl" lanerope data compose "$runs/$solved.jsonl" "$@"
}

# The sets that are tested on: questions of one, two and four problems in the model's reach, of GSM8K's test part. They were
# written down before anything was trained; without those files they are made as they were then, out of new samples.
frozen_sets() {
  local k
  if [ -n "$short" ]; then
    made_samples test
    for k in 1 2 4; do compose "reach-$k" test-solved --reach 0.5 -k "$k" --count 2 -s 3; done
  elif [ -f "$sets/reach-1.jsonl" ]; then
    (cd "$sets" && sha256sum --status --check reach.sha256) || die "$sets does not hold the questions that were frozen; restore them from git"
    for k in 1 2 4; do cp "$sets/reach-$k.jsonl" "$runs/"; done
  else
    samples test 387 4
    again test
    compose reach-1 test-eight --reach 0.5 -k 1 --count 93 -s 3
    for k in 2 4; do compose "reach-$k" test-eight --reach 0.5 -k "$k" --count 100 -s 3; done
    cp "$runs"/reach-[124].jsonl "$sets/"
    (cd "$sets" && sha256sum reach-[124].jsonl >reach.sha256)
    die "$sets has new questions now; commit them before anything is trained, and run this again"
  fi
}

# Traces of the problems that are trained on, and of those kept for dev.
train_traces() { # name solved lanes [count seed]
  compose "$1" "$2" --part train "${mix[@]}" -k 1-6 --count "${4:-$(amount 1600 12)}" --lanes "$3" -s "${5:-1}"
}
dev_traces() { # name lanes
  compose "$1" train-solved --part dev "${mix[@]}" -k "$(amount 4 2)" --count "$(amount 24 4)" --lanes "$2" -s 2
}

# The same questions for both: what is trained differs in the lanes that share them.
real_data() {
  train_samples
  train_traces lanes train-solved "$shares"
  train_traces control train-solved 1
  dev_traces dev 4
  dev_traces dev-control 1
  train_traces more-single train-solved 1 "$(amount 300 12)" 6
  compose more-lanes train-solved --part train "${mix[@]}" -k 2-6 --count "$(amount 200 12)" --lanes 2:0.3,4:0.7 -s 21
  compose plain train-solved --part train "${mix[@]}" -k 1 --ask plain --count "$(amount 400 12)" --lanes 1 -s 4
}

train_adapter() { # name data dev settings...
  train "$1" sft train/real.json -s "base=$model" -s "data=$runs/$2.jsonl" -s "dev=$runs/$3.jsonl" -s "ready=$ready" "${@:4}"
}

# Goes on with plain questions among the others, so that nobody gets a list who asked for none: of one lane only, since several that answer
# one teach lanes to stop behind their box (docs/results-adapter.md). The control's steps are so many that both have seen as many tokens in all.
go_on() { # name dev data settings...
  train "$1" sft train/real-plain.json -s "base=$model" -s "adapter=$runs/$1-first.gguf" -s "dev=$runs/$2.jsonl" -s "ready=$ready" \
    -s "data=[$3]" "${@:4}"
}
weighed() { # name weight
  printf '{"file": "%s/%s.jsonl", "weight": %s}' "$runs" "$1" "$2"
}
real_training() {
  local control="name=Qwen2.5-Coder-0.5B-Instruct, one lane"
  train_adapter lanes-first lanes dev
  train_adapter control-first control dev-control -s "$control"
  go_on lanes dev "$(weighed more-lanes 0.4), $(weighed more-single 0.6), $(weighed plain 1)"
  go_on control dev-control "$(weighed more-single 1), $(weighed plain 1.5)" -s "$control" -s learning_rate=0.0003 -s "steps=$(amount 98 3)"
}

ask() { # folder questions budgets arms...
  lanerope eval -m "$model" --questions "$runs/$2.jsonl" --out "$runs/$1" --lanes-total 4 --temp 0.6 --top-p 0.95 --budgets "$3" --parallel 32 "${@:4}"
}
right_answers() { # folder questions budgets arm-to-compare-with [part of GSM8K that the problems are of]
  local named=() # which problems stand in several questions; those of the short form are made
  [ -n "$short" ] || named=(--problems "$gsm8k/${5:-test}.jsonl")
  python3 bench/real/measure.py "$runs/$1" --questions "$runs/$2.jsonl" --budgets "$3" --against "$4" ${named[@]+"${named[@]}"}
}
compare() { # name questions budgets arms...
  ask "$@" >"$runs/$1.txt"
  right_answers "$1" "$2" "$3" control >>"$runs/$1.txt"
  cat "$runs/$1.txt"
}

# Four lanes of each arm, which vote, three such groups, and eight lanes. The fair control is an adapter that saw the same problems and solutions, one lane
# at a time.
real_tables() {
  local lanes="lora=$runs/lanes.gguf" control="lora=$runs/control.gguf" budgets
  budgets=$(amount 256,384,512,768,1024,1536 24,48)
  compare table-4 reach-4 "$budgets" --arm "lanes:n=4,total=12,$lanes" --arm "control:n=1,$control" --arm "eight:n=8,total=8,$lanes" \
    --arm "closed:n=4,coupling=independent,$lanes" --arm "pair:n=2,$lanes" --arm "one:n=1,total=1,$lanes" --arm base:n=1,total=1 \
    --arm "kto:n=4,lora=$runs/kto-lanes.gguf" --arm "kto-control:n=1,total=1,lora=$runs/kto-control.gguf"
  compare table-2 reach-2 "$budgets" --arm "lanes:n=4,$lanes" --arm "control:n=1,$control" --arm "two:n=2,$lanes"
  compare table-1 reach-1 "$(amount 128,192,256,384 24,48)" --arm "lanes:n=4,$lanes" --arm "one:n=1,$lanes" --arm "control:n=1,$control"
  compose_tables
  seconds_table
  reading_tables
  skill_table
  alone_table
}

# A question alone, with all cores.
seconds_table() {
  local budget=$(amount 1536 48)
  ask seconds reach-4 "$budget" --limit 8 --parallel 4 --arm "lanes:n=4,lora=$runs/lanes.gguf"
  ask seconds reach-4 "$budget" --limit 8 --parallel 1 --arm "control:n=1,total=1,lora=$runs/control.gguf"
  right_answers seconds reach-4 "$budget" control
}

# Problems of all of GSM8K's test part, most of which the model cannot solve.
compose_tables() {
  local k sizes="2 3 4 6"
  [ -z "$short" ] || sizes=""
  for k in $sizes; do
    once_printed "compose-$k.jsonl" python3 bench/real/sets.py "$gsm8k/test.jsonl" "$k"
    compare "compose-$k" "compose-$k" 512,768,1152,1728,2304,3456 --limit "$([ "$k" = 4 ] && echo 300 || echo 100)" \
      --arm "lanes:n=4,lora=$runs/lanes.gguf" --arm "control:n=1,total=1,lora=$runs/control.gguf"
  done
}
# The same problems, each asked in a prompt of its own, as the plain questions are.
alone_table() {
  [ -z "$short" ] || return 0
  once_printed alone.txt alone
  cat "$runs/alone.txt"
}
alone() {
  python3 bench/real/alone.py "$runs/table-4" --questions "$runs/reach-4.jsonl" --problems "$gsm8k/test.jsonl" --alone "$runs/skill" --arms lanes,control
  python3 bench/real/alone.py "$runs/compose-4" --questions "$runs/compose-4.jsonl" --problems "$gsm8k/test.jsonl" --alone "$runs/skill"
  python3 bench/real/pool.py lanes control {"$runs/table-4=$runs/reach-4","$runs/compose-3=$runs/compose-3","$runs/compose-4=$runs/compose-4"}.jsonl \
    "$runs/compose-6=$runs/compose-6.jsonl" --problems "$gsm8k/test.jsonl"
}

# Right solutions of dev problems, which nothing was trained on: what seeing the others costs, and what is read of them.
reading_traces() {
  compose reading train-solved --part dev "${mix[@]}" -k "$(amount 4 2)" --count "$(amount 40 2)" --lanes "$(amount 4 2)" -s 9
}
reading_tables() {
  reading_traces
  once_printed noise.txt reading noise
  once_printed swap.txt reading swap
  cat "$runs/noise.txt" "$runs/swap.txt"
}
reading() { # script
  script/shell python3 "bench/real/$1.py" "$model" "$runs/lanes.gguf" "$runs/reading.jsonl" --ready "$ready"
}

# What is lost: one problem at a time, all of GSM8K's test part, asked as the untouched model is asked.
skill_table() {
  local lanes="lora=$runs/lanes.gguf" test=${gsm8k:-}/test.jsonl
  [ -z "$short" ] || test=$runs/test-solved.jsonl
  once_printed skill.txt skill_arms skill "$test" --arm "base:n=1,total=1" --arm "one:n=1,total=1,$lanes"
  once_printed skill-4.txt skill_arms skill-4 "$test" --limit 400 --arm "base:n=1,total=1" --arm "one:n=1,total=1,$lanes" --arm "lanes:n=4,total=4,$lanes"
  cat "$runs/skill.txt" "$runs/skill-4.txt"
}
skill_arms() { # folder questions arms...
  lanerope eval -m "$model" --questions "$2" --preset gsm8k --out "$runs/$1" --temp 0.6 --top-p 0.95 --budgets "$(amount 192,256,384,512 24,48)" \
    --parallel 128 "${@:3}"
  lanerope eval compare "$runs/$1:base" "$runs/$1:one"
}

real_model() {
  if [ -n "$short" ]; then
    model=$(script/model smollm2) ready=" done" short_steps=3 short_batch=500
  else
    model=$(script/model qwen2.5-coder-0.5b) ready=" $(printf '\xe2\x9c\x93')"
  fi
  mix=(-m "$model" --dev "$(amount 500 4)" --wait " await" --ready "$ready")
}

real_study() {
  real_model
  say "samples and questions"
  frozen_sets
  real_data
  say "training"
  real_training
  real_kto
  say "tables"
  real_tables
}
