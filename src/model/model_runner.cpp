// SPDX-License-Identifier: Apache-2.0
#include "model/model_runner.h"

#include <algorithm>

#include "core/rounded_sizes.h"
#include "lanerope/errors.h"
#include "model/decoder.h"
#include "model/round_batch.h"
#include "model/workers.h"

namespace lanerope::model {

namespace {

// An upper bound of the graph's nodes and leaves: what a layer has of its own, what the regions of the plans
// add where attention is made of plain operations, and each block, segment and run where it is recorded.
size_t bound_nodes(const arch::ModelConfig& config, const Batch& batch) {
  size_t of_plans = 0;
  if (batch.detail != AttentionDetail::none) {
    for (const core::AttentionBlock& block : batch.plans.front().blocks)
      of_plans += 24 + 24 * block.segments.size() + 8 * block.runs.size();
  }
  for (const core::PlanTensors& tensors : batch.tensors) {
    for (const core::TileShape& size : tensors.shape.sizes)
      of_plans += 32 + (24 + 6 * size.n_omegas) * size.regions.size();
  }
  const size_t of_experts = 2 * config.ffn().n_expert_used;
  const size_t of_bridges = batch.bridges.empty() ? 0 : 40;
  return (96 + 64 * batch.adapter_scales.size() + of_plans + of_experts + of_bridges) * config.layers.size() +
         256;
}

}  // namespace

ModelRunner::ModelRunner(const LoadedModel& model, const RunnerOptions& options)
    : model_(model),
      operations_(model.make_operations(options.kv_type)),
      pool_(model.config, model.devices,
            {.n_cells = options.n_cells,
             .type = options.kv_type,
             .n_spare = operations_->traits().rounds_batches ? core::most_added_rows : 0,
             .devices = model.placement.layers}),
      graphs_(model.devices, operations_->traits()) {
  if (options.profile) {
    if (!model.devices.cpu_alone())
      throw InvalidRequest("operations are timed on the CPU alone; use --device cpu with --profile");
    profile_.emplace();
  }
  for (const core::RopeParameters& rope : model.config.ropes) thetas_.push_back(core::effective_theta(rope));
}

void ModelRunner::build(Graph& graph, const Batch& batch) {
  const size_t nodes = bound_nodes(model_.config, batch);
  graph.context = make_context(2 * nodes, nodes);
  graph.nodes = ggml_new_graph_custom(graph.context.get(), nodes, /*grads=*/false);
  GraphBuilder builder(graph.context.get(), graph.nodes,
                       {.config = model_.config,
                        .pool = pool_,
                        .thetas = thetas_,
                        .operations = *operations_,
                        .batch = batch});
  operations_->begin_graph();
  graph.logits = with_summary(graph.context.get(), build_decoder(builder, model_.config, model_.weights));
  for (ggml_tensor* output : {graph.logits.logits, graph.logits.top, graph.logits.facts}) {
    if (output == nullptr) continue;
    ggml_set_output(output);
    ggml_build_forward_expand(graph.nodes, output);
  }
  graph.inputs = builder.take_inputs();
  graph.masses = builder.take_mass();
  if (!graph.runner.allocate(graph.nodes, nodes)) {
    throw SystemError("the memory for one step of " + std::to_string(batch.n_rows()) +
                      " tokens could not be had; use fewer lanes or a smaller batch");
  }
}

LogitNodes ModelRunner::with_summary(ggml_context* context, ggml_tensor* logits) const {
  ggml_backend_dev_t device = model_.devices.at(model_.weights.output.device);
  if (!is_local_gpu(device)) return {.logits = logits};
  return summed_up(context, logits, model_.info.n_tokens, device);
}

std::vector<OperationTime> ModelRunner::take_profile() {
  return profile_ ? profile_->take() : std::vector<OperationTime>();
}

const StepOutput& ModelRunner::run(const Batch& batch) {
  const OperationsTraits& traits = operations_->traits();
  const auto n_outputs = static_cast<int32_t>(batch.outputs.size());
  if (!traits.rounds_batches) return compute(batch, n_outputs);
  return compute(rounded(batch, {.first_spare_cell = pool_.n_cells, .keeps_plans = traits.reads_plans}),
                 n_outputs);
}

const StepOutput& ModelRunner::compute(const Batch& batch, int32_t n_outputs) {
  Graph& graph = graphs_.find(batch, [&](Graph& fresh) { build(fresh, batch); });
  n_graph_nodes_ = ggml_graph_n_nodes(graph.nodes);
  operations_->prepare(batch);
  for (const GraphBuilder::Input& input : graph.inputs) {
    if (input.tensor->buffer != nullptr)
      input.fill(batch, input.tensor);  // an input that nothing reads has none
  }
  if (!graph.runner.compute(graph.nodes, profile_ ? &*profile_ : nullptr)) {
    throw SystemError("the back end " + model_.devices.names() + " failed to compute a step");
  }

  logits_.read(graph.logits, n_outputs, model_.info.n_tokens);
  output_ = {.logits = &logits_};
  for (const AttentionMassNode& node : graph.masses) {
    AttentionMass mass{.layer = node.layer, .block = node.block, .segments = node.segments};
    mass.values.resize(ggml_nelements(node.mass));
    ggml_backend_tensor_get(node.mass, mass.values.data(), 0, ggml_nbytes(node.mass));
    output_.masses.push_back(std::move(mass));
  }
  return output_;
}

}  // namespace lanerope::model
