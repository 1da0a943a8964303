// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "model/batch_builder.h"
#include "model/device_logits.h"
#include "model/graph_cache.h"
#include "model/graph_profile.h"
#include "model/loaded_model.h"

namespace lanerope::model {

// How one block's attention is spread in one layer.
struct AttentionMass {
  int32_t layer = 0;
  int32_t block = 0;
  std::vector<int32_t> segments = {};  // of the block, those in view
  // [n segments (or all of their cells, with AttentionDetail::weights), n_rows of the block, n_head]
  std::vector<float> values = {};
};

// What a run gives, valid until the next one.
struct StepOutput {
  DeviceLogits* logits = nullptr;
  std::vector<AttentionMass> masses = {};  // where the batch asked for them

  // Without the rows of the matrix that stand for no token.
  kernels::LogitRow row(int32_t output) const { return logits->row(output); }
};

struct RunnerOptions {
  int32_t n_cells = 0;
  KvType kv_type = KvType::f16;
  bool profile = false;  // time each operation
};

// Runs batches through a model: owns the KV cells, the operations and their graphs. One thread at a time.
class ModelRunner {
 public:
  // The model must outlive the runner. Throws DoesNotFit if the cells cannot be had, InvalidRequest where
  // their type does not go with the model's back end.
  ModelRunner(const LoadedModel& model, const RunnerOptions& options);

  // An empty batch for this model.
  BatchBuilder batch() const { return {model_.config.attention_classes, model_.info.adapters.size()}; }

  // Writes the keys and values of every row to its cell. Throws SystemError where the back end fails.
  const StepOutput& run(const Batch& batch);

  // The operations since it was last asked, those that took longest first.
  std::vector<OperationTime> take_profile();

  int64_t n_graph_builds() const { return graphs_.n_builds(); }
  // Operations of the last run's graph.
  int32_t n_graph_nodes() const { return n_graph_nodes_; }
  // Of logits that were brought from a device.
  int64_t n_device_bytes() const { return logits_.n_bytes(); }

 private:
  void build(Graph& graph, const Batch& batch);
  LogitNodes with_summary(ggml_context* context, ggml_tensor* logits) const;
  // `n_outputs` of the batch's outputs are wanted.
  const StepOutput& compute(const Batch& batch, int32_t n_outputs);

  const LoadedModel& model_;
  std::unique_ptr<Operations> operations_;
  KvPool pool_;
  std::vector<core::Theta> thetas_;  // [ropes]
  GraphCache graphs_;
  int32_t n_graph_nodes_ = 0;
  std::optional<GraphProfile> profile_ = {};
  DeviceLogits logits_ = {};
  StepOutput output_ = {};
};

}  // namespace lanerope::model
