// SPDX-License-Identifier: Apache-2.0
#include "grammar/compiler.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "grammar/compiled_parts.h"
#include "grammar/gbnf.h"
#include "grammar/messages.h"
#include "grammar/schema_check.h"
#include "lanerope/errors.h"

namespace lanerope::grammar {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t longest_text = size_t{128} << 10;
// In a row: enough to indent a deep object, and an end for models that would write nothing else.
constexpr int most_white_space = 24;
constexpr int deepest_nesting = 64;
constexpr int64_t most_cache_bytes = int64_t{256} << 20;
constexpr unsigned most_threads = 4;

// With `names`, control tokens are their names, as the marks of tools and of thinking need it.
xgrammar::TokenizerInfo tokenizer_info(const text::Vocabulary& vocabulary, int32_t n_vocab, bool names) {
  std::vector<std::string> pieces;
  std::vector<int32_t> ends;
  for (TokenId token = 0; vocabulary.contains(token); ++token) {
    const text::TokenType type = vocabulary.type(token);
    const bool shown = !text::is_hidden(type) || (names && type == text::TokenType::control);
    const bool end = vocabulary.is_end(token);
    if (end) ends.push_back(token);
    pieces.emplace_back(shown && !end ? vocabulary.piece(token) : std::string_view());
  }
  return {pieces, xgrammar::VocabType::RAW, n_vocab, ends};
}

std::string_view kind_text(FormatKind kind) {
  switch (kind) {
    case FormatKind::json_schema:
      return "JSON schema";
    case FormatKind::regex:
      return "regular expression";
    case FormatKind::structural_tag:
      return "structural tag";
    default:
      return "grammar";
  }
}

// xgrammar's sentence, without what it says of its own insides.
std::string reason(std::string text) {
  constexpr std::string_view check = " is false: ";
  if (const size_t at = text.find(check); at != std::string::npos) text.erase(0, at + check.size());
  text = text.substr(0, text.find('\n'));
  while (!text.empty() && (text.back() == ' ' || text.back() == '.')) text.pop_back();
  return text.substr(0, 300);
}

Json parsed(std::string_view text, FormatKind kind) {
  const auto watch_depth = [kind](int depth, Json::parse_event_t, Json&) {
    if (depth <= deepest_nesting) return true;
    throw InvalidRequest("the " + std::string(kind_text(kind)) + " is nested more than " +
                         std::to_string(deepest_nesting) + " deep");
  };
  Json json = Json::parse(text, watch_depth, false);
  if (json.is_discarded()) throw InvalidRequest("the " + std::string(kind_text(kind)) + " is not JSON");
  return json;
}

Json one_of(const std::vector<std::string>& choices) {
  if (choices.empty()) throw InvalidRequest("there is no choice to answer with; give at least one");
  Json all = Json::array();
  for (const std::string& choice : choices) {
    if (choice.empty()) throw InvalidRequest("a choice is empty, and an answer cannot be nothing");
    all.push_back({{"type", "const_string"}, {"value", choice}});
  }
  return all.size() == 1 ? all[0] : Json{{"type", "or"}, {"elements", std::move(all)}};
}

// Schemas inside of tags are checked as those that stand alone.
void check_tags(const Json& tags) {
  if (!tags.is_structured()) return;
  for (const auto& [key, value] : tags.items()) {
    if (key == "json_schema") {
      check_schema(value);
    } else {
      check_tags(value);
    }
  }
}

Json json_tag(Json schema) {
  return {
      {"type", "json_schema"}, {"json_schema", std::move(schema)}, {"max_whitespace_cnt", most_white_space}};
}

// As a format of xgrammar's structural tags.
Json as_tag(const AnswerFormat& format) {
  switch (format.kind) {
    case FormatKind::any:
      return {{"type", "any_text"}};
    case FormatKind::json:
      return json_tag({{"type", "object"}, {"additionalProperties", true}});
    case FormatKind::json_schema: {
      Json schema = parsed(format.text, format.kind);
      check_schema(schema);
      return json_tag(std::move(schema));
    }
    case FormatKind::grammar:
      return {{"type", "grammar"}, {"grammar", from_gbnf(format.text)}};
    case FormatKind::regex:
      return {{"type", "regex"}, {"pattern", format.text}};
    case FormatKind::choice:
      return one_of(format.choices);
    case FormatKind::structural_tag: {
      Json tag = parsed(format.text, format.kind);
      check_tags(tag);
      return tag.is_object() && tag.contains("format") ? tag["format"] : tag;
    }
  }
  return {};
}

// The thinking first, where there is any, then the format. White space may stand between them.
Json behind_thinking(Json format, const ThinkingRules& rules) {
  Json content = {{"type", "any_text"}};
  if (rules.most_tokens >= 0) content["max_tokens"] = rules.most_tokens;
  Json thought = {{"type", "tag"},
                  {"begin", rules.opened ? "" : rules.begin},
                  {"content", std::move(content)},
                  {"end", rules.end}};
  if (format["type"] == "any_text") {
    format["excludes"] = Json::array({rules.begin});
    if (!rules.opened) {
      // Its first mark may come behind white space, and not at all.
      Json space = {{"type", "regex"}, {"pattern", "[ \\n]{0,4}"}};
      thought = {{"type", "optional"},
                 {"content", {{"type", "sequence"}, {"elements", {std::move(space), std::move(thought)}}}}};
    }
    return {{"type", "sequence"}, {"elements", {std::move(thought), std::move(format)}}};
  }
  Json space = {{"type", "regex"}, {"pattern", "[ \\n]{0,4}"}};
  if (!rules.message.empty()) space = {{"type", "const_string"}, {"value", rules.message}};
  Json both = {{"type", "sequence"}, {"elements", {std::move(thought), std::move(space)}}};
  if (!rules.opened) both = {{"type", "optional"}, {"content", std::move(both)}};
  return {{"type", "sequence"}, {"elements", {std::move(both), std::move(format)}}};
}

}  // namespace

