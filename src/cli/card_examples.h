// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "server/server.h"

namespace lanerope::cli {

// The examples of the card, model.json, that lies beside a model file and names it; nothing where there is
// none.
std::vector<server::Example> card_examples(const std::string& model_file);

}  // namespace lanerope::cli
