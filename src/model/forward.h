// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "model/batch.h"
#include "model/device.h"
#include "model/graph_builder.h"

namespace lanerope::model {

// How one block's attention is spread in one layer.
struct AttentionMass {
  int32_t layer = 0;
  int32_t block = 0;
  std::vector<int32_t> segments = {};  // of the block, those in view
  // [n segments (or all of their cells, with AttentionDetail::weights), n_rows of the block, n_head]
  std::vector<float> values = {};
};

// Runs batches through a model: builds the graph, or takes the last one where it still fits, fills its inputs
// and computes. One thread at a time.
class Forward {
 public:
  struct Parts {
    const Hyperparameters& h;
    const Weights& weights;
    const Device& device;
    KvPool& pool;
    std::unique_ptr<LaneOperations> operations;
  };
  explicit Forward(Parts parts);

  // The logits of the batch's outputs: [n_vocab, n_outputs], valid until the next run. Writes the keys and
  // values of every row to the pool. Throws SystemError where the back end fails.
  std::span<const float> run(const Batch& batch);

  // Of the last run, if its batch asked for it.
  const std::vector<AttentionMass>& attention_masses() const { return masses_; }

 private:
  // Everything that the shape of a reusable graph follows from.
  struct Shape {
    int32_t n_rows = 0;
    int32_t n_outputs = 0;
    std::vector<bool> adapters_on = {};
    bool operator==(const Shape&) const = default;
  };
  static Shape shape_of(const Batch& batch);
  void build(const Batch& batch);

  Parts parts_;
  core::Theta theta_ = {};
  GraphRunner runner_;
  ContextHandle context_;
  ggml_cgraph* graph_ = nullptr;
  ggml_tensor* logits_ = nullptr;  // [n_vocab, n_outputs]
  std::vector<GraphBuilder::Input> inputs_ = {};
  std::vector<AttentionMassNode> mass_nodes_ = {};
  std::vector<AttentionMass> masses_ = {};
  std::vector<float> logits_copy_ = {};  // [n_vocab, n_outputs], where the device's memory cannot be read
  Shape shape_ = {};
  bool built_ = false;
};

}  // namespace lanerope::model
