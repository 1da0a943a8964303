// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope {

class Policy;  // lanerope/policy.h
struct ResolvedRequest;

// What a setting of a policy is.
enum class SettingKind {
  whole,   // a whole number
  number,  // any number
  text,
};

// A setting of a built-in policy.
struct PolicySetting {
  std::string_view name;
  SettingKind kind = SettingKind::whole;
  std::string_view usual;  // the default, as text; empty for a number: it must be given
  double least = 0;        // of numbers
  double most = 0;         // the same
  std::string_view help;   // a line
};

// A built-in policy.
struct PolicyInfo {
  std::string_view name;
  std::string_view help;  // a line
  std::vector<PolicySetting> settings = {};
};

// The built-in policies: parsed, checked, printed, completed and documented from here.
std::span<const PolicyInfo> policies();

struct PolicyValue {
  std::string name = {};
  std::string value = {};
  bool operator==(const PolicyValue&) const = default;
};

// A policy that a request asks for: a built-in one by its name, or one of the caller's own.
struct PolicyChoice {
  std::string name = {};
  std::vector<PolicyValue> settings = {};  // those that are not as usual; resolve() adds the others
  // Not null: a policy of the caller's own, under a name that events have. Called once a group, on the
  // engine's thread.
  std::function<std::unique_ptr<Policy>(const ResolvedRequest&)> make = {};
};

// "NAME" or "NAME:key=value,key=value". A semicolon separates as a comma does; "\\," and "\\;" are those
// characters, "\\n" is a line feed and "\\\\" a backslash. Throws InvalidRequest for another form; names and
// values are checked by resolve().
PolicyChoice parse_policy(std::string_view text);
std::string to_text(const PolicyChoice& choice);

// A program of the caller's that decides for a group, run by /bin/sh once a group; docs/policies.md has what
// it reads and writes. Where it fails or is late the group goes on without it, and GroupResult::note says so.
struct PolicyCommand {
  std::string command = {};  // empty: none
  double timeout = 5;        // seconds that it may take for a step; the engine waits
};

}  // namespace lanerope
