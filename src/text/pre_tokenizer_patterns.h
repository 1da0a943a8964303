// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "text/pre_tokenizer.h"

namespace lanerope::text {

// The regular expressions of a kind, each applied to the pieces of the one before, as models' own tokenizer
// files have them, with names for what they share: "«W»" stands for a pattern of expanded().
std::span<const std::string_view> pre_tokenizer_passes(PreTokenizerKind kind);

// A pass as PCRE2 takes it, in the mode for Unicode.
std::string expanded(std::string_view pass);

}  // namespace lanerope::text
