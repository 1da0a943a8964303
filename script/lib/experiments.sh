# SPDX-License-Identifier: Apache-2.0
# What script/reproduce is made of: data, trainings and measurements in $runs, each made once.

numbers=(--first 11-39 --second 2-5 --third 11-49 --largest-total 999)

lanerope() { script/shell lanerope "$@"; }
amount() { [ -n "$short" ] && echo "$2" || echo "$1"; } # full short

# Runs a command that makes $runs/FILE, unless it is there. Another shell that is at it is waited for, or passed over where
# $passing is set; its lock ends with the command, also by kill -9.
once() { # file command...
  local file=$runs/$1
  shift
  [ -s "$file" ] && return
  {
    flock ${passing:+-n} 8 || return 0
    [ -s "$file" ] || { say "$file" && "$@"; }
  } 8>"$file.lock"
}

# The same of a command that prints what belongs in the file.
once_printed() { # file command...
  local file=$1
  shift
  once "$file" print_into "$runs/$file" "$@"
}
print_into() { # file command...
  local file=$1
  shift
  "$@" >"$file.part"
  mv "$file.part" "$file"
}

# Calls a function that makes many files first passing over what other shells are making, then waiting for it.
shared() { # function arguments...
  passing=1
  "$@"
  passing=
  "$@"
}

made() { [ -s "$runs/$1" ]; }

write_traces() { # file options...
  local file=$1
  shift
  "$@" -o "$file.part" && mv "$file.part" "$file"
}
trace_file() { # name options...
  local name=$1
  shift
  once "$name.jsonl" write_traces "$runs/$name.jsonl" script/shell lanerope-toy "$@" "${numbers[@]}"
}

# Groups of four lanes sampled at temperature 1 from a model, labelled right or wrong; the rest are options of data rollout.
rollout_file() { # name problems model seed options...
  local name=$1 problems=$2 model=$3 seed=$4
  shift 4
  once "$name.jsonl" write_traces "$runs/$name.jsonl" lanerope data rollout -m "$model" "$runs/$problems.jsonl" -n 4 -t 1 --seed "$seed" \
    --temp 1 --top-k 0 --top-p 1 --min-p 0 "$@"
}

train() { # name stage configuration settings...
  local name=$1 stage=$2 config=$3
  shift 3
  local settings=(-s "out=$runs/$name.gguf" "$@")
  [ -n "$short" ] && settings+=(-s steps="${short_steps:-12}" -s threads=1 -s batch_tokens="${short_batch:-2000}" -s dev_groups=8 -s dev_every=6)
  once "$name.gguf" lanerope train "$stage" -c "$config" "${settings[@]}"
}

# Arms on a set of questions; records and reports go to $runs/NAME, the tables to $runs/NAME.txt as well.
measure() { # name questions budgets arms...
  local name=$1 questions=$2 budgets=$3
  shift 3
  {
    flock 8
    lanerope eval --questions "$runs/$questions.jsonl" --out "$runs/$name" --lanes-total 4 --by parts --budgets "$budgets" -t 1 "$@" \
      >"$runs/$name.txt"
  } 8>"$runs/$name.lock"
  cat "$runs/$name.txt"
}
