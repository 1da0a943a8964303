// SPDX-License-Identifier: Apache-2.0
#include "cli/weight_load.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace lanerope::cli {

double WeightLoad::bytes_of_step(int32_t rows) const {
  return static_cast<double>(bytes) +
         static_cast<double>(expert_bytes) * (1 - std::pow(1 - experts_used, rows));
}

WeightLoad weight_load(const FileDescription& file, ExpertCounts experts) {
  const bool has_output =
      std::ranges::any_of(file.tensors, [](const FileTensor& t) { return t.name == "output.weight"; });
  const std::string_view output = has_output ? "output.weight" : "token_embd.weight";
  WeightLoad load;
  if (experts.n_experts > 0) load.experts_used = static_cast<double>(experts.n_used) / experts.n_experts;
  for (const FileTensor& tensor : file.tensors) {
    if (tensor.shape.size() < 2 || (has_output && tensor.name == "token_embd.weight")) continue;
    const bool of_experts = experts.n_experts > 0 && tensor.name.find("_exps.") != std::string::npos;
    const int64_t elements =
        std::accumulate(tensor.shape.begin(), tensor.shape.end(), int64_t{1}, std::multiplies<>());
    load.parameters += of_experts ? elements / experts.n_experts * experts.n_used : elements;
    (of_experts ? load.expert_bytes : load.bytes) += static_cast<int64_t>(tensor.bytes);
    if (tensor.name == output) load.output_parameters = elements;
  }
  return load;
}

}  // namespace lanerope::cli
