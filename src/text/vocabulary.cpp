// SPDX-License-Identifier: Apache-2.0
#include "text/vocabulary.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/enum_table.h"
#include "lanerope/errors.h"
#include "text/byte_map.h"
#include "text/utf8.h"

namespace lanerope::text {

namespace {

// Beyond any real vocabulary, and small enough for exact ranks and 32-bit ids.
constexpr size_t most_tokens = size_t{1} << 24;
constexpr size_t longest_token = size_t{1} << 16;  // bytes

constexpr auto models = core::enum_table<TokenizerModel, 3>({
    {TokenizerModel::bpe, "gpt2"},
    {TokenizerModel::sentencepiece, "llama"},
    {TokenizerModel::bpe, "gemma4"},
});

// What else files have, and lanerope does not read.
struct OtherModel {
  std::string_view name;
  std::string_view what;
};
constexpr std::array other_models = {
    OtherModel{"bert", "WordPiece"},
    OtherModel{"t5", "Unigram"},
    OtherModel{"rwkv", "RWKV's own"},
    OtherModel{"plamo2", "PLaMo 2's own"},
};

[[noreturn]] void refuse_model(const std::string& model) {
  std::string what = "of kind " + quoted(model);
  for (const OtherModel& other : other_models) {
    if (other.name == model) what = std::string(other.what) + " (" + quoted(model) + ")";
  }
  throw BadFile("the file has a tokenizer " + what +
                ", and lanerope reads byte-level BPE (gpt2) and SentencePiece's BPE " +
                "(llama); use another model");
}

// Tokens that end a turn whatever the ids in the file say.
constexpr std::array end_names = {
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "<|end_of_text|>",
    "<eos>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|fim_repo|>",
    "<|file_sep|>",
    "<｜end▁of▁sentence｜>",
};

// End names that some files do not mark as control tokens. "</s>" and the like are not of them: in
// vocabularies that were trained on code they are words like others, which merges make.
bool is_unmistakable(std::string_view text) {
  const bool marked = text.starts_with("<|") || text.starts_with("<｜") || text == "<end_of_turn>";
  return marked && std::ranges::find(end_names, text) != end_names.end();
}

[[noreturn]] void refuse(const std::string& what) {
  throw BadFile("the vocabulary in this file " + what + "; convert or download the model again");
}

std::optional<uint8_t> parse_byte_name(std::string_view name) {  // <0x0A>
  if (name.size() != 6 || !name.starts_with("<0x") || name[5] != '>') return std::nullopt;
  unsigned value = 0;
  for (const char digit : name.substr(3, 2)) {
    value *= 16;
    if (digit >= '0' && digit <= '9') {
      value += static_cast<unsigned>(digit - '0');
    } else if (digit >= 'A' && digit <= 'F') {
      value += static_cast<unsigned>(digit - 'A') + 10;
    } else if (digit >= 'a' && digit <= 'f') {
      value += static_cast<unsigned>(digit - 'a') + 10;
    } else {
      return std::nullopt;
    }
  }
  return static_cast<uint8_t>(value);
}

bool is_text(TokenType type) {
  return type == TokenType::normal || type == TokenType::user_defined;
}

bool has_name(TokenType type) {
  return type == TokenType::control || type == TokenType::unknown || type == TokenType::user_defined;
}

size_t checked(const Vocabulary& vocabulary, TokenId token) {
  if (!vocabulary.contains(token)) {
    throw InvalidRequest("token " + std::to_string(token) + " does not exist: the vocabulary has " +
                         std::to_string(vocabulary.size()) + " tokens, numbered from 0");
  }
  return static_cast<size_t>(token);
}

}  // namespace

std::string spaces_for_marks(std::string_view text) {
  constexpr std::string_view mark = "\xE2\x96\x81";
  std::string out;
  while (!text.empty()) {
    const size_t at = text.find(mark);
    out += text.substr(0, at);
    if (at == std::string_view::npos) break;
    out += ' ';
    text.remove_prefix(at + mark.size());
  }
  return out;
}

Vocabulary::Vocabulary(VocabularyData data) {
  const auto model = models.parse(data.model);
  if (!model) refuse_model(data.model);
  model_ = *model;
  if (data.model == "gemma4") data.pre = data.model;
  PreTokenizerTraits pre_traits{.add_bos = true};
  if (model_ == TokenizerModel::bpe) {
    const auto pre = parse_pre_tokenizer(data.pre);
    if (!pre) {
      throw BadFile("the file has the pre-tokenizer " + quoted(data.pre) + ", which is none of the " +
                    std::to_string(pre_tokenizer_names().size()) +
                    " that lanerope knows (docs/templates.md); get a file that was converted anew, or a "
                    "newer lanerope");
    }
    pre_ = *pre;
    pre_traits = traits(pre_);
  }
  bytes_mapped_ = model_ == TokenizerModel::bpe && pre_traits.bytes_mapped;
  marks_spaces_ = model_ == TokenizerModel::sentencepiece || pre_traits.marks_spaces;
  read_tokens(data);
  read_special(data);
  read_bytes();
  if (model_ == TokenizerModel::bpe) read_merges(data.merges);

  if (data.add_bos.value_or(false) && !bos_) refuse("wants a begin token before each text and names none");
  if (data.add_eos.value_or(false) && !eos_) refuse("wants an end token after each text and names none");
  add_bos_ = data.add_bos.value_or(pre_traits.add_bos) && bos_.has_value();
  add_eos_ = data.add_eos.value_or(false);
  add_space_prefix_ = data.add_space_prefix.value_or(true) && model_ == TokenizerModel::sentencepiece;
  chat_template_ = std::move(data.chat_template);
  tool_chat_template_ = std::move(data.tool_chat_template);
}

void Vocabulary::read_tokens(VocabularyData& data) {
  const size_t n = data.tokens.size();
  if (n == 0) refuse("is empty");
  if (n > most_tokens) refuse("claims " + std::to_string(n) + " tokens");
  if (!data.types.empty() && data.types.size() != n) {
    refuse("has " + std::to_string(n) + " tokens and " + std::to_string(data.types.size()) + " token types");
  }
  const bool scored = model_ == TokenizerModel::sentencepiece;
  if (data.scores.size() != n && (scored || !data.scores.empty())) {
    refuse("has " + std::to_string(n) + " tokens and " + std::to_string(data.scores.size()) + " scores");
  }
  if (scored) {
    if (!std::ranges::all_of(data.scores, [](float score) { return std::isfinite(score); })) {
      refuse("has a score that is not a finite number");
    }
    scores_ = std::move(data.scores);
  }

  pieces_.reserve(n);
  types_.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    std::string& text = data.tokens[i];
    if (text.empty()) refuse("has an empty token, number " + std::to_string(i));
    if (text.size() > longest_token) {
      refuse("has a token of " + std::to_string(text.size()) + " bytes, number " + std::to_string(i));
    }
    const int32_t number = data.types.empty() ? 1 : data.types[i];
    if (number < 1 || number > 6) {
      refuse("has a token of the unknown type " + std::to_string(number) + ", number " + std::to_string(i));
    }
    auto type = static_cast<TokenType>(number);
    if (is_unmistakable(text)) type = TokenType::control;
    if (type == TokenType::byte) {
      const auto byte = parse_byte_name(text);
      if (!byte) refuse("has a byte token that is called " + quoted(text));
      if (!bytes_[*byte]) bytes_[*byte] = static_cast<TokenId>(i);
      text = static_cast<char>(*byte);
    } else if (bytes_mapped_ && type == TokenType::normal) {
      text = unmap_bytes(text);
    } else if (marks_spaces_ && is_text(type)) {
      text = spaces_for_marks(text);
    }
    types_.push_back(type);
    pieces_.push_back(std::move(text));
  }

