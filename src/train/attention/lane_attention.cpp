// SPDX-License-Identifier: Apache-2.0
#include "train/attention/lane_attention.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <algorithm>
#include <atomic>

#include "train/attention/attention_kernel.h"

namespace lanerope::train {

namespace {

// What the backward pass needs beside tensors.
struct SavedBatch : torch::CustomClassHolder {
  SavedBatch(AttentionBatch for_batch, const ScoreRule& by_rule)
      : batch(std::move(for_batch)), rule(by_rule) {}
  AttentionBatch batch;
  ScoreRule rule;
};

// The costliest first, so that the last ones to end are small.
std::vector<AttentionUnit> units_of(const AttentionLayout& layout, int64_t n_head_kv) {
  std::vector<AttentionUnit> units;
  for (const GroupSpan& group : layout.groups) {
    for (int64_t head = 0; head < n_head_kv; ++head) {
      units.push_back({.first = group.first,
                       .n_prompt = static_cast<int32_t>(group.n_prompt),
                       .head_kv = static_cast<int32_t>(head),
                       .lane = std::span(layout.lane).subspan(group.first, group.n_tokens),
                       .step = std::span(layout.step).subspan(group.first, group.n_tokens),
                       .alone = layout.alone.empty()
                                    ? std::span<const int8_t>()
                                    : std::span(layout.alone).subspan(group.first, group.n_tokens),
                       .visibility = layout.visibility,
                       .joint = layout.joint,
                       .second_stage = static_cast<int32_t>(group.second_stage)});
    }
  }
  std::stable_sort(units.begin(), units.end(),
                   [](const auto& a, const auto& b) { return a.lane.size() > b.lane.size(); });
  return units;
}

template <typename Run>
void for_each_unit(const AttentionLayout& layout, const AttentionSizes& sizes, const Run& run) {
  const std::vector<AttentionUnit> units = units_of(layout, sizes.n_head_kv);
  std::atomic<size_t> next = 0;
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
    for (size_t i = next++; i < units.size(); i = next++) run(units[i]);
  });
}

AttentionSizes sizes_of(const torch::Tensor& q, const torch::Tensor& k, const ScoreRule& rule) {
  return {.n_head = static_cast<int32_t>(q.size(1)),
          .n_head_kv = static_cast<int32_t>(k.size(1)),
          .head_dim = static_cast<int32_t>(q.size(2)),
          .scale = static_cast<float>(rule.scale),
          .cap = static_cast<float>(rule.cap),
          .window = static_cast<int32_t>(std::min<int64_t>(rule.window, INT32_MAX))};
}

AttentionInputs inputs_of(const torch::Tensor& q_prompt, const torch::Tensor& q_lane, const torch::Tensor& k,
                          const torch::Tensor& v) {
  return {.q_prompt = q_prompt.data_ptr<float>(),
          .q_lane = q_lane.data_ptr<float>(),
          .k = k.data_ptr<float>(),
          .v = v.data_ptr<float>()};
}

// Like `like`; zeros where no group covers every row.
torch::Tensor rows_like(const torch::Tensor& like, const AttentionLayout& layout) {
  int64_t covered = 0;
  for (const GroupSpan& group : layout.groups) covered += group.n_tokens;
  return covered == like.size(0) ? torch::empty_like(like) : torch::zeros_like(like);
}

