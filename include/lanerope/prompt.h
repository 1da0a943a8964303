// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lanerope/token.h"

namespace lanerope {

// A tool that the assistant called.
struct ToolCall {
  std::string id = {};
  std::string name = {};
  std::string arguments = "{}";  // a JSON object
};

// A part of a content that is a list. lanerope reads parts of type "text".
struct ContentPart {
  std::string type = "text";
  std::string text = {};
};

struct Message {
  std::string role = {};  // system, developer, user, assistant or tool
  std::string content = {};
  std::vector<ContentPart> parts = {};  // in place of `content`, where a client sent a list
  std::string reasoning = {};  // what the assistant thought before it answered; may be dropped by templates
  std::vector<ToolCall> tool_calls = {};  // of the assistant
  std::string tool_call_id = {};          // which call a message of role tool answers
  std::string name = {};                  // of who speaks, or of the tool; may be empty
};

// What lanes answer: exactly one of text, tokens and messages.
struct Prompt {
  std::string text = {};  // taken as it is; names of control tokens in it are these tokens
  std::vector<TokenId> tokens = {};
  std::vector<Message> messages = {};  // put into the model's chat template

  // With messages:
  std::string tools = {};  // a JSON array of OpenAI's tool objects; empty: none
  std::string template_arguments =
      {};                      // a JSON object of variables for the template, such as enable_thinking
  bool continue_last = false;  // the last message is the beginning of the answer
};

// What becomes of messages where the model has no chat template.
enum class NoTemplate {
  refuse,
  // A single message of the user goes in as its text; ResolvedRequest::raw_prompt tells the front end to say
  // so.
  raw_with_note,
};

}  // namespace lanerope
