# SPDX-License-Identifier: Apache-2.0
# What script/reproduce policies is made of: each policy against plain lanes with as many tokens in all, on $gsm8k/train.jsonl. With
# $short on SmolLM2 and a few made problems.

# Eight plain lanes a question, of which any few are plain lanes as well: the line of accuracy by tokens. Each policy is one point beside
# it, with four lanes unless it adds some. Votes count what a lane had settled on when it was cut off, as they do in a run. What policies that
# only end a group come to is read off the plain lanes (bench/real/policies.py), and compared with the groups that run here.
policy_arms() {
  local window=$(amount 64 8) at=$(amount 48 12)
  local lanes="total=4,coupling=independent,tag="
  local four="n=4,$lanes" two="n=2,total=2,coupling=independent,tag="
  arms=(
    --arm "plain:n=8,total=8,coupling=independent,tag="
    --arm "adaptive:$two,policy=adaptive"
    --arm "finish:$four,policy=finish:at=$at"
    --arm "prune:$four,policy=prune:window=$window"
    --arm "refill:$four,policy=refill"
    --arm "fork:$two,policy=fork-on-doubt:most=2"
    --arm "consensus:$four,policy=consensus"
  )
}

policies_study() {
  local arms=()
  policy_arms
  arms_on_train "$(amount 384 32)" "${arms[@]}"
  script/shell python3 bench/real/policies.py "$runs/arms" --questions "$runs/questions.jsonl" | tee "$runs/table.txt"
}