class LaneAttention : public torch::autograd::Function<LaneAttention> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& q_prompt,
                               const torch::Tensor& q_lane, const torch::Tensor& k, const torch::Tensor& v,
                               const AttentionBatch& batch, const ScoreRule& rule) {
    const bool one_query = q_prompt.is_same(q_lane);
    const torch::Tensor prompt = q_prompt.contiguous();                   // (n_tokens, n_head, head_dim)
    const torch::Tensor lane = one_query ? prompt : q_lane.contiguous();  // (n_tokens, n_head, head_dim)
    const torch::Tensor keys = k.contiguous();                            // (n_tokens, n_head_kv, head_dim)
    const torch::Tensor values = v.contiguous();                          // (n_tokens, n_head_kv, head_dim)
    const torch::Tensor out = rows_like(prompt, batch.layout());          // (n_tokens, n_head, head_dim)
    const torch::Tensor log_sum = torch::empty({prompt.size(0), prompt.size(1)}, prompt.options());

    const AttentionSizes sizes = sizes_of(prompt, keys, rule);
    const AttentionInputs inputs = inputs_of(prompt, lane, keys, values);
    const AttentionResults results{.out = out.data_ptr<float>(), .log_sum = log_sum.data_ptr<float>()};
    for_each_unit(batch.layout(), sizes,
                  [&](const AttentionUnit& unit) { attention_forward(unit, sizes, inputs, results); });

    context->save_for_backward({prompt, lane, keys, values, out, log_sum});
    context->saved_data["batch"] = c10::IValue::make_capsule(c10::make_intrusive<SavedBatch>(batch, rule));
    context->saved_data["one_query"] = one_query;
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& d_outs) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor& prompt = saved[0];
    const torch::Tensor& lane = saved[1];
    const torch::Tensor& keys = saved[2];
    const torch::Tensor& values = saved[3];
    const auto capsule = context->saved_data["batch"].toCapsule();
    const auto& batch = static_cast<const SavedBatch&>(*capsule);
    const AttentionLayout& layout = batch.batch.layout();
    const bool one_query = context->saved_data["one_query"].toBool();

    const torch::Tensor d_out = d_outs[0].contiguous();
    const torch::Tensor d_prompt = rows_like(prompt, layout);
    const torch::Tensor d_lane = one_query ? torch::Tensor() : rows_like(lane, layout);
    const torch::Tensor d_keys = rows_like(keys, layout);
    const torch::Tensor d_values = rows_like(values, layout);
    const AttentionSizes sizes = sizes_of(prompt, keys, batch.rule);
    const AttentionInputs inputs = inputs_of(prompt, lane, keys, values);
    const AttentionGradients gradients{.out = saved[4].data_ptr<float>(),
                                       .log_sum = saved[5].data_ptr<float>(),
                                       .d_out = d_out.data_ptr<float>(),
                                       .d_q_prompt = d_prompt.data_ptr<float>(),
                                       .d_q_lane = one_query ? nullptr : d_lane.data_ptr<float>(),
                                       .d_k = d_keys.data_ptr<float>(),
                                       .d_v = d_values.data_ptr<float>()};
    for_each_unit(layout, sizes,
                  [&](const AttentionUnit& unit) { attention_backward(unit, sizes, inputs, gradients); });
    return {d_prompt, d_lane, d_keys, d_values, torch::Tensor(), torch::Tensor()};
  }
};

void check(const AttentionOperands& operands, const AttentionBatch& batch) {
  const torch::Tensor& q = operands.q_prompt;
  const torch::Tensor& k = operands.k;
  TORCH_CHECK(q.dim() == 3 && q.size(0) == batch.n_tokens() && q.sizes() == operands.q_lane.sizes(),
              "Queries must be (n_tokens, n_head, head_dim) with the batch's number of tokens.");
  TORCH_CHECK(
      k.dim() == 3 && k.size(0) == q.size(0) && k.size(2) == q.size(2) && k.sizes() == operands.v.sizes(),
      "Keys and values must be (n_tokens, n_head_kv, head_dim) with the tokens and head_dim of queries.");
  TORCH_CHECK(k.size(1) > 0 && q.size(1) % k.size(1) == 0, "n_head must be a multiple of n_head_kv.");
}

}  // namespace

torch::Tensor lane_attention(const AttentionOperands& operands, const AttentionBatch& batch,
                             const ScoreRule& rule) {
  check(operands, batch);
  const auto fits = [](const torch::Tensor& t) { return t.is_cpu() && t.scalar_type() == torch::kFloat32; };
  if (!fits(operands.q_prompt) || !fits(operands.q_lane) || !fits(operands.k) || !fits(operands.v)) {
    return plain_lane_attention(operands, batch, rule);
  }
  return LaneAttention::apply(operands.q_prompt, operands.q_lane, operands.k, operands.v, batch, rule);
}

}  // namespace lanerope::train
