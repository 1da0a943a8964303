// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "answers/kinds.h"

namespace lanerope::eval {

// How a well-known set is usually asked: what answers are, and the wording, in which {question} stands for
// the question (with its choices).
struct Preset {
  std::string_view name;
  answers::AnswerKind kind;
  std::string_view wording;
  // In its place where examples with answers of the set come first; empty: the same.
  std::string_view with_examples = {};
};

std::span<const Preset> presets();
const Preset* find_preset(std::string_view name);  // null where there is none

// `wording` with the question in place of {question}. Throws InvalidRequest where it has no {question}.
std::string worded(std::string_view wording, const std::string& question);

}  // namespace lanerope::eval
