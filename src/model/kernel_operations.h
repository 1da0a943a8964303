// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>

#include "kernels/attention_work.h"
#include "kernels/lane_attention.h"
#include "kernels/product.h"
#include "model/graph_builder.h"

namespace lanerope {

// lanerope's own kernels, on the CPU. A linear whose type has no kernel falls back to ggml's product. The graph does
// not depend on the plan, so it is built once a shape.
class KernelOperations final : public LaneOperations {
 public:
  KernelOperations(const Hyperparameters& h, const Weights& weights);

  // Whether the kernels can run this model at all; if not, why.
  static std::optional<std::string> obstacle(const Hyperparameters& h);

  ggml_tensor* product(GraphBuilder& graph, const Linear& linear, ggml_tensor* x) override;
  QueryKeyValue query_key_value(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x) override;
  ggml_tensor* swiglu(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x) override;
  ggml_tensor* lane_attention(GraphBuilder& graph, const LayerWeights& layer, const QueryKeyValue& qkv) override;
  void prepare(const Batch& batch) override;
  ValueLayout value_layout() const override { return ValueLayout::cell_major; }
  bool graph_is_reusable() const override { return true; }

 private:
  const ProductParameters& parameters_of(const PackedMatrix& matrix) const { return *products_.at(&matrix); }
  void add_product(const PackedMatrix* matrix, std::vector<float> bias);
  ggml_tensor* run_product(GraphBuilder& graph, const PackedMatrix& matrix, ggml_tensor* x);

  AttentionWork work_;
  std::vector<LaneAttentionParameters> attentions_;  // [n_layer]
  std::deque<std::vector<float>> biases_;            // of joined linears, [n_out] each
  std::deque<ProductParameters> parameters_;         // addresses stay: graphs hold them
  std::map<const PackedMatrix*, ProductParameters*> products_;
};

}  // namespace lanerope
