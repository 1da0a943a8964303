// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lanerope/coupling.h"
#include "lanerope/engine.h"
#include "lanerope/measure.h"
#include "lanerope/model.h"

namespace lanerope::cli {

// What `bench` measures on one model.
struct BenchPlan {
  std::vector<int32_t> lanes = {1, 2, 4, 8};
  std::vector<int32_t> prompts = {512};  // tokens
  std::vector<Coupling> couplings;
  int32_t generate = 64;  // tokens a lane
  int32_t repeats = 3;    // of which the median counts
  KvType kv_type = KvType::f16;
  bool profile = false;  // also times each operation, in a run of its own
  uint64_t seed = 1;
};

struct PrefillRow {
  std::string back_end;
  int32_t prompt = 0;
  int32_t adapters = 0;  // that are on
  double seconds = 0;
  double tokens_per_second = 0;
  double macs_per_second = 0;
};

struct DecodeRow {
  std::string back_end;
  std::string coupling;
  int32_t prompt = 0;
  int32_t lanes = 0;
  int32_t adapters = 0;  // that are on
  double seconds_per_step = 0;
  double tokens_per_second = 0;  // of all lanes
  double bytes_per_second = 0;   // weights and KV cells that were read
  double macs_per_second = 0;    // of the weights
  size_t kv_bytes = 0;
  int32_t graph_nodes = 0;   // operations of a step
  int64_t graph_builds = 0;  // in the last repeat
  double device_bytes = 0;   // of logits that a step brings from a device
};

// The operations of a step of decoding, or of a prompt where there are no lanes.
struct ProfileRow {
  std::string back_end;
  std::string coupling;
  int32_t prompt = 0;
  int32_t lanes = 0;
  int32_t adapters = 0;  // that are on
  int32_t steps = 1;
  double seconds_per_step = 0;                 // when nothing is timed
  std::vector<OperationTime> operations = {};  // of all steps
};

struct BenchRows {
  std::vector<PrefillRow> prefill;
  std::vector<DecodeRow> decode;
  std::vector<ProfileRow> profiles;
};

// Appends to `rows`; `progress` hears what is measured next. Prompts are random tokens and end tokens are
// ignored. With adapters everything is measured without and with them, in turn.
void measure(const std::shared_ptr<const Model>& model, const BenchPlan& plan, BenchRows& rows,
             const std::function<void(const std::string&)>& progress);

}  // namespace lanerope::cli
