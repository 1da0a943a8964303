# SPDX-License-Identifier: Apache-2.0
# What script/reproduce many is made of: a step by the number of lanes and by who sees whom, 512 tokens a lane, and the memory that it
# takes. It means something on an idle machine only. With $short a few tokens.

many_study() {
  local model
  model=$(script/model smollm2)
  say "lanes and topologies"
  lanerope bench -m "$model" -n "$(amount 1,8,16,32,64,128,256 1,16)" -p "$(amount 512 64)" -g "$(amount 512 8)" -r "$(amount 3 1)" \
    --topologies all,ring,tree,blocks --block 16 | tee "$runs/topologies.txt"
  lanerope bench -m "$model" -n "$(amount 16,64,256 16)" -p "$(amount 512 64)" -g "$(amount 512 8)" -r "$(amount 3 1)" \
    --couplings independent,lanerope --window 64 | tee "$runs/window.txt"
}
