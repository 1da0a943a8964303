// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/model.h"
#include "lanerope/model_info.h"
#include "lanerope/request_defaults.h"
#include "server/api_error.h"

namespace lanerope::server {

// Fields of a request that stand where a client sends none of that name, by the name of the model that the
// client asks for. Those under "" hold for every name.
using Presets = std::map<std::string, Json, std::less<>>;

// Reads {"NAME": {field: value, ...}, ...}. Throws InvalidRequest, or SystemError where the file cannot be
// read. Whether the fields make sense is seen by check_presets().
Presets read_presets(const std::string& file);

// Throws InvalidRequest with the preset's name where a request with its fields would be refused.
void check_presets(const Presets& presets);
// The same, of what only the model and the server's defaults can tell. Presets that every model refuses have
// been found before.
void check_presets(const Presets& presets, const Model& model, const RequestDefaults& defaults);

// A name under which clients find the model: the base's, one with a single adapter on, or a preset's.
struct ServedModel {
  std::string id = {};
  int32_t adapter = -1;  // -1: as they were loaded
};

// The file's name without its ending, without spaces.
std::string model_name_of(std::string_view file);

// `base`: the model's own name.
std::vector<ServedModel> served_models(const ModelInfo& info, const std::string& base,
                                       const Presets& presets);

// The body with what the presets say of fields that it leaves open. Lanes of a preset do not go into groups:
// who starts one says what it is.
Json with_presets(const Presets& presets, std::string_view model, Json body, bool group);

}  // namespace lanerope::server
