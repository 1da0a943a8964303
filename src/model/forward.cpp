// SPDX-License-Identifier: Apache-2.0
#include "model/forward.h"

#include <algorithm>

#include "lanerope/errors.h"
#include "model/architecture.h"

namespace lanerope::model {

namespace {

// An upper bound of the graph's nodes and leaves: what a layer has of its own, and what each block and
// segment of the plan adds where attention is made of plain operations.
size_t bound_nodes(const Hyperparameters& h, const Batch& batch) {
  size_t per_layer = 96 + 64 * batch.adapter_scales.size();
  for (const core::AttentionBlock& block : batch.plan.blocks) per_layer += 24 + 24 * block.segments.size();
  return per_layer * h.n_layer + 256;
}

}  // namespace

Forward::Forward(Parts parts)
    : parts_(std::move(parts)),
      theta_(core::effective_theta(parts_.h.rope)),
      runner_(parts_.device, parts_.operations->graph_threads(parts_.device.threads())) {}

Forward::Shape Forward::shape_of(const Batch& batch) {
  Shape shape{.n_rows = batch.n_rows(), .n_outputs = static_cast<int32_t>(batch.outputs.size())};
  for (const auto& scales : batch.adapter_scales) shape.adapters_on.push_back(!scales.empty());
  return shape;
}

void Forward::build(const Batch& batch) {
  const size_t nodes = bound_nodes(parts_.h, batch);
  context_ = make_context(2 * nodes, nodes);
  graph_ = ggml_new_graph_custom(context_.get(), nodes, /*grads=*/false);

  GraphBuilder builder(context_.get(), graph_,
                       {.h = parts_.h,
                        .pool = parts_.pool,
                        .theta = theta_,
                        .operations = *parts_.operations,
                        .batch = batch});
  logits_ = parts_.h.architecture->build(builder, parts_.weights);
  ggml_set_output(logits_);
  ggml_build_forward_expand(graph_, logits_);
  inputs_ = builder.take_inputs();
  mass_nodes_ = builder.take_mass();
  if (!runner_.allocate(graph_, nodes)) {
    throw SystemError("the memory for one step of " + std::to_string(batch.n_rows()) +
                      " tokens could not be had; use fewer lanes or a smaller batch");
  }
}

std::span<const float> Forward::run(const Batch& batch) {
  const Shape shape = shape_of(batch);
  const bool reuse = built_ && shape == shape_ && batch.record == AttentionDetail::none &&
                     mass_nodes_.empty() && parts_.operations->graph_is_reusable();
  if (!reuse) {
    built_ = false;
    build(batch);
    built_ = true;
    shape_ = shape;
  }
  parts_.operations->prepare(batch);
  for (const GraphBuilder::Input& input : inputs_) {
    if (input.tensor->buffer != nullptr)
      input.fill(batch, input.tensor);  // an input that nothing reads has none
  }
  if (!runner_.compute(graph_)) {
    throw SystemError("the back end " + parts_.device.name() + " failed to compute a step");
  }

  masses_.clear();
  for (const AttentionMassNode& node : mass_nodes_) {
    AttentionMass mass{.layer = node.layer, .block = node.block, .segments = node.segments};
    mass.values.resize(ggml_nelements(node.mass));
    ggml_backend_tensor_get(node.mass, mass.values.data(), 0, ggml_nbytes(node.mass));
    masses_.push_back(std::move(mass));
  }

  const auto n_logits = static_cast<size_t>(ggml_nelements(logits_));
  if (ggml_backend_buffer_is_host(logits_->buffer))
    return {static_cast<const float*>(logits_->data), n_logits};
  logits_copy_.resize(n_logits);
  ggml_backend_tensor_get(logits_, logits_copy_.data(), 0, ggml_nbytes(logits_));
  return logits_copy_;
}

}  // namespace lanerope::model
