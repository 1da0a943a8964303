# SPDX-License-Identifier: Apache-2.0
# What script/reproduce baselines is made of: other ways to let lanes collaborate, each trained on the bundled base with the
# traces, tokens and seeds of the omega table's rows (short_run), asked the same dev problems with as many tokens a lane.
#
# lanerope       omega learned, from ntk-by-parts
# lanerope-first  the same with the prompt in lane 0, as groupthink has it
# groupthink     lanes 256 tokens apart, the prompt in lane 0, as published
# bridge         blocks of 3.7 % more weights, all weights learn; -alone: only the blocks; -wide: blocks of 29 % more
# closed         lanes that do not see one another, and vote
# parathinker    lanes that do not see one another and end with what their share comes to, then one more that reads all of them (--then) and was
#                trained to add up; a budget holds both
# closed-then    the lanes of `closed`, then one more that nothing has taught to sum up
# hogwild        the same weights, every lane reading prompt, others and itself as one text
# untrained-*    the base as it is. Hogwild!'s names, rules and nudges are for models that follow instructions, which this one
#                does not; what lanes have of them here are their tags.

baseline_seeds() { amount "1 2 3" 1; }
baseline_budgets() { amount "80 88 96 128 160" "24 48"; }

baseline_run() { # row seed
  case $1 in
    lanerope) short_run "lanerope-$2" train/omega.json "$2" ;;
    lanerope-first) short_run "lanerope-first-$2" train/omega.json "$2" -s prompt_lane=first ;;
    groupthink) short_run "groupthink-$2" train/omega.json "$2" -s omega.init=gt -s omega.learn=false -s prompt_lane=first ;;
    closed) short_run "closed-$2" train/omega.json "$2" -s open=false -s omega.learn=false ;;
    parathinker)
      trace_file "then$2" traces --split train --seed "$((30 + $2))" --count "$(amount 12000 200)" --parts 1-6 --lanes 1:0.1,4:0.9 --then sum
      trace_file then-dev traces --split dev --seed 34 --count "$(amount 500 50)" --parts 2-6 --lanes 4 --then sum
      short_run "parathinker-$2" train/omega.json "$2" -s open=false -s omega.learn=false -s "data=$runs/then$2.jsonl" -s "dev=$runs/then-dev.jsonl"
      ;;
    bridge) short_run "bridge-$2" train/bridge.json "$2" ;;
    bridge-alone) short_run "bridge-alone-$2" train/bridge.json "$2" -s bridge.alone=true ;;
    bridge-wide) short_run "bridge-wide-$2" train/bridge.json "$2" -s bridge.heads=4 -s bridge.head_dim=32 ;;
  esac
}
baseline_runs() {
  local row seed
  for seed in $(baseline_seeds); do
    for row in lanerope lanerope-first groupthink closed parathinker bridge bridge-alone bridge-wide; do baseline_run "$row" "$seed"; done
  done
}

# Arms of one group have several budgets, those with a second stage one each.
baseline_arms() {
  local row seed
  arms=(--arm "independent:model=$base"
    --arm "untrained-groupthink:n=4,model=$base,coupling=groupthink,stride=256,prompt-lane=first"
    --arm "untrained-hogwild:n=4,model=$base,coupling=hogwild")
  for seed in $(baseline_seeds); do
    for row in lanerope lanerope-first groupthink bridge bridge-alone bridge-wide; do arms+=(--arm "$row-$seed:n=4,model=$runs/$row-$seed.gguf"); done
    arms+=(--arm "closed-$seed:n=4,model=$runs/closed-$seed.gguf,coupling=independent")
    arms+=(--arm "hogwild-$seed:n=4,model=$runs/closed-$seed.gguf,coupling=hogwild")
  done
}
# What a second stage may write is enough for four sums and the answer, and the lanes have the rest of the budget, less the one token that it is told.
baseline_summaries() { # budget
  local seed sum=$(amount 39 10) arms=()
  for seed in $(baseline_seeds); do
    arms+=(--arm "parathinker-$seed:n=4,model=$runs/parathinker-$seed.gguf,coupling=independent,then=sum,then-budget=$sum")
    arms+=(--arm "closed-then-$seed:n=4,model=$runs/closed-$seed.gguf,coupling=independent,then=Add up what the lanes found.,then-budget=$sum")
  done
  measure "baselines-then-$1" short-problems "$(($1 - sum - 1))" "${arms[@]}"
}

# The first table of a report, without its head.
first_rows() { awk '/^maj@/ && !begun { begun = 1; next } begun && NF == 0 { exit } begun' "$1"; }

baselines_study() {
  local base=models/base.gguf arms=() budget row seed
  short_problems
  shared baseline_runs
  baseline_arms
  measure baselines short-problems "$(baseline_budgets | tr ' ' ,)" "${arms[@]}"
  for budget in $(baseline_budgets); do baseline_summaries "$budget"; done
  {
    grep -m1 '^maj@' "$runs/baselines.txt"
    first_rows "$runs/baselines.txt"
    for row in parathinker closed-then; do
      for seed in $(baseline_seeds); do
        printf '%s-%s' "$row" "$seed"
        for budget in $(baseline_budgets); do
          first_rows "$runs/baselines-then-$budget.txt" | awk -v name="$row-$seed" '$1 == name { printf "  %s", $2 }'
        done
        printf '\n'
      done
    done
  } >"$runs/table.txt"
  say "maj@4 by tokens a lane, the mean over seeds with the lowest and the highest"
  script/lib/over-seeds "$runs/table.txt" | tee "$runs/baselines-table.txt"
  grep -E '^(independent|untrained-)' "$runs/table.txt" | tee -a "$runs/baselines-table.txt"
}
