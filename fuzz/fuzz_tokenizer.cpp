// SPDX-License-Identifier: Apache-2.0
// Damaged vocabularies and any text: refused with BadFile, or encoded and decoded without loss.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/errors.h"
#include "tests/text/toy_vocabulary.h"
#include "text/detokenizer.h"
#include "text/stop_strings.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace {

using namespace lanerope;

void require(bool condition) {
  if (!condition) std::abort();
}

void damage(text::VocabularyData& data, FuzzedDataProvider& input) {
  const auto index = [&](size_t size) { return input.ConsumeIntegralInRange<size_t>(0, size - 1); };
  const auto any_token = [&] { return input.ConsumeIntegralInRange<int64_t>(-2, 300); };
  for (int edits = input.ConsumeIntegralInRange(0, 6); edits > 0; --edits) {
    switch (input.ConsumeIntegralInRange(0, 9)) {
      case 0:
        data.tokens[index(data.tokens.size())] = input.ConsumeRandomLengthString(12);
        break;
      case 1:
        data.types[index(data.types.size())] = input.ConsumeIntegralInRange(-1, 7);
        break;
      case 2:
        data.tokens.push_back(input.ConsumeRandomLengthString(12));
        data.types.push_back(input.ConsumeIntegralInRange(1, 6));
        if (!data.scores.empty()) data.scores.push_back(input.ConsumeFloatingPoint<float>());
        break;
      case 3:
        if (!data.scores.empty())
          data.scores[index(data.scores.size())] = input.ConsumeFloatingPoint<float>();
        break;
      case 4:
        data.merges.push_back(input.ConsumeRandomLengthString(12));
        break;
      case 5:
        data.bos = any_token();
        break;
      case 6:
        data.eos = any_token();
        break;
      case 7:
        data.unknown = any_token();
        break;
      case 8:
        data.add_bos = input.ConsumeBool();
        break;
      default:
        data.add_space_prefix = input.ConsumeBool();
        break;
    }
  }
}

bool has_all_bytes(const text::Vocabulary& vocabulary) {
  for (int byte = 0; byte < 256; ++byte) {
    if (!vocabulary.find_byte(static_cast<uint8_t>(byte))) return false;
  }
  return true;
}

// All text of a lane as it is streamed, cut by no stop string.
std::string streamed(const std::shared_ptr<const text::Vocabulary>& vocabulary,
                     const std::vector<TokenId>& tokens) {
  text::Detokenizer detokenizer(vocabulary, {.special = true});
  text::StopStrings stops({std::string(100, 's')});
  std::string text;
  for (const TokenId token : tokens) {
    const std::string piece = detokenizer.push(token);
    require(text::is_utf8(piece));
    const text::StopStrings::Result result = stops.push(piece);
    text += result.text;
    if (result.stopped) return text;
  }
  return text + stops.push(detokenizer.flush()).text + stops.flush();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  FuzzedDataProvider input(bytes, size);
  const bool sentencepiece = input.ConsumeBool();
  text::VocabularyData data = sentencepiece ? text::toy_sentencepiece() : text::toy_bpe();
  data.pre = input.PickValueInArray({"gpt-2", "llama-bpe", "qwen2", "smollm", "tekken"});
  damage(data, input);
  const text::EncodeOptions options{.add_special = input.ConsumeBool(), .parse_special = input.ConsumeBool()};
  const std::string text = input.ConsumeRemainingBytesAsString();

  std::shared_ptr<const text::Vocabulary> vocabulary;
  try {
    vocabulary = std::make_shared<const text::Vocabulary>(std::move(data));
  } catch (const BadFile& error) {
    require(text::is_utf8(error.what()) &&
            std::string_view(error.what()).find('\n') == std::string_view::npos);
    return 0;
  }
  const text::Tokenizer tokenizer(vocabulary);
  const std::vector<TokenId> tokens = tokenizer.encode(text, options);
  for (const TokenId token : tokens) require(vocabulary->contains(token));
  require(text::is_utf8(streamed(vocabulary, tokens)));

  const bool exact =
      !options.add_special && has_all_bytes(*vocabulary) &&
      (!sentencepiece || (!options.parse_special && text.find("\xE2\x96\x81") == std::string::npos));
  if (exact) require(tokenizer.decode(tokens, {.special = true}) == text);
  return 0;
}
