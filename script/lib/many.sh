# SPDX-License-Identifier: Apache-2.0
# What script/reproduce many is made of: a step by the number of lanes and by who sees whom, 512 tokens a lane, and the memory that it
# takes. It means something on an idle machine only, where it takes an hour and a half. Each number of lanes is a file of its own, so that
# what was cut off goes on. 256 lanes write 128 tokens: 512 of lanes that all see one another would take an hour alone, since a step grows
# with the square of the lanes. With $short a few tokens.

many_bench() { # lanes options...
  local lanes=$1 tokens=512 repeats=3
  shift
  if [ "$lanes" -gt 128 ]; then tokens=128; fi
  if [ "$lanes" -gt 32 ]; then repeats=1; fi
  lanerope bench -m "$model" -n "$lanes" -p "$(amount 512 64)" -g "$(amount "$tokens" 8)" -r "$(amount "$repeats" 1)" --backends kernels "$@"
}

many_study() {
  local model lanes
  model=$(script/model smollm2)
  for lanes in $(amount "8 16 32 64 128 256" 16); do
    once_printed "topologies-$lanes.txt" many_bench "$lanes" --topologies all,ring,tree,blocks --block 16
    once_printed "window-$lanes.txt" many_bench "$lanes" --couplings lanerope --window 64
  done
  say "lanes and topologies; with a window of 64 tokens"
  cat $(ls -v "$runs"/topologies-*.txt "$runs"/window-*.txt) | tee "$runs/table.txt"
}
