// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/names.h"
#include "server/api_error.h"

namespace lanerope::server {

// Parses the body of a request, which must be one JSON object in UTF-8 with little nesting and no more than
// thousands of fields. Throws ApiError (400).
Json parse_body(std::string_view body);

struct IntegerRange {
  int64_t least = 0;
  int64_t most = 0;
};
struct NumberRange {
  double least = 0;
  double most = 0;
};

// The fields of a JSON object, read with their types checked. A field that is absent or null reads as
// nothing; one of a wrong type or out of its range throws an ApiError (400) that names it by its full path.
class JsonFields {
 public:
  explicit JsonFields(const Json& object, std::string path = {});

  const Json& object() const { return *object_; }
  const Json* find(std::string_view key) const;
  std::string path_of(std::string_view key) const;

  std::optional<bool> flag(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  std::optional<int64_t> integer(std::string_view key, IntegerRange range) const;
  std::optional<double> number(std::string_view key, NumberRange range) const;
  std::optional<JsonFields> object(std::string_view key) const;
  // An array of strings; where `one_too`, a single string stands for an array of one.
  std::optional<std::vector<std::string>> texts(std::string_view key, bool one_too) const;
  std::optional<std::vector<int32_t>> tokens(std::string_view key) const;

  // One of the names of an enum, but for those of `without`.
  template <typename Enum>
  std::optional<Enum> choice(std::string_view key, std::initializer_list<Enum> without = {}) const {
    const std::optional<std::string> given = text(key);
    if (!given) return std::nullopt;
    std::string allowed;
    for (const Named<Enum>& named : names<Enum>()) {
      if (std::ranges::find(without, named.value) != without.end()) continue;
      if (named.name == *given) return named.value;
      allowed += (allowed.empty() ? "" : ", ") + std::string(named.name);
    }
    refuse(key, "must be one of " + allowed + ", not \"" + given->substr(0, 40) + "\"");
  }

  // Refuses fields of other names. For small requests, where a wrong name would change what is done.
  void only(std::initializer_list<std::string_view> known) const;
  [[noreturn]] void refuse(std::string_view key, const std::string& why) const;

 private:
  const Json* object_;
  std::string path_;
};

}  // namespace lanerope::server
