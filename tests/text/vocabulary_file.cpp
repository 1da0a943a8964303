// SPDX-License-Identifier: Apache-2.0
#include "tests/text/vocabulary_file.h"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "text/utf8.h"

namespace lanerope::text {

namespace {

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

std::string vocabulary_path(const std::string& name) {
  return LANEROPE_SHARED_DATA "/vocab/" + name;
}

std::string as_text(const std::string& bytes) {
  Utf8Assembler assembler;
  std::string text = assembler.push(bytes);
  return text + assembler.flush();
}

// Reads values of a GGUF file that went through as_text.
class DamagedFile {
 public:
  explicit DamagedFile(std::string data) : data_(std::move(data)) {}

  bool has(const std::string& key) const { return data_.find(key_bytes(key)) != std::string::npos; }

  void seek(const std::string& key) {
    at_ = data_.find(key_bytes(key));
    if (at_ == std::string::npos) throw std::runtime_error("no key " + key);
    at_ += key_bytes(key).size() + 4;
  }

  // Nothing if a byte of it is lost.
  std::optional<uint64_t> integer(size_t bytes) {
    uint64_t value = 0;
    bool whole = true;
    for (size_t i = 0; i < bytes; ++i) {
      if (data_.compare(at_, 3, replacement_character) == 0) {
        whole = false;
        at_ += 3;
      } else {
        value |= uint64_t{static_cast<uint8_t>(data_.at(at_++))} << 8 * i;
      }
    }
    return whole ? std::optional(value) : std::nullopt;
  }

  std::string string() {
    const std::optional<uint64_t> size = integer(8);
    size_t end = at_;
    if (size) {
      end += *size;
    } else {
      // Up to the next length, which is shorter than 256 and so ends in seven zero bytes.
      const size_t zeros = data_.find(std::string(7, '\0'), at_);
      end = data_.compare(zeros - 3, 3, replacement_character) == 0 ? zeros - 3 : zeros - 1;
    }
    std::string text = data_.substr(at_, end - at_);
    at_ = end;
    return text;
  }

  std::vector<std::string> strings(const std::string& key) {
    std::vector<std::string> values(array(key));
    for (std::string& value : values) value = string();
    return values;
  }

  std::vector<int32_t> integers(const std::string& key) {
    std::vector<int32_t> values(array(key));
    for (int32_t& value : values) value = static_cast<int32_t>(integer(4).value());
    return values;
  }

  // The bytes of an array of numbers up to the next key.
  std::string bytes_until(const std::string& key, const std::string& next) {
    (void)array(key);
    return data_.substr(at_, data_.find(key_bytes(next)) - at_);
  }

 private:
  static std::string key_bytes(const std::string& key) {
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(key.size());
    return bytes + key;
  }

  // The number of elements, by counting the types of tokens where it is lost: gpt-2 has 50257 tokens and one
  // merge less for each of its 256 bytes and its one special token.
  size_t array(const std::string& key) {
    seek(key);
    (void)integer(4);
    if (const auto n = integer(8)) return *n;
    return key == "tokenizer.ggml.merges" ? 50000 : 50257;
  }

  std::string data_;
  size_t at_ = 0;
};

std::vector<float> piece_scores(const VocabularyData& data) {
  const std::string mark = "\xE2\x96\x81";
  std::vector<float> scores;
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    std::string rest = data.tokens[i];
    while (rest.starts_with(mark)) rest.erase(0, mark.size());
    if (data.types[i] == static_cast<int32_t>(TokenType::unknown)) {
      scores.push_back(-10000);
    } else if (i < 3 || i >= 32000) {
      scores.push_back(-1000);
    } else if (i < 259) {
      scores.push_back(0);
    } else if (rest.empty()) {
      scores.push_back(-1e9F);
    } else {
      scores.push_back(-static_cast<float>(i - 259));
    }
  }
  return scores;
}

}  // namespace

std::optional<VocabularyData> shared_vocabulary(const std::string& name) {
  auto content = read_file(vocabulary_path(name + ".gguf"));
  if (!content) return std::nullopt;
  DamagedFile file(std::move(*content));
  VocabularyData data;
  file.seek("tokenizer.ggml.model");
  data.model = file.string();
  file.seek("tokenizer.ggml.pre");
  data.pre = file.string();
  data.tokens = file.strings("tokenizer.ggml.tokens");
  data.types = file.integers("tokenizer.ggml.token_type");
  if (file.has("tokenizer.ggml.merges")) data.merges = file.strings("tokenizer.ggml.merges");
  if (file.has("tokenizer.ggml.scores")) {
    data.scores = piece_scores(data);
    std::string bytes(data.scores.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), data.scores.data(), bytes.size());
    const std::string found = file.bytes_until("tokenizer.ggml.scores", "tokenizer.ggml.token_type");
    if (found != bytes && found != as_text(bytes))
      throw std::runtime_error("scores of " + name + " follow another rule");
  }
  return data;
}

std::optional<VocabularyData> qwen2_vocabulary() {
  const auto content = read_file(LANEROPE_QWEN2_VOCABULARY "/tokenizer.json");
  if (!content) return std::nullopt;
  const auto json = nlohmann::json::parse(*content);
  VocabularyData data{.model = "gpt2", .pre = "qwen2"};
  const auto put = [&](size_t id, const std::string& text, TokenType type) {
    if (data.tokens.size() <= id) {
      data.tokens.resize(id + 1);
      data.types.resize(id + 1);
    }
    data.tokens[id] = text;
    data.types[id] = static_cast<int32_t>(type);
  };
  for (const auto& [text, id] : json["model"]["vocab"].items()) put(id, text, TokenType::normal);
  for (const auto& token : json["added_tokens"]) {
    put(token["id"], token["content"], token["special"] ? TokenType::control : TokenType::user_defined);
  }
  data.merges = json["model"]["merges"].get<std::vector<std::string>>();
  const auto config = read_file(LANEROPE_QWEN2_VOCABULARY "/tokenizer_config.json");
  if (config) data.chat_template = nlohmann::json::parse(*config).at("chat_template");
  return data;
}

std::optional<std::vector<Vector>> shared_vectors(const std::string& name) {
  const auto texts = read_file(vocabulary_path(name + ".gguf.inp"));
  std::ifstream numbers(vocabulary_path(name + ".gguf.out"));
  if (!texts || !numbers) return std::nullopt;
  constexpr std::string_view separator = "\n__ggml_vocab_test__\n";
  std::vector<Vector> vectors;
  size_t begin = 0;
  for (size_t end = texts->find(separator); end != std::string::npos; end = texts->find(separator, begin)) {
    Vector vector{.text = texts->substr(begin, end - begin), .tokens = {}};
    std::string line;
    if (!std::getline(numbers, line)) throw std::runtime_error("fewer answers than texts for " + name);
    std::istringstream ids(line);
    for (TokenId id = 0; ids >> id;) vector.tokens.push_back(id);
    vectors.push_back(std::move(vector));
    begin = end + separator.size();
  }
  if (begin != texts->size()) throw std::runtime_error("a text without an end in " + name);
  return vectors;
}

}  // namespace lanerope::text
