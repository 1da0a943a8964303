// SPDX-License-Identifier: Apache-2.0
#include "arch/vocabulary_keys.h"

#include <limits>

#include "lanerope/errors.h"

namespace lanerope::arch {

namespace {

void set_id(gguf::Writer& writer, const std::string& key, const std::optional<int64_t>& id) {
  if (!id) return;
  if (*id >= 0 && *id <= std::numeric_limits<uint32_t>::max()) {
    writer.set(key, static_cast<uint32_t>(*id));
  } else if (*id < 0 && *id >= std::numeric_limits<int32_t>::min()) {
    writer.set(key, static_cast<int32_t>(*id));
  } else {
    throw InvalidRequest(key + " cannot be " + std::to_string(*id) + "; use a token of the vocabulary");
  }
}

}  // namespace

text::VocabularyData read_vocabulary(const gguf::File& file) {
  text::VocabularyData data;
  data.model = file.get<std::string>("tokenizer.ggml.model");
  data.pre = file.find<std::string>("tokenizer.ggml.pre").value_or("");
  data.tokens = file.get<std::vector<std::string>>("tokenizer.ggml.tokens");
  data.scores = file.find<std::vector<float>>("tokenizer.ggml.scores").value_or(std::vector<float>{});
  data.types = file.find<std::vector<int32_t>>("tokenizer.ggml.token_type").value_or(std::vector<int32_t>{});
  data.merges =
      file.find<std::vector<std::string>>("tokenizer.ggml.merges").value_or(std::vector<std::string>{});
  data.bos = file.find<int64_t>("tokenizer.ggml.bos_token_id");
  data.eos = file.find<int64_t>("tokenizer.ggml.eos_token_id");
  data.eot = file.find<int64_t>("tokenizer.ggml.eot_token_id");
  data.eom = file.find<int64_t>("tokenizer.ggml.eom_token_id");
  data.unknown = file.find<int64_t>("tokenizer.ggml.unknown_token_id");
  data.pad = file.find<int64_t>("tokenizer.ggml.padding_token_id");
  data.add_bos = file.find<bool>("tokenizer.ggml.add_bos_token");
  data.add_eos = file.find<bool>("tokenizer.ggml.add_eos_token");
  data.add_space_prefix = file.find<bool>("tokenizer.ggml.add_space_prefix");
  data.chat_template = file.find<std::string>("tokenizer.chat_template").value_or("");
  data.tool_chat_template = file.find<std::string>("tokenizer.chat_template.tool_use").value_or("");
  return data;
}

void write_vocabulary(gguf::Writer& writer, const text::VocabularyData& data) {
  writer.set("tokenizer.ggml.model", data.model);
  if (!data.pre.empty()) writer.set("tokenizer.ggml.pre", data.pre);
  writer.set("tokenizer.ggml.tokens", std::span<const std::string>(data.tokens));
  if (!data.scores.empty()) writer.set("tokenizer.ggml.scores", std::span<const float>(data.scores));
  if (!data.types.empty()) writer.set("tokenizer.ggml.token_type", std::span<const int32_t>(data.types));
  if (!data.merges.empty()) writer.set("tokenizer.ggml.merges", std::span<const std::string>(data.merges));
  set_id(writer, "tokenizer.ggml.bos_token_id", data.bos);
  set_id(writer, "tokenizer.ggml.eos_token_id", data.eos);
  set_id(writer, "tokenizer.ggml.eot_token_id", data.eot);
  set_id(writer, "tokenizer.ggml.eom_token_id", data.eom);
  set_id(writer, "tokenizer.ggml.unknown_token_id", data.unknown);
  set_id(writer, "tokenizer.ggml.padding_token_id", data.pad);
  if (data.add_bos) writer.set("tokenizer.ggml.add_bos_token", *data.add_bos);
  if (data.add_eos) writer.set("tokenizer.ggml.add_eos_token", *data.add_eos);
  if (data.add_space_prefix) writer.set("tokenizer.ggml.add_space_prefix", *data.add_space_prefix);
  if (!data.chat_template.empty()) writer.set("tokenizer.chat_template", data.chat_template);
  if (!data.tool_chat_template.empty())
    writer.set("tokenizer.chat_template.tool_use", data.tool_chat_template);
}

}  // namespace lanerope::arch
