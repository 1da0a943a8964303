// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/bench_measure.h"
#include "lanerope/machine.h"
#include "lanerope/model_info.h"

namespace lanerope::cli {

// What `bench` prints. `baseline` is the back end that the others are divided by, or empty.
void print_tables(const BenchRows& rows, const MachineLimits& machine, const std::string& baseline);
void print_profiles(const std::vector<ProfileRow>& profiles);
nlohmann::ordered_json to_json(const BenchRows& rows, const MachineLimits& machine,
                               const std::string& baseline);

// The processor, the threads that the model uses, and what both were measured to do at most.
std::string machine_text(const MachineLimits& machine, const ModelInfo& model);

}  // namespace lanerope::cli
