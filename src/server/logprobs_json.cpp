// SPDX-License-Identifier: Apache-2.0
#include "server/logprobs_json.h"

#include <algorithm>

namespace lanerope::server {

namespace {

float bounded(float logprob) {
  constexpr float least = -9999;
  return std::max(logprob, least);
}

Json bytes_of(const std::string& piece) {
  Json bytes = Json::array();
  for (const char c : piece) bytes.push_back(static_cast<unsigned char>(c));
  return bytes;
}

bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
}

size_t n_characters(const std::string& piece) {
  return static_cast<size_t>(std::ranges::count_if(piece, begins_character));
}

// nlohmann's writer is the judge: what it would have to mend is no text.
bool is_text(const std::string& piece) {
  try {
    static_cast<void>(Json(piece).dump());
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

std::string id_name(TokenId token) {
  return "token_id:" + std::to_string(token);
}

std::string token_name(const Model& model, TokenId token, bool as_id) {
  if (as_id) return id_name(token);
  const std::string piece = model.piece(token);
  if (is_text(piece)) return piece;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string name = "bytes:";
  for (const char c : piece) {
    const auto byte = static_cast<unsigned char>(c);
    name += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }
  return name;
}

Json chat_entry(const Model& model, TokenId token, float logprob) {
  const std::string piece = model.piece(token);
  return {{"token", piece}, {"logprob", bounded(logprob)}, {"bytes", bytes_of(piece)}};
}

// The token itself and the likeliest ones: up to one more than was asked for.
Json likeliest(const Model& model, const PromptToken& token, bool as_ids) {
  Json named = Json::object();
  const auto add = [&](TokenId id, float logprob) {
    std::string key = token_name(model, id, as_ids);
    if (named.contains(key)) key = id_name(id);
    named[key] = bounded(logprob);
  };
  for (const Alternative& other : token.top) add(other.token, other.logprob);
  const bool listed = std::ranges::find(token.top, token.token, &Alternative::token) != token.top.end();
  if (!listed) add(token.token, *token.logprob);
  return named;
}

}  // namespace

Json chat_logprobs(const Model& model, std::span<const PromptToken> tokens) {
  Json content = Json::array();
  for (const PromptToken& token : tokens) {
    Json entry = chat_entry(model, token.token, token.logprob.value_or(0));
    entry["top_logprobs"] = Json::array();
    for (const Alternative& other : token.top)
      entry["top_logprobs"].push_back(chat_entry(model, other.token, other.logprob));
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

Json text_logprobs(const Model& model, std::span<const PromptToken> tokens, const TextLogprobs& how) {
  Json arrays = {{"tokens", Json::array()},
                 {"token_logprobs", Json::array()},
                 {"top_logprobs", Json::array()},
                 {"text_offset", Json::array()}};
  size_t offset = how.offset;
  for (const PromptToken& token : tokens) {
    arrays["tokens"].push_back(token_name(model, token.token, how.as_ids));
    arrays["text_offset"].push_back(offset);
    offset += n_characters(model.piece(token.token));
    if (token.logprob) {
      arrays["token_logprobs"].push_back(bounded(*token.logprob));
      arrays["top_logprobs"].push_back(likeliest(model, token, how.as_ids));
    } else {
      arrays["token_logprobs"].push_back(nullptr);
      arrays["top_logprobs"].push_back(nullptr);
    }
  }
  return arrays;
}

size_t n_characters(const Model& model, std::span<const PromptToken> tokens) {
  size_t count = 0;
  for (const PromptToken& token : tokens) count += n_characters(model.piece(token.token));
  return count;
}

}  // namespace lanerope::server
