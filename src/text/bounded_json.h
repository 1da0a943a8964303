// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace lanerope::text {

// Of JSON that a client or a model wrote inside of a text.
inline constexpr size_t deepest_nesting = 64;
inline constexpr size_t most_members = 1024;  // of one object

// Looks at a text for nlohmann::json::sax_parse(), before anything is made of it. To copy, compare or print
// a value takes a stack as deep as its nesting, and an ordered object looks at all of its members whenever it
// gets one more.
class JsonBounds {
 public:
  explicit JsonBounds(size_t most) : most_members_(most) {}

  bool null() { return true; }
  bool boolean(bool /*value*/) { return true; }
  bool number_integer(int64_t /*value*/) { return true; }
  bool number_unsigned(uint64_t /*value*/) { return true; }
  bool number_float(double /*value*/, const std::string& /*text*/) { return true; }
  bool string(std::string& /*text*/) { return true; }
  bool binary(nlohmann::json::binary_t& /*bytes*/) { return true; }
  bool start_object(size_t /*size*/) { return enter(); }
  bool end_object() { return leave(); }
  bool start_array(size_t /*size*/) { return enter(); }
  bool end_array() { return leave(); }
  bool key(std::string& /*name*/) { return ++members_.back() <= most_members_; }
  bool parse_error(size_t /*at*/, const std::string& /*token*/, const nlohmann::json::exception& /*error*/) {
    return false;
  }

 private:
  bool enter() {
    members_.push_back(0);
    return members_.size() <= deepest_nesting;
  }
  bool leave() {
    members_.pop_back();
    return true;
  }

  size_t most_members_;          // of one object
  std::vector<size_t> members_;  // of the objects and arrays that are open
};

// Whether a text is JSON, and not nested more than that. Objects that keep no order may have any number of
// members.
inline bool is_bounded_json(std::string_view text, size_t most = SIZE_MAX) {
  JsonBounds bounds(most);
  return nlohmann::json::sax_parse(text, &bounds);
}

// The text's value; discarded where it is no JSON, or more of it than these bounds allow.
template <typename Json>
Json parse_bounded(std::string_view text) {
  constexpr bool keeps_order = std::is_same_v<Json, nlohmann::ordered_json>;
  if (!is_bounded_json(text, keeps_order ? most_members : SIZE_MAX)) return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

}  // namespace lanerope::text
