// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace lanerope::cli {

// A subcommand: `app` holds its options; `run` does the work once they are parsed and returns the exit
// status.
struct Command {
  CLI::App* app = nullptr;
  std::function<int()> run;
};

Command add_run(CLI::App& root);
Command add_chat(CLI::App& root);
Command add_score(CLI::App& root);
Command add_inspect(CLI::App& root);
Command add_tokenize(CLI::App& root);
Command add_bench(CLI::App& root);
Command add_serve(CLI::App& root);
Command add_data(CLI::App& root);
Command add_eval(CLI::App& root);
Command add_calibrate(CLI::App& root);
Command add_train(CLI::App& root);
Command add_convert_adapter(CLI::App& root);
Command add_pull(CLI::App& root);
Command add_list(CLI::App& root);
Command add_remove(CLI::App& root);
Command add_rpc_worker(CLI::App& root);
Command add_completion(CLI::App& root);

// Below `eval`.
Command add_eval_compare(CLI::App& eval);

// Below `data`.
Command add_data_rollout(CLI::App& data);
Command add_data_collaborate(CLI::App& data);
Command add_data_compose(CLI::App& data);
Command add_data_reach(CLI::App& data);

}  // namespace lanerope::cli
