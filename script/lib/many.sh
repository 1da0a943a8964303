# SPDX-License-Identifier: Apache-2.0
# What script/reproduce many is made of: a step by the number of lanes and by who sees whom, 512 tokens a lane, and the memory that it
# takes. It means something on an idle machine only, where it takes an hour and a half. Each number of lanes is a file of its own, so that what was
# cut off goes on. With $short a few tokens.

many_bench() { # file lanes repeats options...
  local file=$1 lanes=$2 repeats=$3
  shift 3
  lanerope bench -m "$model" -n "$lanes" -p "$(amount 512 64)" -g "$(amount 512 8)" -r "$repeats" --backends kernels "$@" >"$file.part"
  mv "$file.part" "$file"
}

many_study() {
  local model lanes repeats
  model=$(script/model smollm2)
  for lanes in $(amount "8 16 32 64 128 256" 16); do
    repeats=$([ "$lanes" -gt 64 ] && echo 1 || amount 3 1)
    once "topologies-$lanes.txt" many_bench "$runs/topologies-$lanes.txt" "$lanes" "$repeats" --topologies all,ring,tree,blocks --block 16
    once "window-$lanes.txt" many_bench "$runs/window-$lanes.txt" "$lanes" "$repeats" --couplings lanerope --window 64
  done
  say "lanes and topologies; with a window of 64 tokens"
  cat $(ls -v "$runs"/topologies-*.txt "$runs"/window-*.txt) | tee "$runs/table.txt"
}
