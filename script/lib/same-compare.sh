# SPDX-License-Identifier: Apache-2.0
# Runs one command with the programs of two builds, $old and $new, and compares what they write.

work=$checkout/build/same/run  # where the two outputs are, one pair at a time
out=$work/out                  # an empty folder for a command's files: .json and .jsonl are compared, of .gguf the digests
kept=$checkout/build/same/different
outputs=0 different=0
rm -rf "$work" "$kept" && mkdir -p "$work" "$kept"

# Runs a program of the build $old or $new. What it tells the user on the way, on standard error, is not compared.
run_build() { # old|new PROGRAM ARGUMENT...
  local file status=0
  rm -rf "$out" && mkdir "$out"
  "${!1}/$2" "${@:3}" <"${input:-/dev/null}" >"$work/raw" 2>"$work/$1.said" || status=$?
  for file in "$out"/*; do
    case $file in
      *.json | *.jsonl) { echo "== ${file##*/}" && cat "$file"; } >>"$work/raw" ;;
      *.gguf) sha256sum <"$file" >>"$work/raw" ;;
    esac
  done
  sed -E -f script/lib/times.sed -f script/lib/renamed.sed "$work/raw" >"$work/$1"
  return $status
}

# The number of the first byte that differs; the one behind the end of the shorter output where it only stops sooner.
first_difference() {
  local byte
  byte=$(cmp -l "$work/old" "$work/new" 2>/dev/null | awk 'NR == 1 { print $1 }')
  echo "${byte:-$(($(wc -c "$work/old" "$work/new" | awk '{ print $1 }' | sort -n | head -n 1) + 1))}"
}

# What stands around that byte.
around() { # old|new BYTE
  local from=$(($2 > 30 ? $2 - 30 : 1))
  tail -c "+$from" "$work/$1" | head -c $(($2 - from + 50)) | tr '\n' ' ' || true
}

note_difference() { # WHAT PROGRAM ARGUMENT...
  different=$((different + 1))
  printf 'different: %s: %s/%s%s\n' "$1" "$new" "$(printf '%q ' "${@:2}")" "${input:+< $input}"
}

# `input`, where it is set, is the command's standard input. A command that fails or says nothing proves nothing, and counts as
# different. Of the first twenty differences the first line that differs stays whole, in build/same/different/NUMBER.old and .new.
compare() { # PROGRAM ARGUMENT...
  local old_status=0 new_status=0 byte line build
  outputs=$((outputs + 1))
  run_build old "$@" || old_status=$?
  run_build new "$@" || new_status=$?
  if [ $((old_status + new_status)) != 0 ]; then
    note_difference "old ends with status $old_status, new with $new_status ($(tail -qn 1 "$work"/*.said | head -n 1))" "$@"
  elif [ ! -s "$work/old" ]; then
    note_difference "old writes nothing" "$@"
  elif ! cmp -s "$work/old" "$work/new"; then
    byte=$(first_difference)
    line=$(($(head -c $((byte - 1)) "$work/old" | wc -l) + 1))
    note_difference "line $line, old \"$(around old "$byte")\", new \"$(around new "$byte")\"" "$@"
    [ $different -gt 20 ] || for build in old new; do sed -n "${line}p" "$work/$build" >"$kept/$different.$build"; done
  fi
}
