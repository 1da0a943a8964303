// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/api_error.h"
#include "server/api_request.h"

namespace lanerope::server {

// What the server makes of a field that OpenAI, vLLM or llama.cpp has in the body of a request.
struct FieldRule {
  std::string_view name;
  // Bits of the endpoints that read it, 1 << ApiEndpoint; those of chat are for groups of messages too.
  uint8_t honoured = 0;
  // Elsewhere: a JSON array of the values that ask for nothing, which are accepted, as null is; "*" where any
  // value is safe to leave aside.
  std::string_view harmless = "[]";
  std::string_view instead = {};  // what to do, for the refusal; empty: leave it out
};
std::span<const FieldRule> field_rules();

// All names of a field that has several, whichever of them is given; none where there is one.
std::span<const std::string_view> synonyms_of(std::string_view field);

// Goes through the fields of a request. Throws ApiError (400), naming it, for a known one that asks for
// something that is not to be had here. Returns those that nobody knows, by their paths.
std::vector<std::string> check_fields(ApiEndpoint endpoint, const Json& body);

}  // namespace lanerope::server
