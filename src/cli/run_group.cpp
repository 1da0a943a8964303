// SPDX-License-Identifier: Apache-2.0
#include "cli/run_group.h"

#include "cli/interrupt.h"

namespace lanerope::cli {

GroupRun run_group(Engine& engine, GroupId group, const std::function<std::unique_ptr<View>()>& make_view) {
  const InterruptGuard guard;
  const std::unique_ptr<View> view = make_view();
  GroupRun done;
  const auto sink = [&](const Event& event) {
    if (event.kind == EventKind::group_finished) {
      rethrow_failure(*event.result);
      done.result = event.result;
    }
    view->show(event);
  };
  while (engine.step(sink)) {
    view->between_steps();
    if (InterruptGuard::interrupted() && !done.interrupted) {
      done.interrupted = true;
      engine.cancel(group);
    }
  }
  return done;
}

}  // namespace lanerope::cli
