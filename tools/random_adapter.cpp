// SPDX-License-Identifier: Apache-2.0
#include "tools/random_adapter.h"

#include <cmath>
#include <span>

#include "gguf/file.h"
#include "gguf/writer.h"
#include "tools/random_model.h"
#include "tools/random_tensor.h"

namespace lanerope::tools {

namespace {

void set_lane_keys(gguf::Writer& writer, const RandomAdapter& adapter) {
  const Coupling& coupling = *adapter.coupling;
  writer.set("lanerope.version", uint32_t{1});
  writer.set("lanerope.coupling", name(coupling.kind));
  writer.set("lanerope.init", name(coupling.init));
  writer.set("lanerope.visibility", name(coupling.visibility));
  writer.set("lanerope.stride", coupling.stride);
  writer.set("lanerope.tag", adapter.tag);
  writer.set("lanerope.lanes", std::span<const int32_t>(adapter.lanes));
  writer.set("lanerope.prompt", adapter.on_prompt);
  if (!coupling.omega.empty()) writer.set("lanerope.omega", std::span<const float>(coupling.omega));
}

void add_pair(std::vector<RandomTensor>& tensors, const RandomAdapter& adapter,
              const gguf::TensorInfo& weight) {
  const ggml_type type = parse_tensor_type(adapter.type);
  // Of an input with entries of size 1, A makes entries of size 1, and B of those entries of size `strength`.
  tensors.push_back({.name = weight.name + ".lora_a",
                     .type = type_for_row(type, weight.ne[0]),
                     .ne = {weight.ne[0], adapter.rank},
                     .deviation = 1 / std::sqrt(static_cast<float>(weight.ne[0]))});
  tensors.push_back({.name = weight.name + ".lora_b",
                     .type = type_for_row(type, adapter.rank),
                     .ne = {adapter.rank, weight.ne[1]},
                     .deviation = adapter.strength / std::sqrt(static_cast<float>(adapter.rank))});
}

}  // namespace

void write_random_adapter(const RandomAdapter& adapter, const gguf::File& base, const std::string& path) {
  const auto architecture = base.get<std::string>("general.architecture");
  const auto n_layer = base.get<int32_t>(architecture + ".block_count");
  std::vector<RandomTensor> tensors;
  for (int32_t layer = 0; layer < n_layer; ++layer) {
    for (const std::string& target : adapter.targets) {
      const std::string prefix = "blk." + std::to_string(layer) + ".";
      const gguf::TensorInfo* weight = base.find_tensor(prefix + target + ".weight");
      // A file that holds several linears as one is adapted as one.
      if (weight == nullptr && target == "attn_q") weight = base.find_tensor(prefix + "attn_qkv.weight");
      if (weight != nullptr) add_pair(tensors, adapter, *weight);
    }
  }
  if (adapter.output) add_pair(tensors, adapter, base.tensor("output.weight"));

  gguf::Writer writer(path);
  writer.set("general.type", "adapter");
  writer.set("general.architecture", architecture);
  writer.set("general.name", "random adapter, seed " + std::to_string(adapter.seed));
  writer.set("adapter.type", "lora");
  writer.set("adapter.lora.alpha", adapter.alpha);
  if (adapter.coupling) set_lane_keys(writer, adapter);
  for (const RandomTensor& tensor : tensors) writer.add_tensor(tensor.name, tensor.type, tensor.ne);
  writer.begin();
  for (const RandomTensor& tensor : tensors) write_random_tensor(writer, tensor, adapter.seed, 1);
  writer.finish();
}

}  // namespace lanerope::tools
