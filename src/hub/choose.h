// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/snapshot.h"
#include "hub/wanted.h"

namespace lanerope::hub {

// What a GGUF file's name says: PREFIX-QUANT.gguf, or PREFIX-QUANT-00002-of-00003.gguf.
struct GgufName {
  std::string prefix = {};  // up to the number of the shard, with the quantisation
  std::string quant = {};   // in capitals; empty where the name has none
  int shard = 1;
  int shards = 1;
};

// The name with '/' or without; `shards` is 0 for what is no GGUF file.
GgufName parse_gguf_name(std::string_view path);

// The name of shard `number`, from 1.
std::string shard_name(const GgufName& name, int number);

// Whether it is a model by itself: no projector, no importance matrix, no draft head.
bool is_model_name(std::string_view path);

// The files of the model that is asked for, a split one's in order. As llama.cpp chooses: the quantisation
// named, else Q4_K_M, else Q8_0, else the first. Throws InvalidRequest where there is none, with those that
// there are, and BadFile where a shard is missing.
std::vector<RepoFile> choose_model(const Snapshot& snapshot, const Wanted& wanted);

// The adapter that is asked for: the file named, or the only one there is.
RepoFile choose_adapter(const Snapshot& snapshot, const Wanted& wanted);

}  // namespace lanerope::hub
