// SPDX-License-Identifier: Apache-2.0
#include "hub/choose.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

constexpr std::string_view ending = ".gguf";

std::string in_capitals(std::string_view text) {
  std::string capitals(text);
  std::ranges::transform(capitals, capitals.begin(), [](unsigned char c) { return std::toupper(c); });
  return capitals;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int number_of(std::string_view digits) {
  int number = 0;
  for (const char c : digits) number = number * 10 + (c - '0');
  return number;
}

// Takes "-00002-of-00003" off the end.
void take_shard(GgufName& name) {
  constexpr std::string_view pattern = "-ddddd-of-ddddd";
  if (name.prefix.size() <= pattern.size()) return;
  const std::string_view tail = std::string_view(name.prefix).substr(name.prefix.size() - pattern.size());
  for (size_t i = 0; i < pattern.size(); ++i) {
    const bool fits = pattern[i] == 'd' ? is_digit(tail[i])
                                        : std::tolower(static_cast<unsigned char>(tail[i])) == pattern[i];
    if (!fits) return;
  }
  name.shard = number_of(tail.substr(1, 5));
  name.shards = number_of(tail.substr(10, 5));
  name.prefix.resize(name.prefix.size() - pattern.size());
}

std::string quant_of(std::string_view prefix) {
  size_t start = prefix.size();
  while (start > 0 &&
         (std::isalnum(static_cast<unsigned char>(prefix[start - 1])) != 0 || prefix[start - 1] == '_'))
    --start;
  if (start == 0 || start == prefix.size() || (prefix[start - 1] != '-' && prefix[start - 1] != '.'))
    return {};
  return in_capitals(prefix.substr(start));
}

// "QUANT-" or "QUANT." somewhere in the path, in any case.
bool holds_quant(std::string_view path, std::string_view quant) {
  const std::string text = in_capitals(path);
  const std::string wanted = in_capitals(quant);
  for (size_t at = 0; (at = text.find(wanted, at)) != std::string::npos; ++at) {
    const size_t behind = at + wanted.size();
    if (behind < text.size() && (text[behind] == '-' || text[behind] == '.')) return true;
  }
  return false;
}

bool begins_model(const RepoFile& file) {
  return is_model_name(file.path) && parse_gguf_name(file.path).shard == 1;
}

const RepoFile* find_model(const Snapshot& snapshot, const std::string& quant) {
  const auto found = std::ranges::find_if(snapshot.files, [&](const RepoFile& file) {
    return begins_model(file) && holds_quant(file.path, quant);
  });
  return found == snapshot.files.end() ? nullptr : &*found;
}

std::string list_files(const Snapshot& snapshot) {
  constexpr int most = 40;
  std::string text;
  int count = 0;
  for (const RepoFile& file : snapshot.files) {
    const GgufName name = parse_gguf_name(file.path);
    if (name.shards == 0 || name.shard != 1 || ++count > most) continue;
    text += (text.empty() ? "" : ", ") + file.path;
  }
  if (count > most) text += ", and " + std::to_string(count - most) + " more";
  return text;
}

[[noreturn]] void refuse(const Snapshot& snapshot, const std::string& what) {
  const std::string files = list_files(snapshot);
  if (files.empty())
    throw InvalidRequest(snapshot.repo +
                         " holds no GGUF file; look for a repository of the same model in GGUF");
  throw InvalidRequest(snapshot.repo + " " + what + "; it holds " + files);
}

const RepoFile& find_path(const Snapshot& snapshot, const std::string& path) {
  const auto found = std::ranges::find(snapshot.files, path, &RepoFile::path);
  if (found == snapshot.files.end()) refuse(snapshot, "has no file " + path);
  return *found;
}

const RepoFile& choose_first(const Snapshot& snapshot, const Wanted& wanted) {
  if (!wanted.file.empty()) return find_path(snapshot, wanted.file);
  if (!wanted.quant.empty()) {
    if (const RepoFile* file = find_model(snapshot, wanted.quant)) return *file;
    refuse(snapshot, "has no " + wanted.quant);
  }
  for (const char* quant : {"Q4_K_M", "Q8_0"}) {
    if (const RepoFile* file = find_model(snapshot, quant)) return *file;
  }
  const auto found = std::ranges::find_if(snapshot.files, begins_model);
  if (found == snapshot.files.end()) refuse(snapshot, "holds no model");
  return *found;
}

}  // namespace

GgufName parse_gguf_name(std::string_view path) {
  if (!path.ends_with(ending)) return {.shards = 0};
  GgufName name{.prefix = std::string(path.substr(0, path.size() - ending.size()))};
  take_shard(name);
  name.quant = quant_of(name.prefix);
  return name;
}

std::string shard_name(const GgufName& name, int number) {
  std::array<char, 32> numbers;
  std::snprintf(numbers.data(), numbers.size(), "-%05d-of-%05d", number, name.shards);
  return name.prefix + numbers.data() + std::string(ending);
}

bool is_model_name(std::string_view path) {
  constexpr std::array<std::string_view, 6> others = {"mmproj",  "imatrix", "mtp-",
                                                      "eagle3-", "dflash-", "dspark-"};
  const std::string_view file = path.substr(path.rfind('/') + 1);
  return file.ends_with(ending) && std::ranges::none_of(others, [&](std::string_view other) {
           return file.find(other) != std::string_view::npos;
         });
}

std::vector<RepoFile> choose_model(const Snapshot& snapshot, const Wanted& wanted) {
  const RepoFile& first = choose_first(snapshot, wanted);
  const GgufName name = parse_gguf_name(first.path);
  if (name.shards <= 1) return {first};
  std::vector<RepoFile> shards;
  for (int number = 1; number <= name.shards; ++number) {
    const std::string path = shard_name(name, number);
    const auto found = std::ranges::find(snapshot.files, path, &RepoFile::path);
    if (found == snapshot.files.end())
      throw BadFile(snapshot.repo + " lacks " + path + ", one of " + std::to_string(name.shards) +
                    " shards; choose another quantisation");
    shards.push_back(*found);
  }
  return shards;
}

RepoFile choose_adapter(const Snapshot& snapshot, const Wanted& wanted) {
  if (!wanted.file.empty()) return find_path(snapshot, wanted.file);
  std::vector<const RepoFile*> candidates;
  for (const RepoFile& file : snapshot.files) {
    const bool fits = parse_gguf_name(file.path).shards != 0 &&
                      (wanted.quant.empty() || holds_quant(file.path, wanted.quant));
    if (fits) candidates.push_back(&file);
  }
  if (candidates.size() == 1) return *candidates.front();
  if (candidates.empty())
    refuse(snapshot, wanted.quant.empty() ? "holds no adapter" : "has no " + wanted.quant);
  refuse(snapshot, "has several; say which, as in hf:" + snapshot.repo + ":" + candidates.front()->path);
}

}  // namespace lanerope::hub
