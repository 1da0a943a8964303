// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/attention_schedule.h"
#include "kernels/lane_attention.h"
#include "kernels/product.h"
#include "kernels/thread_pool.h"
#include "model/graph_builder.h"

namespace lanerope::model {

// lanerope's own kernels, on the CPU. A linear whose type has no kernel falls back to ggml's product. The
// graph does not depend on the plan, so it is built once a shape.
class KernelOperations final : public LaneOperations {
 public:
  KernelOperations(const Hyperparameters& h, const Weights& weights, int32_t threads);

  // Whether the kernels can run this model at all; if not, why.
  static std::optional<std::string> obstacle(const Hyperparameters& h);

  ggml_tensor* product(GraphBuilder& graph, const Linear& linear, ggml_tensor* x,
                       ggml_tensor* residual) override;
  QueryKeyValue query_key_value(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x) override;
  ggml_tensor* swiglu(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x) override;
  ggml_tensor* lane_attention(GraphBuilder& graph, const LayerWeights& layer,
                              const QueryKeyValue& qkv) override;
  void prepare(const Batch& batch) override;
  ValueLayout value_layout() const override { return ValueLayout::cell_major; }
  bool graph_is_reusable() const override { return true; }
  // Where the kernels do all the heavy work, their own threads do it and one thread of ggml's walks the
  // graph.
  int32_t graph_threads(int32_t threads) const override { return pool_ != nullptr ? 1 : threads; }

 private:
  struct Product {
    const kernels::PackedMatrix* matrix = nullptr;
    std::vector<const Linear*> linears = {};  // that it joins
    const ggml_tensor* norm = nullptr;        // [n_in] weight of the RMS norm before it, or null
    bool swiglu = false;
  };
  void add_product(const Product& product);
  ggml_tensor* run(GraphBuilder& graph, const kernels::ProductParameters& parameters, ggml_tensor* x,
                   ggml_tensor* residual = nullptr) const;
  ggml_tensor* joined(GraphBuilder& graph, const kernels::PackedMatrix& matrix, ggml_tensor* x) const;

  float rms_epsilon_;
  std::unique_ptr<kernels::ThreadPool>
      pool_;  // null where ggml's threads are needed for linears without a kernel
  kernels::AttentionSchedule work_;
  std::vector<kernels::LaneAttentionParameters> attentions_;  // [n_layer]
  std::deque<std::vector<float>> biases_;                     // of joined linears, [n_out] each
  std::deque<kernels::ProductParameters> parameters_;         // addresses stay: graphs hold them
  std::map<const kernels::PackedMatrix*, kernels::ProductParameters*> products_;
  std::map<const kernels::PackedMatrix*, kernels::ProductParameters*>
      swiglus_;  // gate and up with what follows them
};

}  // namespace lanerope::model
