// SPDX-License-Identifier: Apache-2.0
#include "train/files/vocabulary_file.h"

#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "data/trace_file.h"
#include "gguf/file.h"
#include "gguf/writer.h"
#include "lanerope/errors.h"
#include "model/vocabulary_reader.h"
#include "text/chat_template.h"

namespace lanerope::train {

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
}

void write_vocabulary_file(const std::string& path, const text::VocabularyData& data) {
  gguf::Writer writer(path);
  writer.set("general.architecture", "qwen2");
  writer.set("general.type", "vocab");
  writer.set("general.name", "lanerope vocabulary");
  write_vocabulary(writer, data);
  writer.begin();
  writer.finish();
}

text::VocabularyData read_vocabulary_file(const std::string& path) {
  return model::read_vocabulary(gguf::File(path));
}

VocabularyReport train_vocabulary_file(const VocabularyTraining& options) {
  const text::ChatFormat format = text::chat_format(trained_chat_template(), "");
  VocabularyTrainer trainer;
  VocabularyReport report;
  const auto add = [&](std::string_view text) {
    trainer.add(text);
    report.bytes += text.size();
  };
  for (const std::string& path : options.data) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw SystemError(path + " cannot be opened; give the path of a trace file");
    data::TraceReader reader(file, path);
    size_t groups = 0;
    while (options.groups == 0 || groups < options.groups) {
      const std::optional<data::Trace> trace = reader.next();
      if (!trace) break;
      const text::ChatMessage question{.role = "user", .content = trace->question};
      add(text::render(format, std::span(&question, 1), {}));
      for (const std::string& lane : trace->lanes) add(lane);
      ++groups;
    }
    report.groups += groups;
  }
  if (report.groups == 0) {
    throw InvalidRequest("there is no text to train a vocabulary on; give a trace file that is not empty");
  }
  const text::VocabularyData data = trainer.train(options.size);
  write_vocabulary_file(options.output, data);
  report.tokens = data.tokens.size();
  report.merges = data.merges.size();
  return report;
}

}  // namespace lanerope::train
