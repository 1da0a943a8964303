// SPDX-License-Identifier: Apache-2.0
#include "server/json_fields.h"

#include <cmath>

namespace lanerope::server {

namespace {

constexpr size_t deepest_nesting = 64;
constexpr size_t most_members = 8192;  // of one object; logit_bias has half of that
// An ordered object compares a new member with all that it has: of all objects together, what one takes that
// has the most.
constexpr size_t most_comparisons = most_members * most_members / 2;

// Looks at a body for Json::sax_parse(), before anything is made of it; refuses by exception.
class BodyBounds {
 public:
  bool null() { return true; }
  bool boolean(bool /*value*/) { return true; }
  bool number_integer(int64_t /*value*/) { return true; }
  bool number_unsigned(uint64_t /*value*/) { return true; }
  bool number_float(double /*value*/, const std::string& /*text*/) { return true; }
  bool string(std::string& /*text*/) { return true; }
  bool binary(Json::binary_t& /*bytes*/) { return true; }
  bool start_object(size_t /*size*/) { return enter(); }
  bool end_object() { return leave(); }
  bool start_array(size_t /*size*/) { return enter(); }
  bool end_array() { return leave(); }
  bool key(std::string& /*name*/) {
    comparisons_ += members_.back()++;
    if (members_.back() > most_members)
      throw ApiError(400, "an object of the JSON has more than " + std::to_string(most_members) + " fields");
    if (comparisons_ > most_comparisons)
      throw ApiError(400, "too many objects of the JSON have thousands of fields");
    return true;
  }
  // Json::parse() says it in its own words.
  bool parse_error(size_t /*at*/, const std::string& /*token*/, const Json::exception& /*error*/) {
    return false;
  }

 private:
  bool enter() {
    members_.push_back(0);
    if (members_.size() <= deepest_nesting) return true;
    throw ApiError(400, "the JSON is nested more than " + std::to_string(deepest_nesting) + " deep");
  }
  bool leave() {
    members_.pop_back();
    return true;
  }

  std::vector<size_t> members_;  // of the objects and arrays that are open
  size_t comparisons_ = 0;
};

const char* kind_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::boolean:
      return "a boolean";
    case Json::value_t::null:
      return "null";
    default:
      return "a number";
  }
}

std::optional<int64_t> whole(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  if (!(std::abs(number) < 9e15) || number != std::floor(number)) return std::nullopt;
  return static_cast<int64_t>(number);
}

std::string written(double number) {
  std::string text = std::to_string(number);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

Json parse_body(std::string_view body) {
  // A callback of Json::parse() could do both at once, but with one the parser goes through what an array has
  // whenever an object in it ends.
  BodyBounds bounds;
  Json json;
  try {
    Json::sax_parse(body, &bounds);
    json = Json::parse(body);
  } catch (const Json::exception& error) {
    const std::string what = error.what();
    const size_t at = what.find("at line ");
    const std::string where =
        at == std::string::npos ? std::string() : " " + what.substr(at, what.find(':', at) - at);
    throw ApiError(400, "the body is not JSON in UTF-8" + where);
  }
  if (!json.is_object())
    throw ApiError(400, std::string("the body must be a JSON object, not ") + kind_of(json));
  return json;
}

JsonFields::JsonFields(const Json& object, std::string path) : object_(&object), path_(std::move(path)) {
  if (!object.is_object()) throw ApiError(400, path_ + " must be an object, not " + kind_of(object), path_);
}

const Json* JsonFields::find(std::string_view key) const {
  const auto found = object_->find(key);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

std::string JsonFields::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void JsonFields::only(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, value] : object_->items()) {
    if (value.is_null() || std::ranges::find(known, key) != known.end()) continue;
    std::string list;
    for (const std::string_view one : known) list += (list.empty() ? "" : ", ") + std::string(one);
    refuse(key.substr(0, 40), "is no field that is known here; there are " + list);
  }
}

void JsonFields::refuse(std::string_view key, const std::string& why) const {
  throw ApiError(400, path_of(key) + " " + why, path_of(key));
}

std::optional<bool> JsonFields::flag(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) refuse(key, std::string("must be true or false, not ") + kind_of(*value));
  return value->get<bool>();
}

std::optional<std::string> JsonFields::text(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) refuse(key, std::string("must be a string, not ") + kind_of(*value));
  return value->get<std::string>();
}

std::optional<int64_t> JsonFields::integer(std::string_view key, IntegerRange range) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) refuse(key, std::string("must be a whole number, not ") + kind_of(*value));
  const std::optional<int64_t> number = whole(*value);
  if (!number || *number < range.least || *number > range.most) {
    refuse(key, "must be a whole number from " + std::to_string(range.least) + " to " +
                    std::to_string(range.most));
  }
  return number;
}

std::optional<double> JsonFields::number(std::string_view key, NumberRange range) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) refuse(key, std::string("must be a number, not ") + kind_of(*value));
  const auto number = value->get<double>();
  if (!(number >= range.least && number <= range.most)) {
    refuse(key, "must be a number from " + written(range.least) + " to " + written(range.most));
  }
  return number;
}

std::optional<JsonFields> JsonFields::object(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  return JsonFields(*value, path_of(key));
}

std::optional<std::vector<std::string>> JsonFields::texts(std::string_view key, bool one_too) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (one_too && value->is_string()) return std::vector<std::string>{value->get<std::string>()};
  if (!value->is_array()) refuse(key, std::string("must be an array of strings, not ") + kind_of(*value));
  std::vector<std::string> texts;
  for (const Json& entry : *value) {
    if (!entry.is_string()) refuse(key, std::string("must hold strings only, not ") + kind_of(entry));
    texts.push_back(entry.get<std::string>());
  }
  return texts;
}

std::optional<std::vector<int32_t>> JsonFields::tokens(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_array()) refuse(key, std::string("must be an array of token ids, not ") + kind_of(*value));
  std::vector<int32_t> tokens;
  tokens.reserve(value->size());
  for (const Json& entry : *value) {
    const std::optional<int64_t> id = entry.is_number() ? whole(entry) : std::nullopt;
    if (!id || *id < 0 || *id > INT32_MAX) refuse(key, "must hold token ids only");
    tokens.push_back(static_cast<int32_t>(*id));
  }
  return tokens;
}

}  // namespace lanerope::server
