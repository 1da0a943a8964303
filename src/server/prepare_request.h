// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lanerope/engine.h"
#include "server/api_request.h"

namespace lanerope::server {

// What the server itself decides where a request does not.
struct RequestDefaults {
  int32_t budget = 512;          // tokens a lane may write
  int32_t kv_cells = 8192;       // of the engine: bounds the default budget
  std::string verifier = {};     // the only command that a request can ask for, by select "verifier"
  double verifier_timeout = 30;  // seconds
  std::vector<float> adapter_scales = {};  // empty: those that the adapters were loaded with
};

// The engine's request, its prompt already tokenised, with every default filled in. Throws ApiError or
// InvalidRequest. Runs in the thread of the connection: only the model's constant members are used.
Request prepare_request(const ApiRequest& api, const Model& model, const RequestDefaults& defaults);

// "lanerope, omega ntk, window 64": for the response and the page.
Json describe_coupling(const Coupling& coupling);

}  // namespace lanerope::server
