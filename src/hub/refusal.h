// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hub/http.h"
#include "hub/settings.h"

namespace lanerope::hub {

// What was asked for, for messages.
struct Asked {
  std::string host = {};
  std::string what = {};  // "user/repo", "file.gguf of user/repo", a URL
  std::string page = {};  // where a person can read about it
  Token token = {};       // that was sent
};

// Whether asking again after a while may help: 408, 429 and 5xx.
bool may_pass(int status);

// One sentence without advice, for a status that may pass: "HOST asks for fewer requests (429)".
std::string passing_text(const ReplyHead& head, const Asked& asked);

// Throws what such a status means: InvalidRequest for what is not there or not shown to this user,
// SystemError for everything else.
[[noreturn]] void refuse(const ReplyHead& head, const Asked& asked);

}  // namespace lanerope::hub
