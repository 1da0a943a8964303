// SPDX-License-Identifier: Apache-2.0
#include "text/pre_tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <cassert>
#include <cstdint>
#include <limits>
#include <span>

#include "core/enum_table.h"
#include "lanerope/errors.h"
#include "text/utf8.h"

namespace lanerope::text {

namespace {

// The first name of each kind is its own; the others are what converters write for models that cut alike.
constexpr auto kinds = core::enum_table<PreTokenizerKind, 21>({
    {PreTokenizerKind::gpt_2, "gpt-2"},       {PreTokenizerKind::llama_bpe, "llama-bpe"},
    {PreTokenizerKind::qwen2, "qwen2"},       {PreTokenizerKind::qwen2, "deepseek-r1-qwen"},
    {PreTokenizerKind::smollm, "smollm"},     {PreTokenizerKind::tekken, "tekken"},
    {PreTokenizerKind::gpt_2, "phi-2"},       {PreTokenizerKind::gpt_2, "mpt"},
    {PreTokenizerKind::gpt_2, "olmo"},        {PreTokenizerKind::gpt_2, "jais"},
    {PreTokenizerKind::llama_bpe, "llama3"},  {PreTokenizerKind::llama_bpe, "llama-v3"},
    {PreTokenizerKind::llama_bpe, "falcon3"}, {PreTokenizerKind::llama_bpe, "pixtral"},
    {PreTokenizerKind::llama_bpe, "lfm2"},    {PreTokenizerKind::smollm, "codeshell"},
    {PreTokenizerKind::smollm, "exaone"},     {PreTokenizerKind::smollm, "minerva-7b"},
    {PreTokenizerKind::smollm, "starcoder"},  {PreTokenizerKind::smollm, "refact"},
    {PreTokenizerKind::smollm, "command-r"},
});

// White space is \p{WSpace} here: PCRE2's \s would take U+180E as well, which is no white space in Unicode.
constexpr const char* gpt_2_words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{WSpace}\p{L}\p{N}]+|\p{WSpace}+(?!\P{WSpace}))";

constexpr const char* llama_words =
    R"('[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
    R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\p{WSpace}\p{L}\p{N}]+[\r\n]*)"
    R"(|\p{WSpace}*[\r\n]+|\p{WSpace}+(?!\P{WSpace})|\p{WSpace}+)";

constexpr const char* qwen2_words = R"('[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
                                    R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\p{WSpace}\p{L}\p{N}]+[\r\n]*)"
                                    R"(|\p{WSpace}*[\r\n]+|\p{WSpace}+(?!\P{WSpace})|\p{WSpace}+)";

constexpr const char* tekken_words =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"(|\p{N}| ?[^\p{WSpace}\p{L}\p{N}]+[\r\n/]*)"
    R"(|\p{WSpace}*[\r\n]+|\p{WSpace}+(?!\P{WSpace})|\p{WSpace}+)";

constexpr const char* digits = R"(\p{N})";

std::span<const char* const> passes(PreTokenizerKind kind) {
  static constexpr const char* gpt_2[] = {gpt_2_words};
  static constexpr const char* llama_bpe[] = {llama_words};
  static constexpr const char* qwen2[] = {qwen2_words};
  static constexpr const char* smollm[] = {digits, gpt_2_words};
  static constexpr const char* tekken[] = {tekken_words};
  switch (kind) {
    case PreTokenizerKind::gpt_2:
      return gpt_2;
    case PreTokenizerKind::llama_bpe:
      return llama_bpe;
    case PreTokenizerKind::qwen2:
      return qwen2;
    case PreTokenizerKind::smollm:
      return smollm;
    case PreTokenizerKind::tekken:
      return tekken;
  }
  return {};
}

template <auto release>
struct Release {
  void operator()(auto* resource) const { release(resource); }
};

}  // namespace

std::optional<PreTokenizerKind> parse_pre_tokenizer(std::string_view name) {
  return kinds.parse(name);
}

std::string allowed_pre_tokenizers() {
  return kinds.allowed();
}

PreTokenizerTraits traits(PreTokenizerKind kind) {
  const bool llama_like = kind == PreTokenizerKind::llama_bpe || kind == PreTokenizerKind::tekken;
  return {.whole_words = llama_like, .add_bos = llama_like};
}

struct PreTokenizer::Pattern {
  std::unique_ptr<pcre2_code, Release<pcre2_code_free>> code;
  std::unique_ptr<pcre2_match_context, Release<pcre2_match_context_free>> context;

  explicit Pattern(const char* source) : context(pcre2_match_context_create(nullptr)) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source), PCRE2_ZERO_TERMINATED,
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
  for (const char* source : passes(kind)) passes_.push_back(std::make_unique<Pattern>(source));
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
