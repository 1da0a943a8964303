// SPDX-License-Identifier: Apache-2.0
#include "model/graph_profile.h"

#include <algorithm>
#include <chrono>
#include <ranges>

namespace lanerope::model {

namespace {

// Those that only look at a tensor in another way.
bool does_nothing(const ggml_tensor* node) {
  switch (node->op) {
    case GGML_OP_NONE:
    case GGML_OP_VIEW:
    case GGML_OP_RESHAPE:
    case GGML_OP_PERMUTE:
    case GGML_OP_TRANSPOSE:
      return true;
    default:
      return false;
  }
}

std::string label(const ggml_tensor* node) {
  if (node->op == GGML_OP_CUSTOM) return node->name;
  std::string name = ggml_op_desc(node);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

}  // namespace

GraphProfile::GraphProfile()
    : context_(make_context(8, 8)), one_(ggml_new_graph_custom(context_.get(), 8, /*grads=*/false)) {}

bool GraphProfile::compute(ggml_backend_t cpu, ggml_cgraph* graph) {
  using Clock = std::chrono::steady_clock;
  for (int i = 0; i < ggml_graph_n_nodes(graph); ++i) {
    ggml_tensor* node = ggml_graph_node(graph, i);
    if (does_nothing(node)) continue;
    ggml_graph_clear(one_);
    ggml_graph_add_node(one_, node);
    const Clock::time_point start = Clock::now();
    if (ggml_backend_graph_compute(cpu, one_) != GGML_STATUS_SUCCESS) return false;
    const std::chrono::duration<double> took = Clock::now() - start;
    OperationTime& time = times_[label(node)];
    ++time.calls;
    time.seconds += took.count();
  }
  return true;
}

std::vector<OperationTime> GraphProfile::take() {
  std::vector<OperationTime> times;
  for (auto& [name, time] : times_) {
    times.push_back(time);
    times.back().operation = name;
  }
  times_.clear();
  std::ranges::sort(times, std::greater<>(), &OperationTime::seconds);
  return times;
}

}  // namespace lanerope::model
