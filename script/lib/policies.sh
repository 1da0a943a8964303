# SPDX-License-Identifier: Apache-2.0
# What script/reproduce policies is made of: each policy against plain lanes with as many tokens in all, on $gsm8k/train.jsonl. With
# $short on SmolLM2 and a few made problems.

# Plain lanes at 4, 8 and 16 a question make the line of accuracy by tokens; each policy is one point beside it. Votes count what a lane
# had settled on when it was cut off, as they do in a run.
policy_arms() {
  local lanes=$(amount 8 2) purse=$(amount 2048 64) window=$(amount 64 8) at=$(amount 48 12)
  local plain="n=$lanes,total=$lanes,coupling=independent,tag="
  arms=(
    --arm "plain-$lanes:$plain"
    --arm "plain-half:n=$((lanes / 2)),total=$((lanes / 2)),coupling=independent,tag="
    --arm "plain-double:n=$((lanes * 2)),total=$((lanes * 2)),coupling=independent,tag="
    --arm "consensus:$plain,policy=consensus"
    --arm "consensus-half:$plain,policy=consensus:lanes=$((lanes / 2))"
    --arm "budget:$plain,policy=budget:tokens=$purse"
    --arm "prune:$plain,policy=prune:window=$window"
    --arm "prune-hard:$plain,policy=prune:window=$window;ratio=0.9"
    --arm "finish:$plain,policy=finish:at=$at"
    --arm "fork:n=$((lanes / 2)),total=$((lanes / 2)),coupling=independent,tag=,policy=fork-on-doubt:most=$((lanes / 2))"
    --arm "refill:$plain,policy=refill"
    --arm "together:$plain,policy=consensus,policy=prune:window=$window,policy=finish:at=$at"
  )
}

policies_study() {
  local arms=()
  policy_arms
  arms_on_train "$(amount 384 32)" "${arms[@]}"
}
