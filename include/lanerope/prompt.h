// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lanerope/token.h"

namespace lanerope {

struct Message {
  std::string role = {};  // system, user or assistant
  std::string content = {};
};

// What lanes answer: exactly one of the three.
struct Prompt {
  std::string text = {};  // taken as it is; names of control tokens in it are these tokens
  std::vector<TokenId> tokens = {};
  std::vector<Message> messages = {};  // put into the model's chat template
};

// What becomes of messages where the model has no chat template that lanerope knows.
enum class NoTemplate {
  refuse,
  // A single message of the user goes in as its text; ResolvedRequest::raw_prompt tells the front end to say
  // so.
  raw_with_note,
};

}  // namespace lanerope
