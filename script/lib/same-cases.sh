# SPDX-License-Identifier: Apache-2.0
# What script/same compares: not every combination, but every value of every axis with each kind of model that it can matter to.
# Flags are the oldest names that OLD knows; a build that renames one keeps the old name for a release.

# One thread, unless a case says otherwise: threads of ggml that wait for one another spin, and crawl on a busy machine.
couplings=(
  "--coupling independent"
  "--coupling lanerope --init rope"
  "--coupling lanerope --init gt --stride 40"
  "--coupling lanerope --init ntk --stride 3000"
  "--coupling lanerope --init ntk-by-parts"
  "--coupling lanerope --omega $inputs/omega.json"
  "--coupling groupthink"
  "--coupling hogwild"
)
views=(
  "--visibility strict" "--visibility interleaved" "--window 2" "--window 5 --visibility strict" "--topology ring" "--topology tree"
  "--topology ring --window 3 --visibility interleaved" "--prompt-lane first" "--prompt-lane first --topology tree --stride 7"
)
seeing=("--coupling lanerope --init gt --stride 30" "--coupling groupthink" "--coupling hogwild")

read_by() { # COUPLING VIEW: hogwild's text is one, so it has no prompt lane
  [[ "$1" != *hogwild* || "$2" != *prompt-lane* ]]
}

compare_tools() {
  local name kind
  for name in "${!models[@]}"; do compare make_model --vocabulary "$tokens" ${models[$name]} -o "$out/model.gguf"; done
  for kind in "${!adapters[@]}"; do
    compare make_adapter -m "$inputs/qwen2-f32.gguf" ${adapters[$kind]} -o "$out/adapter.gguf"
  done
}

logits() { # MODEL FLAG...
  compare lanerope score -t 1 -m "$inputs/$1.gguf" "${@:2}" --logits "$tokens" "$inputs/traces.jsonl"
}

compare_logits() {
  local name coupling view path
  for path in kernels ggml; do
    for name in "${!models[@]}"; do
      for coupling in "${couplings[@]}"; do logits "$name" --path $path $coupling; done
    done
    for name in llama-f16 qwen2-q4_k_m qwen3-q8_0; do
      for coupling in "${seeing[@]}"; do
        for view in "${views[@]}"; do read_by "$coupling" "$view" && logits "$name" --path $path $coupling $view; done
      done
    done
    logits_of_caches $path
    logits_with_adapters $path
    logits qwen2-q4_k_m --path $path --coupling lanerope -t 2
  done
}

logits_of_caches() { # PATH; f16 is the default, and the kernels refuse f32
  local name type coupling
  for type in q8_0 $([ "$1" = kernels ] || echo f32); do
    for name in llama-f32 llama-yarn qwen2-f16 qwen2-q4_k_m qwen3-q8_0 qwen3-q4_k_m; do
      for coupling in "${couplings[@]}"; do logits "$name" --path "$1" --kv-type "$type" $coupling; done
      logits "$name" --path "$1" --kv-type "$type" --coupling hogwild --topology ring --window 3 --visibility strict
    done
  done
}

logits_with_adapters() { # PATH
  local name flags file coupling
  for name in $adapted; do
    file=$inputs/$name
    for flags in "--lora $file-plain.gguf" "--lora-scaled $file-plain.gguf 0.5" "--lora $file-lanes.gguf" \
      "--lora $file-lanes.gguf --lora-scaled $file-plain.gguf -0.25"; do
      logits "$name" --path "$1" $flags
      for coupling in "--coupling independent" "--coupling lanerope --init ntk-by-parts --stride 9" "--coupling hogwild"; do
        logits "$name" --path "$1" $flags $coupling
      done
    done
    logits "$name" --path "$1" --lora "$file-lanes.gguf" --visibility strict --force-coupling --kv-type q8_0
  done
}

bundled=models/model.gguf

events() { # FLAG...
  compare lanerope run -t 1 --seed 7 --json "$@"
}

compare_requests() {
  requests_by_model
  requests_by_option
  requests_with_adapters
  compare_conversations
}

requests_by_model() {
  local name coupling view path
  for path in kernels ggml; do
    for name in llama-f32 llama-q4_k_m qwen2-f16 qwen2-q4_k_m qwen3-q8_0 qwen3-tied; do
      for coupling in "${couplings[@]}"; do events -m "$inputs/$name.gguf" --path $path $coupling -b 24 --temp 1.5 "What is it?"; done
    done
    for coupling in "${couplings[@]:0:5}" "${couplings[@]:6}"; do events -m $bundled --path $path $coupling -b 48 "$problem"; done
    for coupling in "${seeing[@]}"; do
      for view in "${views[@]}"; do
        read_by "$coupling" "$view" && events -m "$inputs/qwen3-q8_0.gguf" --path $path $coupling $view -n 5 -b 16 --ignore-end "Then?"
      done
    done
  done
  for name in llama-f32 qwen2-q4_k_m qwen3-q8_0; do
    events -m "$inputs/$name.gguf" --kv-type f32 -b 16 "Then?"
    events -m "$inputs/$name.gguf" --kv-type q8_0 -b 16 "Then?"
  done
}

