// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>

#include "lanerope/errors.h"
#include "tests/support/temporary_directory.h"
#include "train/files/vocabulary_file.h"
#include "train/train_config.h"
#include "train/trainer.h"

namespace lanerope::train {

// A vocabulary without merges: the 256 bytes in order, then the special tokens and the tags of lanes.
inline text::VocabularyData byte_vocabulary() {
  return VocabularyTrainer().train({.merges = 0});
}

inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// Groups of one, two and three lanes that count on from the question's letter: enough to learn something.
inline std::string toy_traces(int groups) {
  std::string lines;
  for (int i = 0; i < groups; ++i) {
    const char letter = static_cast<char>('a' + i % 7);
    lines += R"({"question": ")" + std::string(1, letter) + R"(?", "lanes": [)";
    std::string labels;
    for (int m = 0; m <= i % 3; ++m) {
      const std::string comma = m == 0 ? "" : ", ";
      lines += comma + "\"" + std::string(2 + (i + m) % 3, letter) + "\"";
      labels += comma + ((i + m) % 2 == 0 ? "true" : "false");
    }
    lines += "], \"labels\": [" + labels + "]}\n";
  }
  return lines;
}

// What a run says that does not begin.
inline std::string refusal(const TrainConfig& config) {
  try {
    train(config, {});
    return "(not refused)";
  } catch (const Error& error) {
    return error.what();
  }
}

// A run of a model that takes milliseconds a step, in a directory of its own.
struct ToyRun {
  support::TemporaryDirectory directory = {};
  TrainConfig config = {};

  ToyRun() {
    config.model = {
        .layers = 2, .width = 32, .heads = 2, .kv_heads = 1, .head_dim = 16, .ffn = 48, .context = 128};
    config.vocabulary = directory.file("vocabulary.gguf");
    config.data = {{.file = directory.file("data.jsonl")}};
    config.out = directory.file("out.gguf");
    config.steps = 12;
    config.batch_tokens = 120;
    config.learning_rate = 1e-2;
    config.warmup = 2;
    config.threads = 1;
    config.checkpoint_every = 5;
    write_vocabulary_file(config.vocabulary, byte_vocabulary());
    write_text(config.data[0].file, toy_traces(40));
  }
};

}  // namespace lanerope::train
