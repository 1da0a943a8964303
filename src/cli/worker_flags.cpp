// SPDX-License-Identifier: Apache-2.0
#include "cli/worker_flags.h"

#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "lanerope/workers.h"

namespace lanerope::cli {

void add_worker_flag(CLI::App& app, std::vector<std::string>& workers, const char* group) {
  app.add_option(
         "--rpc", workers,
         "Workers on other machines (lanerope rpc-worker): their devices are RPC0, RPC1, ..., and without "
         "--device layers go to all of them and to this machine's devices")
      ->type_name("HOST:PORT,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->take_all()
      ->group(group);
}

void end_where_a_worker_is_lost() {
  on_worker_lost([](const std::string& sentence) {
    print_note("lanerope: error: " + sentence + "; what was computed there is lost");
    InterruptGuard::leave(exit_system_error);
  });
}

}  // namespace lanerope::cli
