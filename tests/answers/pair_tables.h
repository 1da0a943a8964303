// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace lanerope::answers {

struct JudgedPair {
  bool equal;
  std::string a;
  std::string b;
};

// The pairs of one file in tests/answers/pairs: "=" or "!", and both answers, with tabs between.
inline std::vector<JudgedPair> pairs_in(const std::filesystem::path& file) {
  std::vector<JudgedPair> pairs;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find('\t');
    const size_t second = line.find('\t', first + 1);
    if (line.starts_with('#') || second == std::string::npos) continue;
    pairs.push_back({.equal = line.starts_with('='),
                     .a = line.substr(first + 1, second - first - 1),
                     .b = line.substr(second + 1)});
  }
  return pairs;
}

// The files, one a kind of answer.
inline std::vector<std::filesystem::path> pair_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(LANEROPE_ANSWER_PAIRS)) {
    if (entry.path().extension() == ".tsv") files.push_back(entry.path());
  }
  return files;
}

}  // namespace lanerope::answers
