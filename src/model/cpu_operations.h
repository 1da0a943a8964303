// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/attention_schedule.h"
#include "kernels/bridge_attention.h"
#include "kernels/expert_ffn.h"
#include "kernels/lane_attention.h"
#include "kernels/normed_sum.h"
#include "kernels/product.h"
#include "kernels/rope.h"
#include "kernels/soft_cap.h"
#include "kernels/thread_pool.h"
#include "model/graph_builder.h"

namespace lanerope::model {

// lanerope's own kernels, on the CPU, for the linears that are packed and the cells that lie there. The graph
// does not depend on the plans, so it is built once a shape.
class CpuOperations final : public Operations {
 public:
  CpuOperations(const arch::ModelConfig& config, const Weights& weights, int32_t threads);

  // Whether the kernels can run this model at all; if not, why.
  static std::optional<std::string> obstacle(const arch::ModelConfig& config);

  ggml_tensor* linear(GraphBuilder& graph, const Linear& linear, Normed x, ggml_tensor* residual) override;
  QueryKeyValue qkv(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* rope(GraphBuilder& graph, const LayerWeights& layer, Normed heads) override;
  ggml_tensor* sum(GraphBuilder& graph, const LayerWeights& layer, const Sum& of) override;
  ggml_tensor* ffn(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* experts(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* attention(GraphBuilder& graph, const LayerWeights& layer, const QueryKeyValue& qkv) override;
  ggml_tensor* bridge(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* logits(GraphBuilder& graph, const Linear& output, Normed x) override;
  void prepare(const Batch& batch) override;
  const OperationsTraits& traits() const override { return traits_; }

 private:
  struct Product {
    const kernels::PackedMatrix* matrix = nullptr;
    std::vector<const Linear*> linears = {};  // that it joins; of experts, those of each one in turn
    const ggml_tensor* norm = nullptr;        // [n_in] weight of the RMS norm before it, or null
    kernels::Gating gating = kernels::Gating::none;
  };
  void add_product(const Product& product);
  void add_layer(const LayerWeights& layer, const arch::LayerConfig& config);
  void add_ropes(const LayerWeights& layer, const arch::ModelConfig& config);
  void add_sums(const LayerWeights& layer, const arch::ModelConfig& config);
  // Three linears over the same input, which one product joins where `packed` is it.
  struct Three {
    const kernels::PackedMatrix* packed = nullptr;
    const Linear& q;
    const Linear& k;
    const Linear& v;
  };
  QueryKeyValue three(GraphBuilder& graph, const Three& linears, Normed x) const;
  // With the corrections of adapters that are on.
  ggml_tensor* run(GraphBuilder& graph, const kernels::ProductParameters& parameters, Normed x,
                   ggml_tensor* residual = nullptr) const;

  OperationsTraits traits_;
  const Weights& weights_;
  float rms_epsilon_;
  kernels::ThreadPool pool_;
  std::deque<kernels::AttentionSchedule> schedules_;          // [attention classes]
  std::vector<kernels::LaneAttentionParameters> attentions_;  // [n_layer]
  std::deque<kernels::RopeTable> rope_tables_;                // [ropes]
  struct HeadRopes {
    kernels::RopeOperation queries = {};
    kernels::RopeOperation keys = {};
  };
  std::vector<HeadRopes> ropes_;                           // [n_layer]
  std::map<const ggml_tensor*, kernels::NormedSum> sums_;  // by their norm, one of them null
  std::optional<kernels::ExpertWork> expert_work_;         // where there are experts
  std::vector<kernels::ExpertFfnParameters> experts_;      // [n_layer], or none
  kernels::SoftCap logit_cap_;
  kernels::BridgeSets bridge_sets_;
  kernels::BridgeAttentionParameters bridge_;          // of every layer
  std::deque<std::vector<float>> biases_;              // of joined linears, [n_out] each
  std::deque<kernels::ProductParameters> parameters_;  // addresses stay: graphs hold them
  std::map<const kernels::PackedMatrix*, kernels::ProductParameters*> products_;
  std::map<const kernels::PackedMatrix*, kernels::ProductParameters*>
      gated_;  // gate and up with what follows them
};

}  // namespace lanerope::model
