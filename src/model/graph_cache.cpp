// SPDX-License-Identifier: Apache-2.0
#include "model/graph_cache.h"

#include <algorithm>
#include <ranges>

namespace lanerope::model {

BatchShape::BatchShape(const Batch& batch)
    : n_rows(batch.n_rows()), n_outputs(static_cast<int32_t>(batch.outputs.size())), detail(batch.detail) {
  for (const auto& scales : batch.adapter_scales) adapters_on.push_back(!scales.empty());
  all_rows = std::ranges::equal(batch.outputs, std::views::iota(0, n_rows));
  bridged = !batch.bridges.empty();
  for (const core::PlanTensors& tensors : batch.tensors) plans.push_back(tensors.shape);
}

Graph* GraphCache::known_graph(const BatchShape& shape) {
  const auto found = std::ranges::find_if(graphs_, [&](const auto& graph) { return graph->shape == shape; });
  if (found == graphs_.end()) return nullptr;
  graphs_.splice(graphs_.begin(), graphs_, found);
  return graphs_.front().get();
}

std::unique_ptr<Graph>& GraphCache::new_graph(BatchShape shape, bool reusable) {
  if (!reusable) {
    if (passing_ == nullptr) passing_ = std::make_unique<Graph>(shape, devices_);
    passing_->shape = std::move(shape);
    return passing_;
  }
  // The oldest one gives its memory, which is seldom much too small or too large: shapes of a steady state
  // are few.
  if (std::ssize(graphs_) < most_graphs_) {
    graphs_.push_front(std::make_unique<Graph>(std::move(shape), devices_));
  } else {
    graphs_.splice(graphs_.begin(), graphs_, std::prev(graphs_.end()));
    graphs_.front()->shape = std::move(shape);
  }
  return graphs_.front();
}

void GraphCache::forget(const Graph* graph) {
  if (passing_.get() == graph) passing_.reset();
  std::erase_if(graphs_, [&](const auto& known) { return known.get() == graph; });
}

}  // namespace lanerope::model
