// SPDX-License-Identifier: Apache-2.0
#include "eval/question_reader.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <span>
#include <string_view>
#include <vector>

#include "answers/elements.h"
#include "answers/extract.h"
#include "lanerope/errors.h"

namespace lanerope::eval {

namespace {

using Json = nlohmann::json;

// In the order in which they are looked for, without regard to capitals.
constexpr std::array<std::string_view, 9> question_keys = {
    "question", "problem", "prompt", "squestion", "query", "input", "text", "instruction", "turns"};
constexpr std::array<std::string_view, 16> answer_keys = {
    "final_answer",    "answer",         "answerkey",  "gold",
    "expected_answer", "correct_answer", "lsolutions", "correct",
    "target",          "label",          "output",     "ground_truth",
    "solution",        "rationale",      "response",   "canonical_solution"};
// What is read before the question.
constexpr std::array<std::string_view, 3> passage_keys = {"body", "passage", "context"};
constexpr std::array<std::string_view, 2> choice_keys = {"choices", "options"};
constexpr std::string_view letters = "ABCDEFGHIJ";

std::string folded(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool says_something(const Json& value) {
  if (value.is_string())
    return value.get_ref<const std::string&>().find_first_not_of(" \t\r\n") != std::string::npos;
  return !value.is_null() && !(value.is_array() && value.empty());
}

// The first of the names that the row has something under.
const Json* field_of(const Json& fields, std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    for (const auto& [key, value] : fields.items()) {
      if (folded(key) == name && says_something(value)) return &value;
    }
  }
  return nullptr;
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  constexpr double most_exact = 9e15;  // of the whole numbers that a double holds all of
  if (value.is_number_float() && std::abs(value.get<double>()) < most_exact &&
      std::trunc(value.get<double>()) == value.get<double>())
    return std::to_string(static_cast<int64_t>(value.get<double>()));
  if (!value.is_array()) return value.dump();
  std::string list;
  for (const Json& item : value) list += (list.empty() ? "" : ", ") + text_of(item);
  return list;
}

// Choices with what the row calls them.
struct Choices {
  std::vector<std::string> texts = {};
  std::vector<std::string> labels = {};
};

// "(A) 21", "A) 21" and "A. 21" as "21", where it is labelled as its place says.
std::string without_label(const std::string& text, size_t index) {
  size_t at = text.starts_with('(') ? 1 : 0;
  if (at >= text.size() || text[at] != letters[index]) return text;
  ++at;
  if (at >= text.size() || (text[at] != ')' && text[at] != '.' && text[at] != ':')) return text;
  const size_t begin = text.find_first_not_of(' ', at + 1);
  return begin == std::string::npos ? text : text.substr(begin);
}

Choices choices_of(const Json& fields) {
  Choices choices;
  const auto add = [&](const std::string& label, const Json& text) {
    if (choices.texts.size() == letters.size()) return;
    choices.texts.push_back(without_label(text_of(text), choices.texts.size()));
    choices.labels.push_back(label);
  };
  const Json* listed = field_of(fields, choice_keys);
  if (listed != nullptr && listed->is_array()) {
    for (const Json& item : *listed) {
      const bool named = item.is_object() && item.contains("text");
      const std::string letter(1, letters[std::min(choices.texts.size(), letters.size() - 1)]);
      add(named && item.contains("label") ? text_of(item["label"]) : letter, named ? item["text"] : item);
    }
  } else if (listed != nullptr && listed->is_object() && listed->contains("text") &&
             (*listed)["text"].is_array()) {
    const Json& texts = (*listed)["text"];
    const Json labels = listed->value("label", Json::array());
    for (size_t i = 0; i < texts.size(); ++i) add(i < labels.size() ? text_of(labels[i]) : "", texts[i]);
  } else if (listed != nullptr && listed->is_object()) {
    for (const auto& [label, text] : listed->items()) add(label, text);
  } else {
    for (const char letter : letters) {
      const std::string name(1, letter);
      if (!fields.contains(name) || !says_something(fields[name])) break;
      add(name, fields[name]);
    }
  }
  if (choices.texts.size() < 2) return {};
  return choices;
}

// The place of the right choice: by label, by letter, by number from 0, or by its text.
std::optional<size_t> right_choice(const Choices& choices, const Json& answer) {
  const size_t count = choices.texts.size();
  if (answer.is_number_integer()) {
    const auto index = answer.get<int64_t>();
    return index >= 0 && index < static_cast<int64_t>(count) ? std::optional(static_cast<size_t>(index))
                                                             : std::nullopt;
  }
  const std::string said = text_of(answer);
  if (const auto found = std::ranges::find(choices.labels, said); found != choices.labels.end())
    return static_cast<size_t>(found - choices.labels.begin());
  if (const auto found = std::ranges::find(choices.texts, said); found != choices.texts.end())
    return static_cast<size_t>(found - choices.texts.begin());
  if (said.size() == 1 && letters.find(said[0]) < count) return letters.find(said[0]);
  if (said.size() == 1 && said[0] >= '0' && static_cast<size_t>(said[0] - '0') < count) return said[0] - '0';
  return std::nullopt;
}

// Several where the answer is a list, or letters alone: "AC", "A, C".
std::vector<size_t> right_choices(const Choices& choices, const Json& answer) {
  std::vector<size_t> right;
  const auto add = [&](const Json& one) {
    if (const std::optional<size_t> place = right_choice(choices, one)) right.push_back(*place);
  };
  add(answer);
  if (!right.empty()) return right;
  if (answer.is_array()) {
    for (const Json& one : answer) add(one);
    return right;
  }
  for (const char c : text_of(answer)) {
    if (c == ',' || c == ' ') continue;
    const size_t place = letters.find(c);
    if (place >= choices.texts.size()) return {};
    right.push_back(place);
  }
  return right;
}

std::string key_list(const Json& fields) {
  std::vector<std::string> names;
  for (const auto& [key, value] : fields.items()) names.push_back("\"" + key + "\"");
  std::string list;
  for (size_t i = 0; i < names.size(); ++i)
    list += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return list.empty() ? "no keys" : (names.size() == 1 ? "the key " : "the keys ") + list;
}

const Json& field_named(const Row& row, const std::string& key) {
  const auto found = row.fields.find(key);
  if (found != row.fields.end() && says_something(*found)) return *found;
  throw BadFile(
      row.where +
      (found == row.fields.end() ? " has no \"" + key + "\"" : " has nothing under \"" + key + "\"") +
      "; it has " + key_list(row.fields));
}

const Json& found_field(const Row& row, const std::string& key, std::span<const std::string_view> known,
                        const char* what) {
  if (!key.empty()) return field_named(row, key);
  if (const Json* found = field_of(row.fields, known)) return *found;
  throw BadFile(row.where + " has " + key_list(row.fields) + ", of which none is known to be the " + what +
                "; name it with --" + what + "-key");
}

std::string question_text(const Row& row, const QuestionKeys& keys) {
  const Json& question = found_field(row, keys.question, question_keys, "question");
  std::string text = question.is_array() && !question.empty() ? text_of(question[0]) : text_of(question);
  if (!keys.question.empty()) return text;
  const Json* passage = field_of(row.fields, passage_keys);
  if (passage == nullptr || !passage->is_string()) return text;
  return passage->get<std::string>() + "\n" + text;
}

// "9 (apples)", as ASDiv has it, is 9.
std::string without_remark(const Json& fields, const std::string& answer) {
  const bool of_asdiv = fields.contains("body") && fields.contains("formula");
  return of_asdiv ? answer.substr(0, answer.find(" (")) : answer;
}

// An answer that is a whole solution counts for what it marks.
std::string answer_alone(const std::string& answer) {
  const bool marked = answer.find("####") != std::string::npos ||
                      answer.find("\\boxed") != std::string::npos ||
                      answer.find("\\fbox") != std::string::npos;
  return marked ? answers::extract_answer(answer).value_or(answer) : answer;
}

void add_choices(AskedRow& asked, const Row& row, const Choices& choices, const Json& answer) {
  for (size_t i = 0; i < choices.texts.size(); ++i)
    asked.text += std::string("\n(") + letters[i] + ") " + choices.texts[i];
  std::vector<size_t> right = right_choices(choices, answer);
  if (right.empty()) {
    throw BadFile(row.where + " has the answer \"" + text_of(answer) + "\", which is none of its " +
                  std::to_string(choices.texts.size()) + " choices");
  }
  std::ranges::sort(right);
  std::string marked;
  for (const size_t place : right)
    marked += (marked.empty() ? "(" : ", (") + std::string(1, letters[place]) + ")";
  asked.solution = "The answer is " + marked + ".";
  asked.truth = marked;
  constexpr size_t longest = 200;  // a choice that is longer is known by its letter alone
  const std::string& text = choices.texts[right[0]];
  if (right.size() == 1 && text.size() <= longest) asked.truth += " " + text;
  asked.kind = AnswerKind::choice;
}

// What a question made of several asks for: "parts", which "answer" must list.
std::vector<std::string> parts_of(const Row& row, const std::string& truth) {
  std::vector<std::string> parts;
  const auto found = row.fields.find("parts");
  if (found == row.fields.end() || !found->is_array() || found->size() < 2) return parts;
  for (const Json& part : *found) {
    if (!part.is_string() && !part.is_number()) return {};
    parts.push_back(answers::normalise_answer(text_of(part)));
  }
  const std::vector<std::string> listed = answers::list_elements(truth, parts.size());
  if (listed != parts)
    throw BadFile(row.where + " has \"parts\" that its answer \"" + truth +
                  "\" does not list in their order");
  return parts;
}

}  // namespace

AskedRow read_row(const Row& row, const QuestionKeys& keys, std::optional<AnswerKind> kind) {
  AskedRow asked{.text = question_text(row, keys), .kind = kind.value_or(AnswerKind::any)};
  if (kind == AnswerKind::code) {
    // Code is judged by running it, so there may be no answer to compare it with.
    const Json* answer =
        keys.answer.empty() ? field_of(row.fields, answer_keys) : &field_named(row, keys.answer);
    if (answer != nullptr) asked.truth = asked.solution = text_of(*answer);
    return asked;
  }
  const Json& answer = found_field(row, keys.answer, answer_keys, "answer");
  const Choices choices = choices_of(row.fields);
  if (!choices.texts.empty() && (!kind || kind == AnswerKind::choice)) {
    add_choices(asked, row, choices, answer);
    return asked;
  }
  if (answer.is_boolean() && !kind) asked.kind = AnswerKind::yes_no;
  asked.truth = answer_alone(without_remark(row.fields, text_of(answer)));
  const Json* solution = field_of(row.fields, std::array<std::string_view, 2>{"solution", "rationale"});
  asked.solution = text_of(solution != nullptr ? *solution : answer);
  asked.parts = parts_of(row, asked.truth);
  return asked;
}

}  // namespace lanerope::eval
