// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "cli/model_flags.h"
#include "server/server.h"

namespace lanerope::cli {

// load_model for `serve`, which outlives its workers. While one of them does not answer requests are told so,
// and it is tried again; null if the program is interrupted meanwhile. Where one is lost later all groups end
// with a sentence, and the program starts again. `server` must live until the process ends.
std::shared_ptr<const Model> load_with_workers(const ModelFlags& flags, server::Server& server);

}  // namespace lanerope::cli
