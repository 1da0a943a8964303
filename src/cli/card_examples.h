// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "server/server.h"

namespace lanerope::cli {

// The examples of the card, model.json, that lies beside a file of a model or an adapter and names it;
// nothing where there is none.
std::vector<server::Example> card_examples(const std::string& file);

}  // namespace lanerope::cli
