// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lanerope/errors.h"
#include "lanerope/tool.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"
#include "tests/support/tool_template.h"

namespace lanerope::engine {

// Lanes of a small random model. What a lane is to write it is given, but for the last character of a call,
// which it draws: nothing else is likely.
class Tools : public testing::Test {
 protected:
  std::shared_ptr<const Model> model =
      Model::load({.file = support::write_model(tools::RandomModel{
                       .n_layer = 1, .width = 64, .n_ffn = 96, .context = 1024, .output_gain = 2}),
                   .threads = 1,
                   .back_end = BackEnd::kernels,
                   .chat_template = support::hermes_template});
  Engine engine{model, {.kv_cells = 8192, .keep_prefixes = false}};

  TokenId token(const std::string& text) const {
    const auto tokens = model->encode(text, {.add_special = false, .parse_special = true});
    EXPECT_EQ(tokens.size(), 1U) << text;
    return tokens.front();
  }

  // Lanes that are given these texts and then draw `next` until their budget is spent.
  Request writing(const std::vector<std::string>& texts, const std::string& next, LaneTools tools) const {
    return {.prompt = {.messages = {{.role = "user", .content = "How many?"}}},
            .lanes = static_cast<int32_t>(texts.size()),
            .budget = 200,
            .tag = "",
            .lane_texts = texts,
            .sampling = {.temperature = 1, .logit_bias = {{.token = token(next), .bias = 1000}}, .seed = 5},
            .selection = {.kind = SelectionKind::none},
            .tools = std::move(tools)};
  }

  static std::string call(const std::string& name, const std::string& arguments) {
    return "<tool_call>\n{\"name\": \"" + name + "\", \"arguments\": " + arguments + "}\n</tool_call";
  }

  // What the lane holds, control tokens by name, up to where it repeats itself.
  std::string written(const support::GroupRun& run, int32_t lane, const std::string& next) const {
    std::string text = model->decode(run.result.lanes.at(lane).tokens);
    while (text.ends_with(next + next)) text.resize(text.size() - next.size());
    return text;
  }
};

// A tool that answers when the test says so.
struct SlowTool {
  Tool tool(const std::string& name) {
    return {.name = name,
            .description = "Takes its time.",
            .run = [this](const std::string& arguments, const std::stop_token& stop) {
              std::unique_lock lock(mutex);
              ++started;
              changed.notify_all();
              const std::stop_callback wake(stop, [this] { changed.notify_all(); });
              changed.wait(lock, [&] { return open || stop.stop_requested(); });
              return "it got " + arguments;
            }};
  }
  void let_go() {
    const std::scoped_lock lock(mutex);
    open = true;
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable_any changed;
  bool open = false;
  int started = 0;
};

}  // namespace lanerope::engine
