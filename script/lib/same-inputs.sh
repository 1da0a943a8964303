# SPDX-License-Identifier: Apache-2.0
# What script/same lets two builds read: small random models and adapters, traces, questions. Kept between runs in build/same/inputs.

inputs=$checkout/build/same/inputs
tokens=320  # of the random models' vocabularies: few, so that every logit can be written

# Flags of make_model by the model's name. Q4_K and its like want rows of multiples of 256.
declare -A models
for architecture in llama qwen2 qwen3; do
  for type in f32 f16 q8_0; do models[$architecture-$type]="--architecture $architecture --type $type"; done
  models[$architecture-q4_k_m]="--architecture $architecture --type q4_k_m --width 256 --heads 8 --ffn 512"
done
for type in q4_0 bf16; do models[qwen2-$type]="--architecture qwen2 --type $type"; done
for type in q5_k q6_k; do models[llama-$type]="--architecture llama --type $type --width 256 --heads 8 --ffn 512"; done
models[llama-linear]="--architecture llama --rope-scaling linear --rope-factor 4"
models[llama-yarn]="--architecture llama --rope-scaling yarn --rope-factor 4 --rope-original-context 1024"
models[llama-3]="--architecture llama --llama3-rope-freqs --rope-factor 8 --rope-original-context 1024"
models[qwen3-tied]="--architecture qwen3 --type q8_0 --tied"

# Flags of make_adapter by the adapter's kind; each model of `adapted` gets one of each. Omega holds a value for each of 16 pairs.
adapted="llama-f32 qwen2-f32 qwen3-f32 llama-q8_0 qwen2-q4_k_m qwen3-q4_k_m"
declare -A adapters=(
  [plain]="--seed 11"
  [lanes]="--seed 12 --type f16 --rank 8 --lanerope --stride 48 --omega 9,7,5,3,2,1.5,1,.7,.5,.3,.2,.1,.07,.05,.02,.01"
)

write_once() { # FILE PROGRAM ARGUMENT...: a file that OLD writes, unless it is there from the same arguments
  local file=$inputs/$1
  [ "$(cat "$file.from" 2>/dev/null)" != "${*:2}" ] || return 0
  "$old/$2" "${@:3}" -o "$file" >/dev/null
  echo "${*:2}" >"$file.from"
}

ids() { # COUNT SEED: token ids as JSON
  local i list=
  for ((i = 0; i < $1; ++i)); do list+=,$((($2 * 7919 + i * i * 31 + i * 17) % tokens)); done
  echo "[${list#,}]"
}

# One lane; lanes that join late; five lanes of unequal length behind a prompt longer than a block of the kernels; text.
write_traces() {
  cat <<JSON
{"prompt_tokens": $(ids 5 1), "lanes": [$(ids 8 2)]}
{"prompt_tokens": $(ids 11 3), "lanes": [$(ids 9 4), $(ids 3 5), $(ids 6 6)], "start_steps": [0, 2, 5]}
{"prompt_tokens": $(ids 150 7), "lanes": [$(ids 21 8), $(ids 3 9), $(ids 17 10), $(ids 1 11), $(ids 9 12)], "start_steps": [0, 0, 3, 0, 1]}
{"prompt": "What is the answer?", "lanes": ["one and two", "three"]}
JSON
}

problem="Amy counts tiles in 4 stores. Store 3: 20 full boxes of 5 tiles. Store 1: 13 bags of 2 tiles. Store 4: 25 packs holding 2 tiles \
each. Store 2: 31 tins with 5 tiles each. Give the total number of tiles."

write_questions() {
  cat <<JSON
{"question": "$problem", "answer": "331"}
{"question": "Eva buys pens in 2 shops. Shop 2: 59 tins of 5 pens. Shop 1: 28 boxes of 3 pens plus 26 loose pens. Find the total number of pens.", "answer": "405"}
{"question": "What is 2 + 3?", "answer": "5"}
JSON
}

write_inputs() {
  local name kind
  mkdir -p "$inputs"
  for name in "${!models[@]}"; do write_once "$name.gguf" make_model --vocabulary "$tokens" ${models[$name]}; done
  for name in $adapted; do
    for kind in "${!adapters[@]}"; do
      write_once "$name-$kind.gguf" make_adapter -m "$inputs/$name.gguf" ${adapters[$kind]}
    done
  done
  write_traces >"$inputs/traces.jsonl"
  write_questions >"$inputs/questions.jsonl"
  echo "[3, 2.5, 2, 1.5, 1.2, 1, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005]" >"$inputs/omega.json"
  printf 'Add 2 and 3.\n/lanes 2\nAnd 4 and 5?\n/coupling hogwild\n/budget 12\nAgain.\n/forget\nWhat is 6 times 7?\n' >"$inputs/chat.txt"
}
