// SPDX-License-Identifier: Apache-2.0
#include "tools/toy_tokenizer.h"

#include <algorithm>
#include <set>
#include <span>
#include <string_view>

#include "gguf/writer.h"
#include "lanerope/errors.h"

namespace lanerope::tools {

namespace {

enum TokenType : int32_t { normal = 1, control = 3, user_defined = 4 };

constexpr float word_prominence = 1.0F;
constexpr float fragment_prominence = 0.4F;
constexpr float hidden_prominence = 0.05F;

constexpr std::string_view words[] = {
    " the",    " and",    " of",     " to",      " in",     " is",    " that",  " it",     " we",    " can",
    " lane",   " lanes",  " other",  " one",     " two",    " three", " four",  " answer", " is",    " so",
    " then",   " first",  " next",   " number",  " sum",    " equal", " step",  " think",  " maybe", " yes",
    " no",     " wait",   " agree",  " because", " not",    " all",   " with",  " as",     " by",    " for",
    " from",   " check",  " result", " half",    " twice",  " more",  " less",  " side",   " left",  " right",
    " square", " count",  " find",   " let",     " prime",  " root",  " angle", " point",  " line",  " and",
    " proof",  " reason", " known",  " given",   " follow", " hence", " this",  " again",  "The",    "Let",
};

constexpr std::string_view chatml_template =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

constexpr std::string_view deepseek_template =
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '<｜User｜>' + message['content'] }}{% elif message['role'] == 'assistant' %}"
    "{{ '<｜Assistant｜>' + message['content'].split('</think>')[-1] + '<｜end▁of▁sentence｜>' }}{% else %}"
    "{{ message['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<｜Assistant｜><think>\n' }}{% endif %}";

struct Special {
  std::string_view text;
  TokenType type = control;
};

constexpr Special chatml_specials[] = {{"<|endoftext|>"}, {"<|im_start|>"}, {"<|im_end|>"}};

constexpr int32_t deepseek_first = 151643;
constexpr Special deepseek_specials[] = {
    {"<｜end▁of▁sentence｜>"},   {"<｜User｜>"}, {"<｜Assistant｜>"},
    {"<｜begin▁of▁sentence｜>"}, {"<|EOT|>"},    {"<think>", user_defined},
    {"</think>", user_defined}};

std::string utf8(uint32_t code_point) {
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xc0U | (code_point >> 6U)), static_cast<char>(0x80U | (code_point & 0x3fU))};
}

bool prints(uint32_t byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte != 0xad);
}

// GPT-2's map: a byte that prints as Latin-1 is itself, the others are U+0100 onwards, in order.
std::vector<std::string> byte_map() {
  std::vector<std::string> map;
  map.reserve(256);
  uint32_t next = 0x100;
  for (uint32_t byte = 0; byte < 256; ++byte) map.push_back(utf8(prints(byte) ? byte : next++));
  return map;
}

class Builder {
 public:
  ToyTokenizer result;

  void add(const std::string& token, float prominence, int32_t type = normal) {
    if (!seen_.insert(token).second) return;
    result.tokens.push_back(token);
    result.types.push_back(type);
    result.prominence.push_back(prominence);
  }

