// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/reference/joint_trace.h"

namespace lanerope::reference {

struct TraceLogits {
  std::vector<double> prompt;  // [n_vocab] after the last token of the prompt
  std::vector<std::vector<std::vector<double>>>
      lanes;  // [n_lanes][n_tokens][n_vocab] after each token of a lane
};

// Whole models in libtorch, in double precision, written from the formulas: every query meets every key,
// under an explicit mask, with an angle of its own for each pair of tokens. Slow, and the measure of all
// else.
class TorchModel {
 public:
  // A GGUF model of any architecture that lanerope runs, of any tensor type.
  explicit TorchModel(const std::string& path);
  ~TorchModel();
  TorchModel(const TorchModel&) = delete;
  TorchModel& operator=(const TorchModel&) = delete;

  // Adds the low-rank products of a LoRA GGUF to every run that follows: y += scale * alpha / rank * B (A x).
  void add_adapter(const std::string& path, double scale);

  // omega: radians a lane for the coupling lanerope, [n / 2] for all layers or [n_layer * n / 2]; n the
  // rotated components of a head. Ignored by other couplings. Coupling::init and Coupling::omega are not
  // looked at.
  TraceLogits logits(const Trace& trace, const std::vector<double>& omega = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lanerope::reference
