# SPDX-License-Identifier: Apache-2.0
# What script/reproduce untrained is made of: lanes of a model that was never trained for them, under every coupling, on the first 200
# questions of $gsm8k/train.jsonl; the table of docs/couplings.md. With $short on SmolLM2 and a few made problems.

# Four lanes a question. The neighbours of the paper come first, then every start of omega, whose names say whether lanes have tags, and the
# visibility.
untrained_arms() {
  local init
  local four="n=4,total=4"
  # GroupThink as published has the prompt in lane 0.
  neighbours=(--arm "independent:$four,coupling=independent,tag="
    --arm "groupthink:$four,coupling=groupthink,prompt-lane=first" --arm "hogwild:$four,coupling=hogwild")
  # A second stage reads what independent lanes wrote, as ParaThinker has it.
  then_arm="then:$four,coupling=independent,tag=,then=Compare the solutions above and put the final answer within \\boxed{}.,then-budget=$(amount 64 8)"
  starts=()
  for init in ntk-by-parts rope gt ntk; do
    starts+=(--arm "$init-tags-inclusive:$four,coupling=lanerope,init=$init,visibility=inclusive"
      --arm "$init-tags-strict:$four,coupling=lanerope,init=$init,visibility=strict"
      --arm "$init-plain-inclusive:$four,coupling=lanerope,init=$init,visibility=inclusive,tag="
      --arm "$init-plain-strict:$four,coupling=lanerope,init=$init,visibility=strict,tag=")
  done
}

# Hogwild! as its authors run it: workers have names and rules, and are asked now and then whether they do what another does.
hogwild_rules='You are four assistants, Worker 1, Worker 2, Worker 3 and Worker 4, who solve one problem together. You write at the same time, and each
of you sees at once what the others have written so far. Begin by saying who does what. Talk to one another by name, use what others have found, check
one another'\''s results, and never do what another one does already: if you notice that, say so and do something else. As soon as any of you is sure of the
result, all give it as the final answer.'

untrained_study() {
  local neighbours=() starts=() then_arm budgets limit
  budgets=$(amount 192,256 24,32) limit=$(amount 200 6)
  untrained_arms
  {
    arms_on_train "$budgets" --limit "$limit" "${neighbours[@]}"
    arms_on_train "${budgets#*,}" --limit "$limit" --arm "$then_arm"
    arms_on_train "$budgets" --limit "$limit" --system "$hogwild_rules" \
      --arm "hogwild-workers:n=4,total=4,coupling=hogwild,tag=Worker {k}: ,policy=nudge:every=$(amount 96 8)"
    arms_on_train "$budgets" --limit "$limit" "${starts[@]}"
    beside_independent groupthink hogwild hogwild-workers then "${starts[@]}"
  } | tee "$runs/table.txt"
}

# The differences of arms, by name or as --arm has them, to independent lanes.
beside_independent() {
  local arm
  for arm in "$@"; do
    [ "$arm" != --arm ] || continue
    printf '\n'
    lanerope eval compare --count-unfinished "$runs/arms:independent" "$runs/arms:${arm%%:*}"
  done
}
