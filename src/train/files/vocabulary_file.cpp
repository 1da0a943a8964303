// SPDX-License-Identifier: Apache-2.0
#include "train/files/vocabulary_file.h"

#include <fstream>
#include <optional>
#include <span>
#include <string_view>

#include "arch/vocabulary_keys.h"
#include "data/trace_file.h"
#include "gguf/file.h"
#include "gguf/writer.h"
#include "lanerope/errors.h"
#include "text/chat_template.h"

namespace lanerope::train {

void write_vocabulary_file(const std::string& path, const text::VocabularyData& data) {
  gguf::Writer writer(path);
  writer.set("general.architecture", "qwen2");
  writer.set("general.type", "vocab");
  writer.set("general.name", "lanerope vocabulary");
  arch::write_vocabulary(writer, data);
  writer.begin();
  writer.finish();
}

text::VocabularyData read_vocabulary_file(const std::string& path) {
  return arch::read_vocabulary(gguf::File(path));
}

VocabularyReport train_vocabulary_file(const VocabularyTraining& options) {
  const text::ChatTemplate chat({.name = "trained", .jinja = std::string(trained_chat_template())}, {});
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
      const Message question{.role = "user", .content = trace->question};
      add(chat.render(std::span(&question, 1), {}));
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
