# SPDX-License-Identifier: Apache-2.0
# What script/reproduce policies is made of: each policy against plain lanes with as many tokens in all, on $gsm8k/train.jsonl. With
# $short on SmolLM2 and a few made problems.

# Eight plain lanes a question, of which any few are plain lanes as well: the line of accuracy by tokens. Each policy is one point beside
# it, with four lanes unless it adds some. Votes count what a lane had settled on when it was cut off, as they do in a run.
policy_arms() {
  local window=$(amount 64 8) at=$(amount 48 12)
  local lanes="total=4,coupling=independent,tag="
  local four="n=4,$lanes"
  arms=(
    --arm "plain:n=8,total=8,coupling=independent,tag="
    --arm "finish:$four,policy=finish:at=$at"
    --arm "prune:$four,policy=prune:window=$window"
    --arm "refill:$four,policy=refill"
    --arm "fork:n=2,total=2,coupling=independent,tag=,policy=fork-on-doubt:most=2"
    --arm "prune-hard:$four,policy=prune:window=$window;ratio=0.9"
    --arm "together:$four,policy=consensus:lanes=2,policy=finish:at=$at"
    --arm "consensus:$four,policy=consensus"
    --arm "consensus-2:$four,policy=consensus:lanes=2"
    --arm "budget:$four,policy=budget:tokens=$(amount 1024 64)"
  )
}

policies_study() {
  local arms=()
  policy_arms
  arms_on_train "$(amount 384 32)" "${arms[@]}"
}
