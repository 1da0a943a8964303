// SPDX-License-Identifier: Apache-2.0
#include "train/files/vocabulary_trainer.h"

#include <algorithm>
#include <queue>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include "text/byte_map.h"
#include "text/special_tokens.h"

namespace lanerope::train {

namespace {

constexpr std::string_view padding = "<|endoftext|>";
constexpr std::string_view turn_begin = "<|im_start|>";
constexpr std::string_view turn_end = "<|im_end|>";

using Pair = std::pair<TokenId, TokenId>;

struct PairHash {
  size_t operator()(const Pair& pair) const {
    const auto bits = static_cast<uint64_t>(pair.first) << 32 | static_cast<uint32_t>(pair.second);
    return std::hash<uint64_t>()(bits);
  }
};

struct Word {
  std::vector<TokenId> tokens;
  size_t count;
};

// Merges `pair` wherever it stands in `tokens`, from the left.
void merge(std::vector<TokenId>& tokens, const Pair& pair, TokenId result) {
  size_t kept = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i + 1 < tokens.size() && tokens[i] == pair.first && tokens[i + 1] == pair.second) {
      tokens[kept++] = result;
      ++i;
    } else {
      tokens[kept++] = tokens[i];
    }
  }
  tokens.resize(kept);
}

class Merger {
 public:
  explicit Merger(const std::unordered_map<std::string, size_t>& counts) {
    for (int byte = 0; byte < 256; ++byte) add_token(std::string(1, static_cast<char>(byte)));
    words_.reserve(counts.size());
    for (const auto& [text, count] : counts) {
      if (text.size() < 2) continue;
      Word& word = words_.emplace_back(Word{.tokens = {}, .count = count});
      for (const char c : text) word.tokens.push_back(static_cast<uint8_t>(c));
      enter(words_.size() - 1);
    }
    for (const auto& [pair, uses] : pairs_) queue_.push(candidate(pair, uses.count));
  }

  // False once no pair occurs `min_frequency` times.
  bool merge_next(size_t min_frequency) {
    while (!queue_.empty()) {
      const Candidate best = queue_.top();
      queue_.pop();
      const Pair pair = {-best.minus_left, -best.minus_right};
      const auto found = pairs_.find(pair);
      if (found == pairs_.end() || found->second.count != best.count) continue;
      if (best.count < std::max<size_t>(min_frequency, 1)) return false;
      merge_pair(pair);
      return true;
    }
    return false;
  }

  std::vector<std::string> tokens;  // bytes, not mapped
  std::vector<Pair> merges;

 private:
  struct Uses {
    size_t count = 0;
    std::vector<size_t> words = {};  // where it occurs or did
  };

  // The greatest comes first.
  struct Candidate {
    size_t count;
    TokenId minus_left, minus_right;

    bool operator<(const Candidate& other) const {
      return std::tie(count, minus_left, minus_right) <
             std::tie(other.count, other.minus_left, other.minus_right);
    }
  };

  static Candidate candidate(const Pair& pair, size_t count) {
    return {.count = count, .minus_left = -pair.first, .minus_right = -pair.second};
  }

  // Two merges may lead to the same bytes; these are one token.
  TokenId add_token(const std::string& bytes) {
    const auto [at, is_new] = ids_.emplace(bytes, static_cast<TokenId>(tokens.size()));
    if (is_new) tokens.push_back(bytes);
    return at->second;
  }

  void enter(size_t index) {
    const Word& word = words_[index];
    for (size_t i = 1; i < word.tokens.size(); ++i) {
      const Pair pair = {word.tokens[i - 1], word.tokens[i]};
      Uses& uses = pairs_[pair];
      uses.count += word.count;
      if (uses.words.empty() || uses.words.back() != index) uses.words.push_back(index);
      changed_.push_back(pair);
    }
  }

  void leave(size_t index) {
    const Word& word = words_[index];
    for (size_t i = 1; i < word.tokens.size(); ++i) {
      const Pair pair = {word.tokens[i - 1], word.tokens[i]};
      pairs_.at(pair).count -= word.count;
      changed_.push_back(pair);
    }
  }

