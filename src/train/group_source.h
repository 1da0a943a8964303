// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "lanerope/coupling.h"
#include "lanerope/sleep.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "train/lane_batch.h"
#include "train/train_config.h"

namespace lanerope::train {

// Traces as text to groups of tokens: the question as the model's chat template asks for it, each lane with
// its tag in front and the end token behind, where it ended by itself.
class GroupEncoder {
 public:
  // Throws InvalidRequest where the vocabulary has no end token.
  GroupEncoder(const text::VocabularyData& vocabulary, const TrainConfig& config);

  // One line of a trace file: {"question", "lanes", "labels"?, "ended"?, "second_stage"?: {"told",
  // "written"}}, or {"text"} for plain text. `draw` decides what is left to chance. Throws InvalidRequest for
  // anything else.
  TokenGroup encode(const std::string& line, std::mt19937_64& draw) const;
  // Questions go in as they are, since the vocabulary has no chat template.
  bool raw_prompts() const { return !templates_.chat; }

 private:
  std::vector<TokenId> tokens(std::string_view text) const;
  TokenGroup plain_text(const std::string& text) const;
  TokenId sleep_token(const std::string& text, std::string_view name) const;
  void place_in_time(TokenGroup& group) const;  // and says from when on lanes see one another
  LaneTokens second_stage(const Prompt& prompt, const std::string& told, const std::string& written) const;

  std::shared_ptr<const text::Vocabulary> vocabulary_;
  text::Tokenizer tokenizer_;
  text::ChatTemplates templates_;
  TokenId end_ = 0;
  std::string tag_;
  SleepTokens sleep_ = {};
  Coupling coupling_ = {};  // what lanes see of one another
  double single_tag_share_ = 0;
  bool shuffle_lanes_ = false;
};

// Where a GroupSource stands; goes into checkpoints.
struct GroupSourceState {
  std::vector<uint64_t> lines = {};  // groups read of each file, over all rounds through it
  std::string draw = {};             // of the random numbers

  nlohmann::json to_json() const;
  static GroupSourceState from_json(const nlohmann::json& json);
};

// An endless stream of groups from weighted files, each read from its beginning and again from there at its
// end. The same seed gives the same stream, and so does a source that was moved to a kept state.
class GroupSource {
 public:
  // Throws SystemError for a file that cannot be opened, InvalidRequest for an empty one.
  GroupSource(std::vector<DataSource> files, const GroupEncoder& encoder, uint64_t seed);

  TokenGroup next();
  // Groups of `tokens` tokens together, at least one. Groups of more than `tokens` tokens are a batch of
  // their own.
  std::vector<TokenGroup> next_batch(int64_t tokens);

  GroupSourceState state() const;
  void restore(const GroupSourceState& state);

 private:
  struct File {
    DataSource source;
    std::ifstream stream;
    uint64_t lines = 0;  // read that hold a group, over all rounds
    uint64_t place = 0;  // number of the last line in this round, blank ones counted
  };
  std::string next_line(File& file);

  const GroupEncoder* encoder_;
  std::vector<File> files_;
  double weights_ = 0;  // sum
  std::mt19937_64 draw_;
};

// The first groups of a file. Throws as GroupSource does.
std::vector<TokenGroup> first_groups(const std::string& file, int64_t count, const GroupEncoder& encoder);

// Splits groups, in order, into batches of about `tokens` tokens.
std::vector<std::span<const TokenGroup>> split_batches(std::span<const TokenGroup> groups, int64_t tokens);

}  // namespace lanerope::train