  // After pieces_ is complete: it moves no more.
  by_bytes_.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    const auto token = static_cast<TokenId>(i);
    longest_piece_ = std::max(longest_piece_, pieces_[i].size());
    if (is_text(types_[i])) by_bytes_.emplace(pieces_[i], token);
    if (has_name(types_[i])) by_name_.emplace(pieces_[i], token);
  }
}

void Vocabulary::read_special(const VocabularyData& data) {
  const auto read = [&](const std::optional<int64_t>& id, std::string_view what) -> std::optional<TokenId> {
    if (!id || *id == -1 || *id == 0xFFFFFFFF) return std::nullopt;
    if (*id < 0 || *id >= static_cast<int64_t>(size())) {
      refuse("says that its " + std::string(what) + " token is number " + std::to_string(*id) + " of " +
             std::to_string(size()));
    }
    return static_cast<TokenId>(*id);
  };
  bos_ = read(data.bos, "begin");
  eos_ = read(data.eos, "end");
  unknown_ = read(data.unknown, "unknown");
  pad_ = read(data.pad, "padding");

  is_end_.resize(size());
  for (const auto& id : {eos_, read(data.eot, "end-of-turn"), read(data.eom, "end-of-message")}) {
    if (id) is_end_[static_cast<size_t>(*id)] = true;
  }
  for (const char* end : end_names) {
    if (const auto id = find_special(end)) is_end_[static_cast<size_t>(*id)] = true;
  }
  // gpt-oss ends its messages with <|end|>, and its turns with the other two.
  const auto message_end = find_special("<|end|>");
  if (message_end && message_end != eos_ && find_special("<|return|>") && find_special("<|call|>")) {
    is_end_[static_cast<size_t>(*message_end)] = false;
  }
}

