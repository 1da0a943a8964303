// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/api_error.h"

namespace lanerope::server {

// The body of POST /v1/responses as that of a chat completion: input and instructions become messages,
// max_output_tokens max_tokens, text.format response_format, flat tools nested ones. Throws ApiError (400)
// for what asks the server to remember something, and for what it cannot do. Fields that both have, and
// lanerope's own, go over as they are.
Json chat_body_of(const Json& responses_body);

}  // namespace lanerope::server
