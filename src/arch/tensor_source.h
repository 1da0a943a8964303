// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "arch/model_config.h"
#include "gguf/file.h"

namespace lanerope::arch {

// The tensors of the table as a file has them. Some files hold several linears of one input as one matrix: q,
// k and v as the rows of attn_qkv, gate and up as those of ffn_up. Such a linear is a run of rows of it, and
// no bytes are copied.
class TensorSource {
 public:
  // A linear that is a run of rows of a tensor of the file.
  struct Rows {
    std::string name = {};  // of the linear: "blk.0.attn_q.weight"
    int64_t first = 0;
    int64_t n = 0;
  };

  // `file` must outlive this and what it gives.
  TensorSource(const gguf::File& file, const ModelConfig& config);
  TensorSource(const TensorSource&) = delete;
  TensorSource& operator=(const TensorSource&) = delete;

  // nullptr where the file has no tensor of this name of the table, such as "blk.0.attn_q.weight". Lives as
  // long as this.
  const gguf::TensorInfo* find(const std::string& name) const;
  // Throws BadFile where there is none.
  const gguf::TensorInfo& get(const std::string& name) const;

  // The linears that the file's tensor of this name holds fused; empty for any other name.
  std::span<const Rows> fused(const std::string& name) const;

  // The name in the file of what holds the tensor of this name: the name itself, but for one that is fused.
  std::string name_in_file(const std::string& name) const;

 private:
  const gguf::File& file_;
  std::deque<gguf::TensorInfo> runs_;
  std::unordered_map<std::string, const gguf::TensorInfo*> by_name_;  // of the runs
  std::unordered_map<std::string, std::vector<Rows>> fused_;          // by the name in the file
  std::unordered_map<std::string, std::string> whole_names_;          // of the runs, by their names
};

}  // namespace lanerope::arch
