// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "lanerope/model.h"
#include "lanerope/request.h"
#include "lanerope/resolve.h"
#include "server/api_request.h"

namespace lanerope::server {

// What the server decides where a request does not: `n` of a model without lanes means what it means
// everywhere else, independent answers; max_tokens is what a lane writes by itself; and a promise that the
// context cannot keep is cut, as other servers do.
RequestDefaults server_defaults();

// Which of a request's groups: for which of its prompts, and for which of the n answers to that.
struct GroupOf {
  size_t prompt = 0;
  size_t answer = 0;
};

// The client's request as the engine takes it. Nothing is decided here. Throws ApiError for adapters that are
// not loaded and for a verifier where the server has none.
Request to_request(const ApiRequest& api, const Model& model, const RequestDefaults& defaults,
                   GroupOf which = {});

// The same, resolved. Throws ApiError too where recording its attention would take too much memory, and as
// lanerope::resolve(). Runs in the thread of the connection: only the model's constant members are used.
std::shared_ptr<const ResolvedRequest> resolve_api(const ApiRequest& api, const Model& model,
                                                   const RequestDefaults& defaults, GroupOf which = {});

// All groups of the request: prompt by prompt, and of each its answers in order.
std::vector<std::shared_ptr<const ResolvedRequest>> resolve_groups(const ApiRequest& api, const Model& model,
                                                                   const RequestDefaults& defaults);

}  // namespace lanerope::server
