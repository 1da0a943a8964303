// SPDX-License-Identifier: Apache-2.0
#include "arch/tensor_source.h"

#include <ggml.h>

#include <utility>
#include <vector>

#include "arch/tensor_table.h"

namespace lanerope::arch {

namespace {

struct Run {
  Role role = Role::attn_q;
  int64_t n = 0;  // rows, in the order of the file
};

struct Fused {
  const char* stem = "";
  std::vector<Run> runs = {};

  int64_t rows() const {
    int64_t rows = 0;
    for (const Run& run : runs) rows += run.n;
    return rows;
  }
};

std::vector<Fused> fused_of(const LayerConfig& layer) {
  const AttentionConfig& attention = layer.attention;
  return {{"attn_qkv",
           {{Role::attn_q, attention.query_width()},
            {Role::attn_k, attention.kv_width()},
            {Role::attn_v, attention.kv_width()}}},
          {"ffn_up", {{Role::ffn_gate, layer.ffn.n_ffn}, {Role::ffn_up, layer.ffn.n_ffn}}}};
}

}  // namespace

TensorSource::TensorSource(const gguf::File& file, const ModelConfig& config) : file_(file) {
  for (int32_t i = 0; i < config.n_layer(); ++i) {
    for (const Fused& fused : fused_of(config.layers[i])) {
      for (const auto& [ending, rows_at] : {std::pair{".weight", 1}, std::pair{".bias", 0}}) {
        const gguf::TensorInfo* whole =
            file.find_tensor("blk." + std::to_string(i) + "." + fused.stem + ending);
        if (whole == nullptr || whole->ne[rows_at] != fused.rows()) continue;
        if (file.find_tensor(tensor_stem(fused.runs.front().role, i) + ".weight") != nullptr)
          continue;  // it is none
        const size_t row_bytes = whole->bytes / static_cast<size_t>(fused.rows());
        int64_t first = 0;
        for (const Run& run : fused.runs) {
          gguf::TensorInfo info = *whole;
          info.name = tensor_stem(run.role, i) + ending;
          info.ne[rows_at] = run.n;
          info.data = whole->data + static_cast<size_t>(first) * row_bytes;
          info.bytes = static_cast<size_t>(run.n) * row_bytes;
          fused_[whole->name].push_back({.name = info.name, .first = first, .n = run.n});
          first += run.n;
          runs_.push_back(std::move(info));
          by_name_[runs_.back().name] = &runs_.back();
          whole_names_[runs_.back().name] = whole->name;
        }
      }
    }
  }
}

const gguf::TensorInfo* TensorSource::find(const std::string& name) const {
  const auto run = by_name_.find(name);
  return run != by_name_.end() ? run->second : file_.find_tensor(name);
}

std::span<const TensorSource::Rows> TensorSource::fused(const std::string& name) const {
  const auto found = fused_.find(name);
  return found != fused_.end() ? std::span<const Rows>(found->second) : std::span<const Rows>();
}

std::string TensorSource::name_in_file(const std::string& name) const {
  const auto found = whole_names_.find(name);
  return found != whole_names_.end() ? found->second : name;
}

const gguf::TensorInfo& TensorSource::get(const std::string& name) const {
  const gguf::TensorInfo* found = find(name);
  return found != nullptr ? *found : file_.tensor(name);
}

}  // namespace lanerope::arch
