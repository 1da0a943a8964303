// SPDX-License-Identifier: Apache-2.0
#include "text/pre_tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <cassert>
#include <cstdint>
#include <limits>

#include "core/enum_table.h"
#include "lanerope/errors.h"
#include "text/pre_tokenizer_patterns.h"
#include "text/utf8.h"

namespace lanerope::text {

namespace {

// The first name of each kind is its own; the others are what converters write for models that cut alike.
constexpr auto kinds = core::enum_table<PreTokenizerKind, 91>({
    {PreTokenizerKind::llama_bpe, "llama-bpe"},
    {PreTokenizerKind::llama_bpe, "llama3"},
    {PreTokenizerKind::llama_bpe, "llama-v3"},
    {PreTokenizerKind::llama_bpe, "falcon3"},
    {PreTokenizerKind::llama_bpe, "falcon-h1"},
    {PreTokenizerKind::llama_bpe, "pixtral"},
    {PreTokenizerKind::llama_bpe, "midm-2.0"},
    {PreTokenizerKind::llama_bpe, "lfm2"},
    {PreTokenizerKind::llama_bpe, "jina-v5-nano"},
    {PreTokenizerKind::dbrx, "dbrx"},
    {PreTokenizerKind::dbrx, "smaug-bpe"},
    {PreTokenizerKind::dbrx, "chatglm-bpe"},
    {PreTokenizerKind::glm4, "glm4"},
    {PreTokenizerKind::glm4, "glm5"},
    {PreTokenizerKind::qwen2, "qwen2"},
    {PreTokenizerKind::qwen2, "deepseek-r1-qwen"},
    {PreTokenizerKind::qwen2, "kormo"},
    {PreTokenizerKind::qwen2, "f2llmv2"},
    {PreTokenizerKind::qwen2, "megrez"},
    {PreTokenizerKind::qwen2, "stablelm2"},
    {PreTokenizerKind::qwen2, "hunyuan"},
    {PreTokenizerKind::qwen2, "solar-open"},
    {PreTokenizerKind::qwen2, "grok-2"},
    {PreTokenizerKind::qwen35, "qwen35"},
    {PreTokenizerKind::ufakzeka, "ufakzeka"},
    {PreTokenizerKind::laguna, "laguna"},
    {PreTokenizerKind::minicpm5, "minicpm5"},
    {PreTokenizerKind::seed_coder, "seed-coder"},
    {PreTokenizerKind::bailingmoe, "bailingmoe"},
    {PreTokenizerKind::bailingmoe, "bailingmoe2"},
    {PreTokenizerKind::bailingmoe, "llada-moe"},
    {PreTokenizerKind::exaone_moe, "exaone-moe"},
    {PreTokenizerKind::jais_2, "jais-2"},
    {PreTokenizerKind::gpt_2, "gpt-2"},
    {PreTokenizerKind::gpt_2, "phi-2"},
    {PreTokenizerKind::gpt_2, "jina-es"},
    {PreTokenizerKind::gpt_2, "jina-de"},
    {PreTokenizerKind::gpt_2, "jina-v2-es"},
    {PreTokenizerKind::gpt_2, "jina-v2-de"},
    {PreTokenizerKind::gpt_2, "gigachat"},
    {PreTokenizerKind::gpt_2, "a.x-4.0"},
    {PreTokenizerKind::gpt_2, "mellum"},
    {PreTokenizerKind::gpt_2, "modern-bert"},
    {PreTokenizerKind::gpt_2, "exaone4"},
    {PreTokenizerKind::gpt_2, "mpt"},
    {PreTokenizerKind::gpt_2, "olmo"},
    {PreTokenizerKind::gpt_2, "jais"},
    {PreTokenizerKind::gpt_2, "trillion"},
    {PreTokenizerKind::gpt_2, "granite-docling"},
    {PreTokenizerKind::gpt_2, "jina-v1-en"},
    {PreTokenizerKind::gpt_2, "jina-v2-code"},
    {PreTokenizerKind::gpt_2, "roberta-bpe"},
    {PreTokenizerKind::smollm, "smollm"},
    {PreTokenizerKind::smollm, "starcoder"},
    {PreTokenizerKind::smollm, "refact"},
    {PreTokenizerKind::smollm, "command-r"},
    {PreTokenizerKind::smollm, "codeshell"},
    {PreTokenizerKind::smollm, "exaone"},
    {PreTokenizerKind::smollm, "minerva-7b"},
    {PreTokenizerKind::smollm, "mellum2"},
    {PreTokenizerKind::gpt_4o, "gpt-4o"},
    {PreTokenizerKind::gpt_4o, "llama4"},
    {PreTokenizerKind::gpt_4o, "kanana2"},
    {PreTokenizerKind::gpt_4o, "talkie"},
    {PreTokenizerKind::gpt_4o, "minimax-m2"},
    {PreTokenizerKind::granite_97m, "granite-embed-multi-97m"},
    {PreTokenizerKind::tekken, "tekken"},
    {PreTokenizerKind::tiny_aya, "tiny_aya"},
    {PreTokenizerKind::tiny_aya, "cohere2moe"},
    {PreTokenizerKind::youtu, "youtu"},
    {PreTokenizerKind::deepseek_v3, "deepseek-v3"},
    {PreTokenizerKind::deepseek_v3, "hunyuan-dense"},
    {PreTokenizerKind::deepseek_v3, "joyai-llm"},
    {PreTokenizerKind::deepseek_v3, "hy_v4"},
    {PreTokenizerKind::spark2_5, "spark2_5"},
    {PreTokenizerKind::afmoe, "afmoe"},
    {PreTokenizerKind::deepseek_llm, "deepseek-llm"},
    {PreTokenizerKind::deepseek_coder, "deepseek-coder"},
    {PreTokenizerKind::falcon, "falcon"},
    {PreTokenizerKind::bloom, "bloom"},
    {PreTokenizerKind::bloom, "poro-chat"},
    {PreTokenizerKind::bloom, "gpt3-finnish"},
    {PreTokenizerKind::viking, "viking"},
    {PreTokenizerKind::chameleon, "chameleon"},
    {PreTokenizerKind::superbpe, "superbpe"},
    {PreTokenizerKind::kimi_k2, "kimi-k2"},
    {PreTokenizerKind::gemma4, "gemma4"},
    {PreTokenizerKind::gemma4, "granite-embed-multi-311m"},
    {PreTokenizerKind::sarvam_moe, "sarvam-moe"},
    {PreTokenizerKind::whitespace, "whitespace"},
    {PreTokenizerKind::unnamed, "default"},
});

template <auto release>
struct Release {
  void operator()(auto* resource) const { release(resource); }
};

}  // namespace

std::optional<PreTokenizerKind> parse_pre_tokenizer(std::string_view name) {
  return name.empty() ? PreTokenizerKind::unnamed : kinds.parse(name);
}

std::vector<std::string> pre_tokenizer_names() {
  std::vector<std::string> names;
  names.reserve(kinds.entries.size());
  for (const auto& entry : kinds.entries) names.emplace_back(entry.name);
  return names;
}

PreTokenizerTraits traits(PreTokenizerKind kind) {
  switch (kind) {
    case PreTokenizerKind::llama_bpe:
    case PreTokenizerKind::tekken:
      return {.whole_words = true, .add_bos = true};
    case PreTokenizerKind::glm4:
    case PreTokenizerKind::minicpm5:
    case PreTokenizerKind::granite_97m:
    case PreTokenizerKind::youtu:
      return {.whole_words = true};
    case PreTokenizerKind::chameleon:
      return {.add_bos = true};
    case PreTokenizerKind::gemma4:
    case PreTokenizerKind::sarvam_moe:
      return {.bytes_mapped = false, .marks_spaces = true};
    case PreTokenizerKind::whitespace:
      return {.bytes_mapped = false};
    default:
      return {};
  }
}

struct PreTokenizer::Pattern {
  std::unique_ptr<pcre2_code, Release<pcre2_code_free>> code;
  std::unique_ptr<pcre2_match_context, Release<pcre2_match_context_free>> context;

