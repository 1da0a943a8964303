// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace lanerope::grammar {

// Throws InvalidRequest, with the place in the schema, for what xgrammar would leave out without a word: a
// schema is kept to as a whole or refused. What it says itself, compile() makes an error of.
void check_schema(const nlohmann::ordered_json& schema);

}  // namespace lanerope::grammar
