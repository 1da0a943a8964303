// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "text/vocabulary.h"
#include "train/files/vocabulary_trainer.h"

namespace lanerope::train {

// A GGUF file that holds a vocabulary and no model. Throws SystemError when it cannot be written.
void write_vocabulary_file(const std::string& path, const text::VocabularyData& data);

// The vocabulary of any GGUF file, as it stands there. Throws BadFile where it has none, SystemError where
// the file cannot be opened.
text::VocabularyData read_vocabulary_file(const std::string& path);

struct VocabularyTraining {
  std::vector<std::string> data = {};  // trace or problem files (JSON Lines, one group a line)
  std::string output = {};             // the GGUF file
  VocabularySize size = {};
  size_t groups = 0;  // of each file, from its beginning; 0: all
};

struct VocabularyReport {
  size_t groups = 0;
  size_t bytes = 0;   // of text
  size_t tokens = 0;  // of the vocabulary
  size_t merges = 0;
};

// Trains a vocabulary on each group's question, as the chat template renders it with a generation prompt, and
// the texts of its lanes, and writes it. Throws InvalidRequest where there is no text, BadFile with the line
// where a line is not a group, SystemError for a file that cannot be read or written.
VocabularyReport train_vocabulary_file(const VocabularyTraining& options);

}  // namespace lanerope::train
