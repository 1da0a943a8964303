// SPDX-License-Identifier: Apache-2.0
// Bodies of requests. The first byte says which endpoint reads the rest.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "server/api_request.h"
#include "server/json_fields.h"
#include "server/reasoning_splitter.h"

using namespace lanerope;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using server::ApiEndpoint;
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const server::ApiEndpoint endpoints[] = {server::ApiEndpoint::chat, server::ApiEndpoint::completion,
                                           server::ApiEndpoint::group,
                                           server::ApiEndpoint::native_completion};
  try {
    const server::ApiRequest request =
        server::parse_api_request(endpoints[data[0] % std::size(endpoints)], body);
    if (request.n < 1 || (request.max_tokens && *request.max_tokens < 1)) __builtin_trap();
    if (request.messages.empty() == request.prompts.empty()) __builtin_trap();
    for (const server::TextPrompt& prompt : request.prompts) {
      if (prompt.text.empty() == prompt.tokens.empty()) __builtin_trap();
    }
  } catch (const server::ApiError& error) {
    if (server::to_text(server::describe_error(error).body).empty()) __builtin_trap();
  }

  // What comes out of the splitter is what went in, but for the marks and the space beside them.
  server::ReasoningSplitter splitter(server::ReasoningSplitter::Mode::off);
  const size_t half = body.size() / 2;
  std::string content =
      splitter.push(body.substr(0, half)).content + splitter.push(body.substr(half)).content;
  content += splitter.finish().content;
  if (content != body) __builtin_trap();
  return 0;
}
