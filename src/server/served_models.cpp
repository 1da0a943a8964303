// SPDX-License-Identifier: Apache-2.0
#include "server/served_models.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "lanerope/errors.h"
#include "server/api_request.h"
#include "server/field_rules.h"
#include "server/to_request.h"

namespace lanerope::server {

namespace {

constexpr std::string_view endings[] = {".gguf", ".lora"};

// Whether the client says it, under whichever of its names.
bool says(const Json& body, std::string_view field) {
  const auto is_there = [&body](std::string_view name) {
    const auto given = body.find(name);
    return given != body.end() && !given->is_null();
  };
  return is_there(field) || std::ranges::any_of(synonyms_of(field), is_there);
}

void fill(Json& body, const Json& preset, bool group) {
  std::vector<std::string> open;  // of two names of one field both, so that they are found to disagree
  for (const auto& [name, value] : preset.items()) {
    const bool of_replies = name == "lanes" || name == "stream" || name == "stream_options";
    if (!(group && of_replies) && !says(body, name)) open.push_back(name);
  }
  for (const std::string& name : open) body[name] = preset[name];
}

InvalidRequest no_preset(const std::string& name, const std::string& file) {
  return InvalidRequest("the preset \"" + name + "\" in " + file + " must have a name and be an object");
}

[[noreturn]] void refuse(const std::string& name, const std::string& complaint) {
  const std::string whose = name.empty() ? "the lanes of this server" : "the preset \"" + name + "\"";
  throw InvalidRequest(whose + ": " + complaint);
}

// What a client asks for that says nothing but its prompt.
ApiRequest shortest_request(const Presets& presets, const std::string& name, ApiEndpoint endpoint) {
  Json body = {{"prompt", "x"}};
  if (endpoint == ApiEndpoint::chat)
    body = {{"messages", Json::array({{{"role", "user"}, {"content", "x"}}})}};
  ApiRequest api = parse_api_json(endpoint, with_presets(presets, name, std::move(body), false));
  api.lanes.present = false;  // a preset says what there is of them, and not the client
  return api;
}

}  // namespace

Presets read_presets(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream) throw SystemError("the presets in " + file + " cannot be read");
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    throw InvalidRequest(file + " is not a JSON object from names to the fields of a request");
  Presets presets;
  for (const auto& [name, fields] : json.items()) {
    if (name.empty() || !fields.is_object()) throw no_preset(name, file);
    presets[name] = fields;
  }
  return presets;
}

void check_presets(const Presets& presets) {
  for (const auto& [name, fields] : presets) {
    std::vector<std::string> unknown;
    try {
      unknown = shortest_request(presets, name, ApiEndpoint::chat).unknown;
    } catch (const ApiError& error) {
      refuse(name, error.what());
    }
    if (!unknown.empty()) refuse(name, unknown.front() + " is no field of a request");
  }
}

void check_presets(const Presets& presets, const Model& model, const RequestDefaults& defaults) {
  const bool chats = !model.info().chat_template.empty();
  for (const auto& [name, fields] : presets) {
    try {
      ApiRequest api = shortest_request(presets, name, chats ? ApiEndpoint::chat : ApiEndpoint::completion);
      api.continue_last = false;  // of conversations that end otherwise than this one
      resolve_api(api, model, defaults);
    } catch (const Error& error) {
      refuse(name, error.what());
    }
  }
}

std::string model_name_of(std::string_view file) {
  std::string name(file.substr(file.rfind('/') + 1));
  for (const std::string_view ending : endings) {
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  // Of a split file: "-00001-of-00003".
  const size_t of = name.rfind("-of-");
  if (of != std::string::npos && of >= 6 && name.size() == of + 9) name.resize(of - 6);
  std::ranges::replace_if(name, [](unsigned char c) { return c <= ' ' || c == 0x7f; }, '-');
  return name.empty() ? "lanerope" : name;
}

std::vector<ServedModel> served_models(const ModelInfo& info, const std::string& base,
                                       const Presets& presets) {
  std::vector<ServedModel> models = {{.id = base}};
  for (size_t i = 0; i < info.adapters.size(); ++i) {
    models.push_back(
        {.id = base + ":" + model_name_of(info.adapters[i].file), .adapter = static_cast<int32_t>(i)});
  }
  for (const auto& [name, fields] : presets) {
    if (!name.empty() && std::ranges::find(models, name, &ServedModel::id) == models.end())
      models.push_back({.id = name});
  }
  return models;
}

Json with_presets(const Presets& presets, std::string_view model, Json body, bool group) {
  const auto own = presets.find(model);
  if (own != presets.end()) fill(body, own->second, group);
  const auto usual = presets.find("");
  if (usual != presets.end()) fill(body, usual->second, group);
  return body;
}

}  // namespace lanerope::server
