// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "model/device.h"
#include "model/device_logits.h"
#include "model/graph_builder.h"

namespace lanerope::model {

// Everything that a reusable graph follows from.
struct BatchShape {
  int32_t n_rows = 0;
  int32_t n_outputs = 0;
  std::vector<bool> adapters_on = {};
  AttentionDetail detail = AttentionDetail::none;
  bool all_rows = false;                    // the outputs are all rows, in order
  bool bridged = false;                     // some rows exchange
  std::vector<core::PlanShape> plans = {};  // of a rounded batch

  explicit BatchShape(const Batch& batch);
  bool operator==(const BatchShape&) const = default;
};

// A graph with the memory that it computes in.
struct Graph {
  Graph(BatchShape of, const StartedDevices& devices) : shape(std::move(of)), runner(devices) {}

  BatchShape shape;
  ContextHandle context = {};
  ggml_cgraph* nodes = nullptr;
  LogitNodes logits = {};
  std::vector<GraphBuilder::Input> inputs = {};
  std::vector<AttentionMassNode> masses = {};
  GraphRunner runner;
};

// The graphs of the last few shapes, so that prefill and decode, which take turns, are built once each. A
// graph that records attention follows the plans of its batch and is built anew each time, in the memory of
// the one before.
class GraphCache {
 public:
  GraphCache(const Devices& devices, const OperationsTraits& traits)
      : devices_(devices, traits.graph_threads), most_graphs_(traits.most_graphs) {}

  // The graph of the batch's shape. `build` fills one that is new: it sets its context, nodes, logits, inputs
  // and masses, and gives it memory.
  template <typename Build>
  Graph& find(const Batch& batch, Build build) {
    BatchShape shape(batch);
    const bool reusable = shape.detail == AttentionDetail::none;
    if (reusable) {
      if (Graph* known = known_graph(shape)) return *known;
    }
    std::unique_ptr<Graph>& graph = new_graph(std::move(shape), reusable);
    try {
      build(*graph);
    } catch (...) {
      forget(graph.get());
      throw;
    }
    ++n_builds_;
    return *graph;
  }

  int64_t n_builds() const { return n_builds_; }

 private:
  Graph* known_graph(const BatchShape& shape);
  std::unique_ptr<Graph>& new_graph(BatchShape shape, bool reusable);
  void forget(const Graph* graph);

  StartedDevices devices_;
  int32_t most_graphs_;
  std::list<std::unique_ptr<Graph>> graphs_;  // most recently used first
  std::unique_ptr<Graph> passing_;            // the last one that cannot run again
  int64_t n_builds_ = 0;
};

}  // namespace lanerope::model
