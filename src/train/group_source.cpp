// SPDX-License-Identifier: Apache-2.0
#include "train/group_source.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "core/lane_tag.h"
#include "core/sleepers.h"
#include "lanerope/errors.h"
#include "text/encode_prompt.h"

namespace lanerope::train {

namespace {

using Json = nlohmann::json;

double unit(std::mt19937_64& draw) {
  return static_cast<double>(draw() >> 11) * 0x1.0p-53;
}

bool is_blank(const std::string& line) {
  return line.find_first_not_of(" \t\r") == std::string::npos;
}

}  // namespace

GroupEncoder::GroupEncoder(const text::VocabularyData& vocabulary, const TrainConfig& config)
    : vocabulary_(std::make_shared<const text::Vocabulary>(vocabulary)),
      tokenizer_(vocabulary_),
      templates_(text::load_chat_templates(*vocabulary_, "", "")),
      tag_(config.tag),
      coupling_{.kind = config.joint ? CouplingKind::lanerope : CouplingKind::independent,
                .visibility = config.visibility,
                .sees_from = config.sees_from},
      single_tag_share_(config.single_tag_share),
      shuffle_lanes_(config.shuffle_lanes) {
  const auto end = vocabulary_->eos();
  if (!end) throw InvalidRequest("the vocabulary has no end token, so lanes could not learn to end");
  end_ = *end;
  sleep_ = {.wait = sleep_token(config.wait, "wait"), .ready = sleep_token(config.ready, "ready")};
}

TokenId GroupEncoder::sleep_token(const std::string& text, std::string_view name) const {
  if (text.empty()) return -1;
  const std::vector<TokenId> encoded = tokens(text);
  if (encoded.size() == 1) return encoded.front();
  throw InvalidRequest("the configuration's \"" + std::string(name) + "\", \"" + text + "\", is " +
                       std::to_string(encoded.size()) +
                       " tokens of this vocabulary; use a text that is a single token");
}

// Lanes sleep by what they wrote, as they do in the engine.
void GroupEncoder::place_in_time(TokenGroup& group) const {
  if (!sleep_.on()) return;
  std::vector<std::span<const TokenId>> lanes;
  for (const LaneTokens& lane : group.lanes) lanes.emplace_back(lane.tokens);
  std::vector<std::vector<int32_t>> steps = core::lane_steps(lanes, {}, core::Sleepers(sleep_, coupling_));
  for (size_t m = 0; m < lanes.size(); ++m) {
    group.lanes[m].steps = std::move(steps[m]);
    if (coupling_.sees_from == SeesFrom::hand_over)
      group.lanes[m].sees_from = core::hand_over_of(lanes[m], sleep_);
  }
}

std::vector<TokenId> GroupEncoder::tokens(std::string_view text) const {
  return tokenizer_.encode(text, {.add_special = false, .parse_special = true});
}

LaneTokens GroupEncoder::second_stage(const Prompt& prompt, const std::string& told,
                                      const std::string& written) const {
  LaneTokens stage{
      .tokens = text::encode_next_turn(
          {.tokenizer = tokenizer_, .templates = templates_, .no_template = NoTemplate::raw_with_note},
          prompt, told)};
  if (stage.tokens.empty()) throw InvalidRequest("the second stage is told nothing");
  stage.n_forced = static_cast<int32_t>(stage.tokens.size());
  const std::vector<TokenId> text = tokens(written);
  stage.tokens.insert(stage.tokens.end(), text.begin(), text.end());
  stage.tokens.push_back(end_);
  return stage;
}

TokenGroup GroupEncoder::plain_text(const std::string& text) const {
  std::vector<TokenId> all = tokens(text);
  if (all.empty()) throw InvalidRequest("an empty text");
  all.push_back(end_);
  return {.prompt = {all.front()}, .lanes = {{.tokens = {all.begin() + 1, all.end()}}}};
}

TokenGroup GroupEncoder::encode(const std::string& line, std::mt19937_64& draw) const {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) throw InvalidRequest("not a JSON object");
  try {
    if (json.contains("text")) {
      if (json.contains("question") || json.contains("lanes"))
        throw InvalidRequest("a line is a group or plain text; leave out \"text\", or the rest");
      return plain_text(json.at("text").get<std::string>());
    }
    const auto question = json.at("question").get<std::string>();
    const auto texts = json.at("lanes").get<std::vector<std::string>>();
    const auto labels = json.value("labels", std::vector<bool>());
    if (texts.empty()) throw InvalidRequest("no lanes");
    if (!labels.empty() && labels.size() != texts.size())
      throw InvalidRequest("as many labels as lanes are needed");
    const auto ended = json.value("ended", std::vector<bool>(texts.size(), true));
    if (ended.size() != texts.size()) throw InvalidRequest("\"ended\" needs a value for each of the lanes");

    TokenGroup group;
    const Prompt prompt{.messages = {{.role = "user", .content = question}}};
    group.prompt =
        text::encode_prompt(
            {.tokenizer = tokenizer_, .templates = templates_, .no_template = NoTemplate::raw_with_note},
            prompt)
            .tokens;
    if (json.contains("second_stage")) {
      const Json& stage = json.at("second_stage");
      if (!labels.empty())
        throw InvalidRequest("labels are those of lanes, and a second stage has none; leave one of them out");
      group.second_stage =
          second_stage(prompt, stage.at("told").get<std::string>(), stage.at("written").get<std::string>());
    }
    if (texts.size() > 1 && shuffle_lanes_) {
      group.lane_index.resize(texts.size());
      std::iota(group.lane_index.begin(), group.lane_index.end(), 0);
      for (size_t i = texts.size(); i > 1; --i)
        std::swap(group.lane_index[i - 1], group.lane_index[draw() % i]);
    }
    for (size_t m = 0; m < texts.size(); ++m) {
      LaneTokens lane;
      if (texts.size() > 1) {
        lane.tokens =
            tokens(core::render_tag(tag_, 1 + (group.lane_index.empty() ? m : group.lane_index[m])));
      } else if (single_tag_share_ > 0 && unit(draw) < single_tag_share_) {
        lane.tokens = tokens(core::render_tag(tag_, 1 + draw() % 8));
      }
      lane.n_forced = static_cast<int32_t>(lane.tokens.size());
      const std::vector<TokenId> text = tokens(texts[m]);
      lane.tokens.insert(lane.tokens.end(), text.begin(), text.end());
      // A lane that was cut off did not write an end token, and is not to be judged by one.
      if (ended[m] || text.empty()) lane.tokens.push_back(end_);
      if (!labels.empty()) lane.right = labels[m];
      group.lanes.push_back(std::move(lane));
    }
    place_in_time(group);
    return group;
  } catch (const Json::exception&) {
    throw InvalidRequest(
        "a line needs \"question\" and \"lanes\" (a list of texts), or \"text\"; a \"second_stage\" has the "
        "texts "
        "\"told\" and \"written\"");
  }
}

