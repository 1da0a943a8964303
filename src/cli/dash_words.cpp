// SPDX-License-Identifier: Apache-2.0
#include "cli/dash_words.h"

#include <algorithm>
#include <array>

namespace lanerope::cli {

namespace {

constexpr std::array<DashWord, 11> words = {{
    {"-hf", "--hf-repo"},
    {"-hfr", "--hf-repo"},
    {"-hff", "--hf-file"},
    {"-hft", "--hf-token"},
    {"-mu", "--model-url"},
    {"-dev", "--device"},
    {"-ngl", "--gpu-layers"},
    {"-sm", "--split-mode"},
    {"-ts", "--tensor-split"},
    {"-mg", "--main-gpu"},
    {"-ot", "--override-tensor"},
}};

}  // namespace

std::span<const DashWord> dash_words() {
  return words;
}

std::vector<std::string> dash_words_of(std::string_view option) {
  std::vector<std::string> found;
  for (const DashWord& word : words) {
    if (word.option == option) found.emplace_back(word.word);
  }
  return found;
}

std::vector<std::string> without_dash_words(std::vector<std::string> arguments) {
  for (std::string& argument : arguments) {
    if (argument == "--") break;
    const auto found = std::ranges::find(words, argument, &DashWord::word);
    if (found != words.end()) argument = found->option;
  }
  return arguments;
}

}  // namespace lanerope::cli
