// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lanerope::answers {

// An answer in ASCII, with one spelling for what LaTeX and Unicode write in several: "\dfrac" is "\frac", "×"
// is
// "*", "（" is "(", "²" is "^{2}", every wrapper of upright text is "\text", a currency sign is "\usd " and
// its like. What only moves ink ("\left", "\,", "$" as a delimiter) is gone; runs of space are one space.
std::string spelled(std::string_view text);

// Without tags such as "<lane3>", "</answer>" and "<|im_end|>": nothing in them belongs to an answer.
std::string without_tags(std::string_view text);

}  // namespace lanerope::answers