Json GroupSourceState::to_json() const {
  return {{"lines", lines}, {"draw", draw}};
}

GroupSourceState GroupSourceState::from_json(const Json& json) {
  return {.lines = json.at("lines").get<std::vector<uint64_t>>(), .draw = json.at("draw").get<std::string>()};
}

GroupSource::GroupSource(std::vector<DataSource> files, const GroupEncoder& encoder, uint64_t seed)
    : encoder_(&encoder), draw_(seed) {
  for (DataSource& source : files) {
    weights_ += source.weight;
    std::ifstream stream(source.file);
    if (!stream) throw SystemError("cannot open the training data " + source.file + "; check the path");
    if (stream.peek() == std::ifstream::traits_type::eof())
      throw InvalidRequest(source.file + " is empty; it should hold a group a line");
    files_.push_back({.source = std::move(source), .stream = std::move(stream)});
  }
}

std::string GroupSource::next_line(File& file) {
  std::string line;
  bool from_beginning = false;
  while (is_blank(line)) {
    if (std::getline(file.stream, line)) {
      ++file.place;
      continue;
    }
    if (from_beginning) throw InvalidRequest(file.source.file + " is empty; it should hold a group a line");
    from_beginning = true;
    file.stream.clear();
    file.stream.seekg(0);
    file.place = 0;
  }
  ++file.lines;
  return line;
}

TokenGroup GroupSource::next() {
  double place = unit(draw_) * weights_;
  size_t chosen = 0;
  while (chosen + 1 < files_.size() && place >= files_[chosen].source.weight) {
    place -= files_[chosen].source.weight;
    ++chosen;
  }
  File& file = files_[chosen];
  const std::string line = next_line(file);
  try {
    return encoder_->encode(line, draw_);
  } catch (const InvalidRequest& error) {
    throw InvalidRequest(file.source.file + ", line " + std::to_string(file.place) + ": " + error.what());
  }
}

std::vector<TokenGroup> GroupSource::next_batch(int64_t tokens) {
  std::vector<TokenGroup> batch = {next()};
  int64_t sum = cost(batch.back());
  // The mean so far tells whether one more is likelier to fit than not, without looking ahead.
  while (sum + sum / static_cast<int64_t>(2 * batch.size()) < tokens) {
    batch.push_back(next());
    sum += cost(batch.back());
  }
  return batch;
}

GroupSourceState GroupSource::state() const {
  GroupSourceState state;
  for (const File& file : files_) state.lines.push_back(file.lines);
  std::ostringstream text;
  text << draw_;
  state.draw = text.str();
  return state;
}

void GroupSource::restore(const GroupSourceState& state) {
  if (state.lines.size() != files_.size())
    throw InvalidRequest("the checkpoint was made with other training data; start a new run");
  for (size_t i = 0; i < files_.size(); ++i) {
    while (files_[i].lines < state.lines[i]) next_line(files_[i]);
  }
  std::istringstream text(state.draw);
  text >> draw_;
}

std::vector<TokenGroup> first_groups(const std::string& file, int64_t count, const GroupEncoder& encoder) {
  std::ifstream stream(file);
  if (!stream) throw SystemError("cannot open " + file + "; check the path");
  std::mt19937_64 draw(1);
  std::vector<TokenGroup> groups;
  std::string line;
  for (int64_t place = 1; static_cast<int64_t>(groups.size()) < count && std::getline(stream, line);
       ++place) {
    if (is_blank(line)) continue;
    try {
      groups.push_back(encoder.encode(line, draw));
    } catch (const InvalidRequest& error) {
      throw InvalidRequest(file + ", line " + std::to_string(place) + ": " + error.what());
    }
  }
  if (groups.empty() && count > 0) throw InvalidRequest(file + " is empty; it should hold a group a line");
  return groups;
}

std::vector<std::span<const TokenGroup>> split_batches(std::span<const TokenGroup> groups, int64_t tokens) {
  std::vector<std::span<const TokenGroup>> batches;
  size_t begin = 0;
  int64_t sum = 0;
  for (size_t i = 0; i < groups.size(); ++i) {
    sum += cost(groups[i]);
    if (sum < tokens && i + 1 < groups.size()) continue;
    batches.push_back(groups.subspan(begin, i + 1 - begin));
    begin = i + 1;
    sum = 0;
  }
  return batches;
}

}  // namespace lanerope::train
