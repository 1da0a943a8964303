// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "train/train_config.h"

namespace lanerope::train {

// Throws InvalidRequest: "the configuration's KEY WHAT".
[[noreturn]] void refuse_setting(const std::string& key, const std::string& what);

// Throws InvalidRequest, naming the key, for values that make no sense.
void check_values(const TrainConfig& config);

// The same for what the stage does not look at, and for what other settings switch off. A value that is the
// default's counts as not given, since records of runs hold every key.
void check_used(const TrainConfig& config);

}  // namespace lanerope::train