  explicit Pattern(const std::string& source) : context(pcre2_match_context_create(nullptr)) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
                             PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr));
    if (!code)
      throw SystemError("the installed PCRE2 does not compile our patterns; install PCRE2 10.42 or newer");
    // Where PCRE2 has no just-in-time compiler it interprets, which is slower and the same.
    (void)pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
    // Our patterns do not backtrack badly, so the limits that guard against it would only refuse long words.
    constexpr uint32_t no_limit = std::numeric_limits<uint32_t>::max();
    pcre2_set_match_limit(context.get(), no_limit);
    pcre2_set_depth_limit(context.get(), no_limit);
    pcre2_set_heap_limit(context.get(), no_limit);
  }

  // Appends the matches in `text`, which is UTF-8, and what lies between them.
  void split(std::string_view text, pcre2_match_data* data, std::vector<std::string_view>& words) const {
    size_t done = 0;
    while (done < text.size()) {
      int found = match(text, done, data, 0);
      if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = match(text, done, data, PCRE2_NO_JIT);
      if (found == PCRE2_ERROR_NOMATCH) break;
      if (found < 0) {
        throw SystemError("PCRE2 gave up on the text with error " + std::to_string(found) +
                          "; use a shorter text");
      }
      const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data);
      assert(range[1] > range[0]);
      if (range[0] > done) words.push_back(text.substr(done, range[0] - done));
      words.push_back(text.substr(range[0], range[1] - range[0]));
      done = range[1];
    }
    if (done < text.size()) words.push_back(text.substr(done));
  }

  int match(std::string_view text, size_t from, pcre2_match_data* data, uint32_t options) const {
    return pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                       options | PCRE2_NO_UTF_CHECK, data, context.get());
  }
};

PreTokenizer::PreTokenizer(PreTokenizerKind kind) {
  for (const std::string_view pass : pre_tokenizer_passes(kind)) {
    passes_.push_back(std::make_unique<Pattern>(expanded(pass)));
  }
}
PreTokenizer::PreTokenizer(PreTokenizer&&) noexcept = default;
PreTokenizer& PreTokenizer::operator=(PreTokenizer&&) noexcept = default;
PreTokenizer::~PreTokenizer() = default;

std::vector<std::string_view> PreTokenizer::split(std::string_view text) const {
  const std::unique_ptr<pcre2_match_data, Release<pcre2_match_data_free>> data(
      pcre2_match_data_create(1, nullptr));
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t valid = utf8_valid_prefix(text);
    if (valid == 0) {
      words.push_back(text.substr(0, 1));
      text.remove_prefix(1);
      continue;
    }
    std::vector<std::string_view> parts = {text.substr(0, valid)};
    for (const auto& pass : passes_) {
      std::vector<std::string_view> finer;
      finer.reserve(parts.size());
      for (const std::string_view part : parts) pass->split(part, data.get(), finer);
      parts = std::move(finer);
    }
    words.insert(words.end(), parts.begin(), parts.end());
    text.remove_prefix(valid);
  }
  return words;
}

}  // namespace lanerope::text