  void add_bytes() {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const bool ascii = (byte >= ' ' && byte <= '~') || byte == '\n';
      add(bytes_[byte], ascii ? fragment_prominence : hidden_prominence);
    }
  }

  // Every beginning of the word becomes a token, and every step between two of them a merge.
  void add_word(std::string_view word, size_t room) {
    std::string prefix = bytes_[static_cast<unsigned char>(word[0])];
    for (size_t i = 1; i < word.size() && result.tokens.size() < room; ++i) {
      const std::string& letter = bytes_[static_cast<unsigned char>(word[i])];
      const std::string longer = prefix + letter;
      if (!seen_.contains(longer)) result.merges.push_back(std::string(prefix).append(" ").append(letter));
      add(longer, fragment_prominence);
      prefix = longer;
    }
  }

  void mark_word(std::string_view word) {
    std::string token;
    for (const char c : word) token += bytes_[static_cast<unsigned char>(c)];
    const auto found = std::ranges::find(result.tokens, token);
    if (found != result.tokens.end()) result.prominence[found - result.tokens.begin()] = word_prominence;
  }

  // Pseudo-words of consonant and vowel, which no merge reaches, until there are `size` tokens.
  void fill(size_t size) {
    constexpr std::string_view consonants = "bdfgklmnprstvz";
    constexpr std::string_view vowels = "aeiou";
    for (size_t n = 0; result.tokens.size() < size; ++n) {
      std::string word = bytes_[' '];
      size_t rest = n;
      for (int syllable = 0; syllable < 3 || rest > 0; ++syllable) {
        word += consonants[rest % consonants.size()];
        rest /= consonants.size();
        word += vowels[rest % vowels.size()];
        rest /= vowels.size();
      }
      add(word, word_prominence);
    }
  }

  void add_specials(std::span<const Special> specials) {
    for (const Special& special : specials) add(std::string(special.text), hidden_prominence, special.type);
  }

 private:
  std::vector<std::string> bytes_ = byte_map();
  std::set<std::string> seen_;
};

int32_t id_of(const ToyTokenizer& tokenizer, std::string_view token) {
  return static_cast<int32_t>(std::ranges::find(tokenizer.tokens, token) - tokenizer.tokens.begin());
}

}  // namespace

ToyTokenizer make_toy_tokenizer(int32_t n_vocab, ToyChat chat) {
  const bool deepseek = chat == ToyChat::deepseek;
  const std::span<const Special> specials =
      deepseek ? std::span<const Special>(deepseek_specials) : chatml_specials;
  const auto least = static_cast<int32_t>(specials.size()) + (deepseek ? deepseek_first : 256);
  if (n_vocab != 0 && n_vocab < least) {
    throw InvalidRequest("a vocabulary of " + std::to_string(n_vocab) +
                         " tokens is too small for its tokenizer; ask for " + std::to_string(least) +
                         " or more");
  }

  Builder builder;
  builder.add_bytes();
  const size_t room = n_vocab == 0 ? SIZE_MAX : n_vocab - specials.size();
  for (const std::string_view word : words) builder.add_word(word, room);
  for (const std::string_view word : words) builder.mark_word(word);
  if (deepseek) {
    builder.fill(deepseek_first);
  } else if (n_vocab > 0) {
    builder.fill(room);
  }
  builder.add_specials(specials);
  if (n_vocab > 0) builder.fill(n_vocab);

  ToyTokenizer result = std::move(builder.result);
  result.pre_tokenizer = deepseek ? "deepseek-r1-qwen" : "qwen2";
  result.chat_template = deepseek ? deepseek_template : chatml_template;
  result.bos = id_of(result, deepseek ? "<｜begin▁of▁sentence｜>" : "<|endoftext|>");
  result.eos = id_of(result, deepseek ? "<｜end▁of▁sentence｜>" : "<|im_end|>");
  result.add_bos = deepseek;
  // Some lanes should end by themselves.
  result.prominence[result.eos] = 0.8F;
  return result;
}

void write_tokenizer(gguf::Writer& writer, const ToyTokenizer& tokenizer) {
  writer.set("tokenizer.ggml.model", "gpt2");
  writer.set("tokenizer.ggml.pre", tokenizer.pre_tokenizer);
  writer.set("tokenizer.ggml.tokens", std::span<const std::string>(tokenizer.tokens));
  writer.set("tokenizer.ggml.token_type", std::span<const int32_t>(tokenizer.types));
  writer.set("tokenizer.ggml.merges", std::span<const std::string>(tokenizer.merges));
  writer.set("tokenizer.ggml.bos_token_id", static_cast<uint32_t>(tokenizer.bos));
  writer.set("tokenizer.ggml.eos_token_id", static_cast<uint32_t>(tokenizer.eos));
  writer.set("tokenizer.ggml.add_bos_token", tokenizer.add_bos);
  writer.set("tokenizer.chat_template", tokenizer.chat_template);
}

}  // namespace lanerope::tools
