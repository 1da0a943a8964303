// SPDX-License-Identifier: Apache-2.0
#include "eval/record_file.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "lanerope/errors.h"

namespace lanerope::eval {

namespace {

using Json = nlohmann::ordered_json;

std::string settings_line(const std::string& arm, const RunSettings& settings) {
  Json json = {{"settings_of", arm}};
  for (const auto& [name, value] : settings) json[name] = value;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::pair<std::string, RunSettings>> parse_settings(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("settings_of")) return std::nullopt;
  std::pair<std::string, RunSettings> result;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) return std::nullopt;
    if (name == "settings_of") {
      result.first = value.get<std::string>();
    } else {
      result.second.emplace_back(name, value.get<std::string>());
    }
  }
  return result;
}

bool has_records(const RecordContents& contents, const std::string& arm) {
  return std::ranges::find(contents.records, arm, &EvalRecord::arm) != contents.records.end();
}

// An arm without records begins anew where its settings stand a second time, and what was timed under the
// first ones is not its own.
void begin_in(RecordContents& contents, const std::string& arm, const RunSettings& settings) {
  const auto known = std::ranges::find(contents.arms, arm, &decltype(contents.arms)::value_type::first);
  if (known == contents.arms.end()) {
    contents.arms.emplace_back(arm, settings);
  } else if (!has_records(contents, arm)) {
    known->second = settings;
    std::erase_if(contents.timings, [&](const ArmTiming& timing) { return timing.arm == arm; });
  }
}

std::string value_of(const RunSettings& settings, const std::string& name) {
  const auto found = std::ranges::find(settings, name, &RunSettings::value_type::first);
  return found == settings.end() || found->second.empty() ? "none" : found->second;
}

}  // namespace

RecordContents read_records(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw SystemError(path + " cannot be read; check the name and its permissions");
  RecordContents contents;
  int64_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    const bool cut_off = stream.eof();
    if (cut_off) break;
    contents.whole_lines += line.size() + 1;
    if (auto record = parse_record(line)) {
      contents.records.push_back(std::move(*record));
    } else if (auto timing = parse_timing(line)) {
      contents.timings.push_back(std::move(*timing));
    } else if (auto settings = parse_settings(line)) {
      begin_in(contents, settings->first, settings->second);
    } else {
      throw BadFile(path + ", line " + std::to_string(number) +
                    " is not of an evaluation; give another folder with --out");
    }
  }
  const bool holds_something = number > 0;
  if (holds_something && contents.whole_lines == 0) {
    const std::string begin = "{\"settings_of\"";
    stream.clear();
    stream.seekg(0);
    std::string text(begin.size(), '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(stream.gcount()));
    if (!begin.starts_with(text))
      throw BadFile(path + " is not of an evaluation; give another folder with --out");
  }
  return contents;
}

RecordFile::RecordFile(const std::string& path) : path_(path) {
  if (std::filesystem::exists(path_)) {
    contents_ = read_records(path_);
    std::error_code error;
    std::filesystem::resize_file(path_, contents_.whole_lines, error);
    if (error) throw SystemError(path_ + " cannot be written; check its permissions and the disk");
  }
  stream_.open(path_, std::ios::binary | std::ios::app);
  if (!stream_) throw SystemError(path_ + " cannot be written; check the folder and the disk");
}

void RecordFile::begin_arm(const std::string& arm, const RunSettings& settings) {
  const auto known = std::ranges::find(contents_.arms, arm, &decltype(contents_.arms)::value_type::first);
  if (!has_records(contents_, arm)) {
    if (known != contents_.arms.end() && known->second == settings) return;
    write_line(settings_line(arm, settings));
    begin_in(contents_, arm, settings);
    return;
  }
  if (known == contents_.arms.end()) {
    throw InvalidRequest(path_ + " does not say how its arm " + arm +
                         " was made, so it cannot be gone on with; give another folder with --out");
  }
  RunSettings both = settings;  // and what the arm of the file has alone
  for (const auto& [name, value] : known->second) {
    if (std::ranges::find(settings, name, &RunSettings::value_type::first) == settings.end())
      both.emplace_back(name, "");
  }
  for (const auto& [name, value] : both) {
    const std::string old = value_of(known->second, name);
    const std::string wanted = value.empty() ? "none" : value;
    if (old == wanted) continue;
    throw InvalidRequest(path_ + " holds the arm " + arm + " with " + name + " " + old +
                         ", and this run has " + wanted + "; give another folder with --out");
  }
}

void RecordFile::add(const EvalRecord& record) {
  write_line(to_line(record));
  contents_.records.push_back(record);
}

void RecordFile::add(const ArmTiming& timing) {
  write_line(to_line(timing));
  contents_.timings.push_back(timing);
}

ArmTiming RecordFile::timing_of(const std::string& arm) const {
  std::vector<ArmTiming> runs;
  std::ranges::copy_if(contents_.timings, std::back_inserter(runs),
                       [&](const ArmTiming& timing) { return timing.arm == arm; });
  return merged(runs);
}

void RecordFile::write_line(const std::string& line) {
  stream_ << line << "\n";
  stream_.flush();
  if (!stream_) throw SystemError(path_ + " cannot be written; check the disk");
}

std::string fingerprint(const std::string& file) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) throw SystemError(file + " cannot be read; check the name and its permissions");
  const auto size = static_cast<int64_t>(stream.tellg());
  constexpr int64_t parts = 64;
  constexpr int64_t part_bytes = 65536;
  uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
  std::vector<char> bytes(part_bytes);
  const auto read_part = [&](int64_t from) {
    stream.clear();
    stream.seekg(from);
    stream.read(bytes.data(), part_bytes);
    for (std::streamsize i = 0; i < stream.gcount(); ++i)
      hash = (hash ^ static_cast<unsigned char>(bytes[static_cast<size_t>(i)])) * 0x100000001b3U;
  };
  if (size <= parts * part_bytes) {
    for (int64_t from = 0; from < size; from += part_bytes) read_part(from);
  } else {
    for (int64_t part = 0; part < parts; ++part) read_part(part * (size - part_bytes) / (parts - 1));
  }
  char text[64];
  std::snprintf(text, sizeof text, "%016llx (%lld bytes)", static_cast<unsigned long long>(hash),
                static_cast<long long>(size));
  return text;
}

}  // namespace lanerope::eval
