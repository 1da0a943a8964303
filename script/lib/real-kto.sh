# SPDX-License-Identifier: Apache-2.0
# KTO on what the adapters of script/lib/real.sh write themselves: questions of four problems, half of them of problems that were trained on,
# half of problems of which nobody has seen a sample. Each lane is labelled by what it did itself (bench/real/label.py).

kto_questions() {
  if [ -n "$short" ]; then
    once_printed kto-unseen-problems.jsonl head -n 8 "$runs/test-solved.jsonl"
  else
    once_printed kto-unseen-problems.jsonl tail -n +6001 "$gsm8k/train.jsonl"
  fi
  compose kto-known train-solved --part train --dev "$(amount 500 4)" --reach 0.5 -k "$(amount 4 2)" --count "$(amount 36 2)" -s 7
  compose kto-unseen kto-unseen-problems -k "$(amount 4 2)" --count "$(amount 36 2)" -s 8
  once_printed kto-questions.jsonl cat "$runs/kto-known.jsonl" "$runs/kto-unseen.jsonl"
}

answers_to_learn_from() { # adapter lanes budget
  local rollouts=$runs/kto-$1-rollouts.jsonl
  once "kto-$1-rollouts.jsonl" write_traces "$rollouts" lanerope data rollout -m "$model" --lora "$runs/$1.gguf" "$runs/kto-questions.jsonl" \
    -n "$2" -b "$3" --parallel "$((64 / $2))" --temp 0.8 --top-p 0.95 -s 11
  once_printed "kto-$1-labelled.jsonl" python3 bench/real/label.py "$rollouts"
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
