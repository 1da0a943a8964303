// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "cli/view.h"
#include "lanerope/engine.h"

namespace lanerope::cli {

struct GroupRun {
  std::shared_ptr<const GroupResult> result;
  bool interrupted = false;
};

// Runs the only group of an engine to its end and shows it. Ctrl-C cancels the group; what the lanes have
// written until then is the result. The view is made inside, under the guard that keeps the terminal sane.
GroupRun run_group(Engine& engine, GroupId group, const std::function<std::unique_ptr<View>()>& make_view);

}  // namespace lanerope::cli
