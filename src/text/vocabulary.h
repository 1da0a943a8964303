// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lanerope/token.h"
#include "text/pre_tokenizer.h"

namespace lanerope::text {

enum class TokenizerModel { bpe, sentencepiece };  // `tokenizer.ggml.model`: gpt2 and gemma4, llama

enum class TokenType { normal = 1, unknown, control, user_defined, unused, byte };

// Control, unknown and unused tokens are no text: decoding leaves them out unless asked for.
constexpr bool is_hidden(TokenType type) {
  return type == TokenType::control || type == TokenType::unknown || type == TokenType::unused;
}

// A vocabulary as the file has it, `tokenizer.ggml.*`; nothing is checked yet.
struct VocabularyData {
  std::string model = {};
  std::string pre = {};
  std::vector<std::string> tokens = {};
  std::vector<float> scores = {};   // one a token, or none
  std::vector<int32_t> types = {};  // one a token, or none
  std::vector<std::string> merges = {};
  // Special ids; -1 and 2^32 - 1 are how some files write "none".
  std::optional<int64_t> bos = {};
  std::optional<int64_t> eos = {};
  std::optional<int64_t> eot = {};
  std::optional<int64_t> eom = {};
  std::optional<int64_t> unknown = {};
  std::optional<int64_t> pad = {};
  std::optional<bool> add_bos = {};
  std::optional<bool> add_eos = {};
  std::optional<bool> add_space_prefix = {};
  std::string chat_template = {};       // `tokenizer.chat_template`
  std::string tool_chat_template = {};  // `tokenizer.chat_template.tool_use`
};

// SentencePiece writes a space as U+2581; `text` with real spaces.
std::string spaces_for_marks(std::string_view text);

// left + right may be joined to result.
struct Merge {
  TokenId left;
  TokenId right;
  TokenId result;
};

// A checked vocabulary. Immutable; all members may be called from any thread.
class Vocabulary {
 public:
  // Throws BadFile for anything that does not make a usable vocabulary.
  explicit Vocabulary(VocabularyData data);
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;

  TokenizerModel model() const { return model_; }
  PreTokenizerKind pre_tokenizer() const { return pre_; }  // of BPE
  // Tokens of BPE are bytes; else they are characters, and other bytes have tokens of their own.
  bool bytes_mapped() const { return bytes_mapped_; }
  bool marks_spaces() const { return marks_spaces_; }  // U+2581 stands for a space
  size_t size() const { return pieces_.size(); }
  bool contains(TokenId token) const { return token >= 0 && static_cast<size_t>(token) < size(); }

  // The bytes that a token stands for, maybe half a character; the name of a control token. Throws
  // InvalidRequest for an id outside the vocabulary, as type does.
  std::string_view piece(TokenId token) const;
  TokenType type(TokenId token) const;
  // The model ends its turn with this token: the end ids of the file, and tokens known by name.
  bool is_end(TokenId token) const;

  float score(TokenId token) const { return scores_[static_cast<size_t>(token)]; }  // SentencePiece
  std::span<const Merge> merges() const { return merges_; }                         // BPE, best first

  // The token of text (normal or user-defined) that stands for exactly these bytes.
  std::optional<TokenId> find(std::string_view bytes) const;
  // The control, unknown or user-defined token of this name.
  std::optional<TokenId> find_special(std::string_view name) const;
  // The byte token of SentencePiece, or the one-byte token of BPE.
  std::optional<TokenId> find_byte(uint8_t byte) const { return bytes_[byte]; }
  size_t longest_piece() const { return longest_piece_; }  // bytes

  std::optional<TokenId> bos() const { return bos_; }
  std::optional<TokenId> eos() const { return eos_; }
  std::optional<TokenId> unknown() const { return unknown_; }
  bool add_bos() const { return add_bos_; }
  bool add_eos() const { return add_eos_; }
  bool add_space_prefix() const { return add_space_prefix_; }
  std::optional<TokenId> pad() const { return pad_; }
  const std::string& chat_template() const { return chat_template_; }
  const std::string& tool_chat_template() const { return tool_chat_template_; }  // mostly empty

 private:
  void read_tokens(VocabularyData& data);
  void read_special(const VocabularyData& data);
  void read_bytes();
  void read_merges(const std::vector<std::string>& merges);
  TokenId merge_part(std::string_view bytes, std::string_view merge) const;

  TokenizerModel model_ = TokenizerModel::bpe;
  PreTokenizerKind pre_ = PreTokenizerKind::gpt_2;
  std::vector<std::string> pieces_;
  std::vector<TokenType> types_;
  std::vector<float> scores_;
  std::vector<bool> is_end_;
  std::vector<Merge> merges_;
  // Keys are views of pieces_, which is why a Vocabulary moves and is not copied.
  std::unordered_map<std::string_view, TokenId> by_bytes_;
  std::unordered_map<std::string_view, TokenId> by_name_;
  std::array<std::optional<TokenId>, 256> bytes_{};
  size_t longest_piece_ = 0;
  std::optional<TokenId> bos_, eos_, unknown_, pad_;
  bool bytes_mapped_ = false;
  bool marks_spaces_ = false;
  bool add_bos_ = false;
  bool add_eos_ = false;
  bool add_space_prefix_ = false;
  std::string chat_template_;
  std::string tool_chat_template_;
};

}  // namespace lanerope::text