// One for each reading of control tokens, made when it is first wanted: they sort the vocabulary.
struct Compiler::Engines {
  Engines(const text::Vocabulary& of, int32_t rows) : vocabulary(of), n_vocab(rows) {}

  // It may be called from any thread.
  xgrammar::GrammarCompiler& compiler(bool names) {
    One& one = names ? named : plain;
    std::call_once(one.made, [&] {
      const auto threads = std::clamp(std::thread::hardware_concurrency(), 1U, most_threads);
      one.compiler.emplace(tokenizer_info(vocabulary, n_vocab, names), static_cast<int>(threads), true,
                           most_cache_bytes);
    });
    return *one.compiler;
  }

  struct One {
    std::once_flag made = {};
    std::optional<xgrammar::GrammarCompiler> compiler = {};
  };
  const text::Vocabulary& vocabulary;
  int32_t n_vocab;
  One plain = {};
  One named = {};
};

CompiledFormat::CompiledFormat(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
CompiledFormat::~CompiledFormat() = default;

Compiler::Compiler(std::shared_ptr<const text::Vocabulary> vocabulary, int32_t n_vocab)
    : vocabulary_(std::move(vocabulary)), n_vocab_(n_vocab) {}
Compiler::~Compiler() = default;

Compiler::Engines& Compiler::engines() const {
  std::call_once(made_, [this] { engines_ = std::make_unique<Engines>(*vocabulary_, n_vocab_); });
  return *engines_;
}

std::shared_ptr<const CompiledFormat> Compiler::compile(const AnswerFormat& format,
                                                        const ThinkingRules& thinking) const {
  const bool thinks = !thinking.end.empty();
  if (format.kind == FormatKind::any && (!thinks || thinking.most_tokens < 0)) return nullptr;
  size_t length = format.text.size() + format.otherwise.size();
  for (const std::string& choice : format.choices) length += choice.size();
  if (length > longest_text) {
    throw InvalidRequest("the answer's format has " + std::to_string(length) + " bytes, and " +
                         std::to_string(longest_text) + " are the most");
  }
  Json tag = as_tag(format);
  const bool speaks = format.kind != FormatKind::any && format.kind != FormatKind::structural_tag;
  if (speaks && !thinking.answer.empty()) {
    tag = {{"type", "sequence"},
           {"elements", {Json{{"type", "const_string"}, {"value", thinking.answer}}, std::move(tag)}}};
  }
  if (!format.otherwise.empty()) {
    const Json other = as_tag({.kind = FormatKind::structural_tag, .text = format.otherwise});
    tag = {{"type", "or"}, {"elements", {other, std::move(tag)}}};
  }
  const bool named = thinks || format.kind == FormatKind::structural_tag || !format.otherwise.empty();
  if (thinks) tag = behind_thinking(std::move(tag), thinking);
  const MessageCollector said;
  try {
    xgrammar::CompiledGrammar compiled = engines().compiler(named).CompileStructuralTag(
        Json{{"type", "structural_tag"}, {"format", std::move(tag)}}.dump());
    if (!said.first().empty()) throw std::runtime_error(said.first());
    return std::make_shared<const CompiledFormat>(std::make_unique<const CompiledFormat::Parts>(
        CompiledFormat::Parts{.grammar = std::move(compiled), .n_vocab = n_vocab_}));
  } catch (const std::exception& error) {
    throw InvalidRequest("the " + std::string(kind_text(format.kind)) +
                         " cannot be used: " + reason(error.what()));
  }
}

}  // namespace lanerope::grammar