void Vocabulary::read_bytes() {
  for (size_t value = 0; value < 256; ++value) {
    const auto byte = static_cast<uint8_t>(value);
    const char text = static_cast<char>(byte);
    if (bytes_mapped_) bytes_[byte] = find({&text, 1});
    // A text may hold any byte. Byte-level BPE can write U+FFFD for one that its training never met.
    if (model_ == TokenizerModel::sentencepiece && !bytes_[byte] && !unknown_) {
      refuse("has neither a token for byte " + std::to_string(value) + " nor an unknown token");
    }
  }
}

TokenId Vocabulary::merge_part(std::string_view bytes, std::string_view merge) const {
  const auto token = find(bytes);
  if (!token) refuse("has the merge " + quoted(merge) + " of which " + quoted(bytes) + " is not a token");
  return *token;
}

void Vocabulary::read_merges(const std::vector<std::string>& merges) {
  if (merges.size() > most_tokens) refuse("claims " + std::to_string(merges.size()) + " merges");
  merges_.reserve(merges.size());
  for (const std::string& merge : merges) {
    // From 1: the left part may itself begin with a space in vocabularies that are not byte-mapped.
    const size_t space = merge.find(' ', 1);
    if (space == std::string::npos || space + 1 == merge.size()) {
      refuse("has the merge " + quoted(merge) + " where two tokens with a space between them belong");
    }
    const auto bytes = [this](std::string_view part) {
      return bytes_mapped_ ? unmap_bytes(part) : marks_spaces_ ? spaces_for_marks(part) : std::string(part);
    };
    const std::string left = bytes(std::string_view(merge).substr(0, space));
    const std::string right = bytes(std::string_view(merge).substr(space + 1));
    merges_.push_back({.left = merge_part(left, merge),
                       .right = merge_part(right, merge),
                       .result = merge_part(left + right, merge)});
  }
}

std::string_view Vocabulary::piece(TokenId token) const {
  return pieces_[checked(*this, token)];
}

TokenType Vocabulary::type(TokenId token) const {
  return types_[checked(*this, token)];
}

bool Vocabulary::is_end(TokenId token) const {
  return is_end_[checked(*this, token)];
}

std::optional<TokenId> Vocabulary::find(std::string_view bytes) const {
  const auto found = by_bytes_.find(bytes);
  return found == by_bytes_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<TokenId> Vocabulary::find_special(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace lanerope::text
