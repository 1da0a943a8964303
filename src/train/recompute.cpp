// SPDX-License-Identifier: Apache-2.0
#include "train/recompute.h"

#include <torch/custom_class.h>
#include <torch/torch.h>

namespace lanerope::train {

namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What the way back needs beside tensors.
struct SavedComputation : torch::CustomClassHolder {
  SavedComputation(Computation computation, size_t inputs)
      : compute(std::move(computation)), n_inputs(inputs) {}
  Computation compute;
  size_t n_inputs;  // of the tensors that are kept; the others are those that it reads and that learn
};

class Recomputed : public torch::autograd::Function<Recomputed> {
 public:
  static Tensor forward(AutogradContext* context, at::TensorList tensors, const Computation& compute,
                        int64_t n_inputs) {
    const auto n = static_cast<size_t>(n_inputs);
    context->save_for_backward(tensors.vec());
    context->saved_data["computation"] =
        torch::IValue::make_capsule(c10::make_intrusive<SavedComputation>(compute, n));
    return compute(tensors.slice(0, n).vec());
  }

  static variable_list backward(AutogradContext* context, const variable_list& d_outs) {
    const variable_list saved = context->get_saved_variables();
    const auto capsule = context->saved_data["computation"].toCapsule();
    const auto& kept = static_cast<const SavedComputation&>(*capsule);
    variable_list inputs;
    variable_list wanted;
    std::vector<size_t> places;
    for (size_t i = 0; i < saved.size(); ++i) {
      const bool is_input = i < kept.n_inputs;
      const Tensor& tensor =
          is_input ? inputs.emplace_back(saved[i].detach().set_requires_grad(saved[i].requires_grad()))
                   : saved[i];
      if (!tensor.requires_grad()) continue;
      wanted.push_back(tensor);
      places.push_back(i);
    }
    const torch::AutoGradMode with_gradients(true);
    const Tensor y = kept.compute(inputs);
    const variable_list found = torch::autograd::grad({y}, wanted, {d_outs[0]}, /*retain_graph=*/false,
                                                      /*create_graph=*/false, /*allow_unused=*/true);
    variable_list result(saved.size() + 2);  // one for each argument of forward, tensors first
    for (size_t i = 0; i < places.size(); ++i) result[places[i]] = found[i];
    return result;
  }
};

}  // namespace

Tensor recomputed(const Computation& compute, const std::vector<Tensor>& inputs,
                  const std::vector<Tensor>& learned) {
  variable_list tensors = inputs;
  tensors.insert(tensors.end(), learned.begin(), learned.end());
  return Recomputed::apply(at::TensorList(tensors), compute, static_cast<int64_t>(inputs.size()));
}

}  // namespace lanerope::train
