// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lanerope::train {

// A file that the card vouches for.
struct CardFile {
  std::string name = {};  // relative to the card's folder, below it
  uint64_t bytes = 0;
  std::string sha256 = {};
};

// One training run that led to the files.
struct CardStage {
  nlohmann::ordered_json config = {};  // as the run had it
  int64_t tokens = 0;                  // trained on
  double seconds = 0;
  std::string begun = {};     // UTC, "2026-11-24T06:00:00Z"
  std::string finished = {};  // the same
};

// What lies beside models that are given away: which bytes they are, and how they came about.
struct ModelCard {
  std::string name = {};
  std::string commit = {};  // of the sources of the trainer; empty: not known
  std::vector<CardFile> files = {};
  // Prompts that the server's page offers: [{"name": TEXT, "prompt": TEXT, "budget": TOKENS}, ...]; may be
  // null.
  nlohmann::ordered_json examples = {};
  std::vector<CardStage> stages = {};  // in the order in which they ran
};

// `names`, relative to `folder`, with their digests. Throws InvalidRequest for a name that leaves the folder,
// SystemError for a file that cannot be read.
std::vector<CardFile> describe_files(const std::string& folder, const std::vector<std::string>& names);

// JSON, for people and programs. Throws SystemError where the disk refuses.
void write_model_card(const std::string& path, const ModelCard& card);

// Throws SystemError where the file cannot be read, BadFile where it is not a card.
ModelCard read_model_card(const std::string& path);

// Compares every file of the card at `path` with what lies beside it. One sentence for each that is missing
// or differs; nothing where all is well. Throws as read_model_card does.
std::vector<std::string> verify_model_card(const std::string& path);

// "2026-11-24T06:00:00Z" of seconds since 1970.
std::string utc_text(int64_t seconds);

// The commit that is checked out in `folder`, or in one above it; empty where there is none.
std::string git_commit(const std::string& folder);

}  // namespace lanerope::train
