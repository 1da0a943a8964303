// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lanerope/names.h"

namespace lanerope {

// What an answer is held to while it is written.
enum class FormatKind {
  any,             // nothing
  json,            // any JSON object
  json_schema,     // JSON that a schema allows
  grammar,         // a grammar in GBNF, llama.cpp's notation; its first rule is called root
  regex,           // all of the answer matches a regular expression
  choice,          // one of several texts
  structural_tag,  // xgrammar's structural tags: free text with parts that have a format
};
template <>
std::span<const Named<FormatKind>> names();

// The form that every lane of a request keeps to, token by token. An answer that its budget cuts off may be a
// beginning of such a text: its lane then has FinishReason::length.
struct AnswerFormat {
  FormatKind kind = FormatKind::any;
  std::string text = {};                  // the schema, grammar, expression or tags
  std::vector<std::string> choices = {};  // of `choice`
  // Structural tags of what may be written instead, such as calls of tools; empty: nothing.
  std::string otherwise = {};
};

}  // namespace lanerope