  void merge_pair(const Pair& pair) {
    // Only a pair of which one part was reached by two merges is ever merged twice.
    if (merged_.insert(pair).second) merges.push_back(pair);
    const TokenId result = add_token(tokens[pair.first] + tokens[pair.second]);
    changed_.clear();
    std::vector<size_t> places = std::move(pairs_.at(pair).words);
    std::ranges::sort(places);
    const auto repeated = std::ranges::unique(places);
    places.erase(repeated.begin(), repeated.end());
    for (const size_t index : places) {
      leave(index);
      merge(words_[index].tokens, pair, result);
      enter(index);
    }
    for (const Pair& changed : changed_) {
      const auto found = pairs_.find(changed);
      if (found == pairs_.end()) continue;
      if (found->second.count > 0) {
        queue_.push(candidate(changed, found->second.count));
      } else {
        pairs_.erase(found);
      }
    }
  }

  std::unordered_map<std::string, TokenId> ids_;
  std::vector<Word> words_;
  std::unordered_map<Pair, Uses, PairHash> pairs_;
  std::priority_queue<Candidate> queue_;  // entries whose count is no longer true are stale
  std::unordered_set<Pair, PairHash> merged_;
  std::vector<Pair> changed_;
};

void add_specials(text::VocabularyData& data) {
  const auto add = [&](std::string name, text::TokenType type) {
    data.tokens.push_back(std::move(name));
    data.types.push_back(static_cast<int32_t>(type));
    return static_cast<int64_t>(data.tokens.size()) - 1;
  };
  data.pad = add(std::string(padding), text::TokenType::control);
  add(std::string(turn_begin), text::TokenType::control);
  data.eos = add(std::string(turn_end), text::TokenType::control);
  for (int32_t lane = 1; lane <= VocabularyTrainer::n_lane_tags; ++lane) {
    add("<lane" + std::to_string(lane) + ">", text::TokenType::user_defined);
  }
}

text::VocabularyData with_tokens(const std::vector<std::string>& tokens) {
  text::VocabularyData data{.model = "gpt2", .pre = "qwen2"};
  for (const std::string& bytes : tokens) data.tokens.push_back(text::map_bytes(bytes));
  data.types.assign(tokens.size(), static_cast<int32_t>(text::TokenType::normal));
  add_specials(data);
  data.add_bos = false;
  data.chat_template = trained_chat_template();
  return data;
}

}  // namespace

std::string_view trained_chat_template() {
  return "{% for turn in messages %}{{ '<|im_start|>' ~ turn.role ~ '\\n' ~ turn.content ~ '<|im_end|>\\n' }}"
         "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
}

VocabularyTrainer::VocabularyTrainer()
    : pre_tokenizer_(text::PreTokenizerKind::qwen2),
      specials_(std::make_unique<text::SpecialTokens>(text::Vocabulary(with_tokens({})))) {}

VocabularyTrainer::~VocabularyTrainer() = default;

void VocabularyTrainer::add(std::string_view text) {
  const auto count = [&](std::string_view part) {
    for (const std::string_view word : pre_tokenizer_.split(part)) ++words_[std::string(word)];
  };
  size_t done = 0;
  while (const auto special = specials_->next(text, done, true)) {
    count(text.substr(done, special->begin - done));
    done = special->begin + special->size;
  }
  count(text.substr(done));
}

text::VocabularyData VocabularyTrainer::train(VocabularySize size) const {
  Merger merger(words_);
  while (merger.merges.size() < size.merges && merger.merge_next(size.min_frequency)) continue;

  text::VocabularyData data = with_tokens(merger.tokens);
  for (const auto& [left, right] : merger.merges) {
    data.merges.push_back(text::map_bytes(merger.tokens[left]) + " " + text::map_bytes(merger.tokens[right]));
  }
  return data;
}

}  // namespace lanerope::train
