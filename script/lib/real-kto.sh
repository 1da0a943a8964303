# SPDX-License-Identifier: Apache-2.0
# KTO on what the adapters of script/lib/real.sh write themselves: questions of four problems and plain ones, half of them of problems that were
# trained on, half of problems of which nobody has seen a sample. Each lane is labelled by what it did itself (bench/real/label.py).

kto_questions() {
  local count=$(amount 36 2)
  if [ -n "$short" ]; then
    once_printed kto-unseen-problems.jsonl head -n 8 "$runs/test-solved.jsonl"
  else
    once_printed kto-unseen-problems.jsonl tail -n +6001 "$gsm8k/train.jsonl"
  fi
  local known=(train-solved --part train --dev "$(amount 500 4)" --reach 0.5)
  compose kto-known "${known[@]}" -k "$(amount 4 2)" --count "$count" -s 7
  compose kto-unseen kto-unseen-problems -k "$(amount 4 2)" --count "$count" -s 8
  compose kto-known-plain "${known[@]}" -k 1 --ask plain --count "$count" -s 12
  compose kto-unseen-plain kto-unseen-problems -k 1 --ask plain --count "$count" -s 13
  once_printed kto-lists.jsonl cat "$runs/kto-known.jsonl" "$runs/kto-unseen.jsonl"
  once_printed kto-plain.jsonl cat "$runs/kto-known-plain.jsonl" "$runs/kto-unseen-plain.jsonl"
}

kto_rollouts() { # adapter questions lanes options...
  local name=kto-$1-$2
  once "$name.jsonl" write_traces "$runs/$name.jsonl" lanerope data rollout -m "$model" --lora "$runs/$1.gguf" "$runs/kto-$2.jsonl" -n "$3" \
    --parallel "$((64 / $3))" --temp 0.8 --top-p 0.95 -s 11 "${@:4}"
}
# Four answers to each plain question, by lanes that are together or one after the other.
answers_to_learn_from() { # adapter lanes budget
  kto_rollouts "$1" lists "$2" -b "$3"
  kto_rollouts "$1" plain "$2" --groups "$((4 / $2))" -b "$(amount 384 24)"
  once_printed "kto-$1-rollouts.jsonl" cat "$runs/kto-$1-lists.jsonl" "$runs/kto-$1-plain.jsonl"
  once_printed "kto-$1-labelled.jsonl" python3 bench/real/label.py "$runs/kto-$1-rollouts.jsonl"
}

kto_on_answers() { # adapter lanes budget
  answers_to_learn_from "$@"
  train "kto-$1" kto train/real-kto.json -s "base=$model" -s "adapter=$runs/$1.gguf" -s "data=$runs/kto-$1-labelled.jsonl" -s "ready=$ready" \
    $(kto_weights "kto-$1-labelled")
}
real_kto() {
  kto_questions
  kto_on_answers lanes 4 "$(amount 768 24)"
  kto_on_answers control 1 "$(amount 1536 24)"
}
