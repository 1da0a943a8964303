// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/server/running_server.h"
#include "tests/support/tool_template.h"

namespace lanerope::server {

// A random model with a chat template of these words.
inline std::shared_ptr<const Model> model_with_template(const std::string& chat_template) {
  const support::TemporaryDirectory directory;
  return Model::load(
      {.file = tools::write_random_model(tools::preset_model("tiny"), directory.file("tiny.gguf")),
       .threads = 1,
       .chat_template = chat_template});
}

// One that writes calls of tools as Hermes does.
inline std::shared_ptr<const Model> model_with_calls() {
  static const std::shared_ptr<const Model> model = model_with_template(support::hermes_template);
  return model;
}

// What `logit_bias` says to have nothing but the first token of `text` written.
inline Json nothing_but(const std::string& text) {
  const TokenId token =
      model_with_calls()->encode(text, {.add_special = false, .parse_special = false}).front();
  return {{std::to_string(token), 100}};
}

}  // namespace lanerope::server
