// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "convert.h"
#include "lanerope/model.h"

namespace lanerope::python {

// A model that Python may close, and that a forked process leaves alone: waiting there for threads that only
// the parent has would never end.
class ModelHost {
 public:
  explicit ModelHost(std::shared_ptr<const Model> model) : model_(std::move(model)) {}
  ~ModelHost();
  ModelHost(const ModelHost&) = delete;
  ModelHost& operator=(const ModelHost&) = delete;

  const std::shared_ptr<const Model>& open() const;        // throws InvalidRequest once it is closed
  const std::shared_ptr<const Model>& to_compute() const;  // and RuntimeError in a forked process
  bool closed() const { return model_ == nullptr; }
  void close();

 private:
  HomeProcess home_;
  std::shared_ptr<const Model> model_;
};

}  // namespace lanerope::python
