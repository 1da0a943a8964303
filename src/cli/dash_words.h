// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::cli {

// llama.cpp has names of several letters behind one dash, which CLI11 does not read: -hf is --hf-repo.
struct DashWord {
  std::string_view word;    // "-hf"
  std::string_view option;  // "--hf-repo"
};

std::span<const DashWord> dash_words();

// The dash words of an option "--hf-repo", in the order of the table.
std::vector<std::string> dash_words_of(std::string_view option);

// Arguments of a command line with those words written out, up to a lone "--".
std::vector<std::string> without_dash_words(std::vector<std::string> arguments);

}  // namespace lanerope::cli
