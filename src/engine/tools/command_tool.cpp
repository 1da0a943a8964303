// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "engine/external_call.h"
#include "engine/tools/words.h"
#include "lanerope/errors.h"
#include "lanerope/tool.h"

namespace lanerope {

namespace {

constexpr double day = 86400;  // seconds: whoever calls bounds the time

constexpr auto one_text =
    R"({"type":"object","properties":{"input":{"type":"string","description":"What it is given."}},"required":["input"]})";

// A JSON text is what it says; anything else stays as it was written.
std::string result_of(const std::string& output) {
  const nlohmann::json json = nlohmann::json::parse(output, nullptr, false);
  return json.is_string() ? json.get<std::string>() : output;
}

}  // namespace

Tool command_tool(const ToolCommand& command) {
  engine::CallOptions options{
      .program = {.words = engine::split_words(command.command), .most_memory = command.most_memory},
      .what = command.name,
      .timeout = day};
  return {.name = command.name,
          .description = command.description.empty() ? "Runs " + command.name + "." : command.description,
          .parameters = command.parameters.empty() ? one_text : command.parameters,
          .run = [options](const std::string& arguments, const std::stop_token& stop) {
            const engine::CallResult result = engine::run_call(options, arguments, stop);
            if (!result.failure.empty()) throw SystemError(result.failure);
            return result_of(result.output);
          }};
}

}  // namespace lanerope