requests_by_option() {
  local flags
  for flags in "-n 1" "-n 2" "-n 8 -t 2" "-n 8 --consensus 3" "--consensus 2 --select first" "--tag [{k}]" \
    "--tag {k}/{k}: --lane-text 1:" "--lane-text sum --lane-text 3: --lane-text x" "--stop wait" "--stop + --stop sum" \
    "--ignore-end -b 100" "--select vote" "--select logprob" "--select first" "--select none" "--logprobs" "--top-logprobs 4" \
    "--temp 0" "--temp 0 --coupling independent" "--temp 2 --top-k 5" "--temp 2 --top-k 0 --top-p 0.6" "--temp 2 --min-p 0.3 --top-p 1" \
    "--temp 1.5 --repeat-penalty 1.4 --repeat-last-n 8" "--temp 1.5 --presence-penalty 0.7" "--temp 1.5 --frequency-penalty 0.4 --logprobs" \
    "--logit-bias 49-inf --logit-bias 50+2.5 --top-logprobs 2" "--raw" "--kv-type f32" "--kv-type q8_0" "-c 600" "-s 123456789" \
    "--system Briefly." "--stride 9 --init gt" "--attention $out/attention.json"; do
    events -m $bundled -b 64 $flags "$problem"
  done
  events -m $bundled -b 64 --tag "" "$problem"
  events -m $bundled -b 48 --select verifier --verifier 'while read -r line; do echo "${#line}"; done' "$problem"
  events -m $bundled -b 48 --select verifier --verifier 'exit 3' "$problem"
  for flags in chatml llama3 mistral-v1 mistral-v3 mistral-v3-tekken mistral-v7 mistral-v7-tekken; do
    events -m $bundled -b 16 --chat-template $flags --system "Be brief." "$problem"
  done
}

requests_with_adapters() {
  local name path flags
  for name in $adapted; do
    for path in kernels ggml; do
      for flags in "--lora $inputs/$name-plain.gguf" "--lora $inputs/$name-lanes.gguf" \
        "--lora $inputs/$name-lanes.gguf --lora-scaled $inputs/$name-plain.gguf 0.5 --coupling hogwild" \
        "--lora $inputs/$name-lanes.gguf --visibility interleaved --force-coupling --tag <{k}>"; do
        events -m "$inputs/$name.gguf" --path $path $flags -b 20 --temp 1.2 "What is it?"
      done
    done
  done
}

# Many groups at once, and conversations.
compare_conversations() {
  local input
  compare lanerope eval -t 1 -m $bundled --questions "$inputs/questions.jsonl" --budgets 24,64 --out "$out" --arm independent \
    --arm lanerope:n=2 --arm closed:n=4 --arm beam:width=3 --arm base:model=models/base.gguf
  compare lanerope data rollout -t 1 -m $bundled "$inputs/questions.jsonl" -n 3 --groups 3 --parallel 4 -b 40 -s 3
  compare lanerope data rollout -t 1 -m "$inputs/qwen3-q4_k_m.gguf" "$inputs/questions.jsonl" -n 2 --groups 2 --coupling hogwild -b 20 -s 3
  compare lanerope data collaborate -t 1 -m $bundled "$inputs/questions.jsonl" -n 2 -b 40 --turn 8 -s 3
  input=$inputs/chat.txt
  compare lanerope chat -t 1 -m $bundled -b 40 -s 5
  compare lanerope chat -t 1 -m "$inputs/qwen2-f16.gguf" -b 16 -s 5 --system "Be brief." --temp 1.3
}

compare_texts() {
  local model lanes seed text
  for text in "$problem" "What is 2 + 3?" "Grüße, 世界! <|im_end|> 1234567"; do
    for model in $bundled models/base.gguf; do
      for lanes in 1 4 8; do
        for seed in 1 2; do compare lanerope run -t 1 -m "$model" -n $lanes -s $seed -b 96 --plain "$text"; done
      done
    done
    compare lanerope run -t 1 -m $bundled -s 3 --quiet "$text"
    compare lanerope tokenize -m $bundled "$text"
    compare lanerope tokenize -m "$inputs/llama-f32.gguf" --ids "$text"
  done
  compare lanerope inspect $bundled --keys --tensors
  compare lanerope inspect "$inputs/qwen2-f32-lanes.gguf" --json
  compare lanerope inspect "$inputs/llama-yarn.gguf" --json -n 2 -b 300
}
