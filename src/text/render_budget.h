// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace lanerope::text {

// What the template that runs on this thread may still spend: cmake/LlamaJinja.cmake puts calls of step() and
// bytes() into the engine. Without a budget on the thread they do nothing.
class RenderBudget {
 public:
  struct Limits {
    int64_t steps = 2'000'000;
    int64_t bytes = int64_t{1} << 29;  // made or copied, all in all
    size_t stack = size_t{128} << 20;  // bytes of it, below where the budget was made
  };
  enum class Spent { nothing, steps, bytes, stack };
  // No std::exception: the engine, which catches those, lets it through.
  struct Exhausted {
    Spent what;
  };

  explicit RenderBudget(Limits limits) : limits_(limits), outer_(current_), base_(stack_pointer()) {
    current_ = this;
  }
  ~RenderBudget() {
    current_ = outer_;
    for (const Changed& one : changed_) one.empty(one.container.get());
  }
  RenderBudget(const RenderBudget&) = delete;
  RenderBudget& operator=(const RenderBudget&) = delete;

  int64_t steps_used() const { return steps_; }
  int64_t bytes_used() const { return bytes_; }

  // Throw Exhausted, and go on throwing it, where the budget is spent.
  static void step() {
    if (current_ != nullptr) current_->take_step();
  }
  static void bytes(size_t count) {
    if (current_ != nullptr) current_->take_bytes(count);
  }

  // A list or an object that is changed, and so may hold itself: it is emptied when the budget goes.
  static void changed(std::shared_ptr<void> container, void (*empty)(void*)) {
    if (current_ != nullptr) current_->changed_.push_back({std::move(container), empty});
  }

 private:
  struct Changed {
    std::shared_ptr<void> container;
    void (*empty)(void*);
  };

  static uintptr_t stack_pointer() { return reinterpret_cast<uintptr_t>(__builtin_frame_address(0)); }

  void take_step() {
    if (++steps_ > limits_.steps) throw Exhausted{Spent::steps};
    if (base_ - stack_pointer() > limits_.stack) throw Exhausted{Spent::stack};
  }
  void take_bytes(size_t count) {
    const auto most = static_cast<size_t>(limits_.bytes - bytes_);
    if (count > most) {
      bytes_ = limits_.bytes;
      throw Exhausted{Spent::bytes};
    }
    bytes_ += static_cast<int64_t>(count);
  }

  Limits limits_;
  std::vector<Changed> changed_;
  RenderBudget* outer_;
  uintptr_t base_;
  int64_t steps_ = 0;
  int64_t bytes_ = 0;
  inline static thread_local RenderBudget* current_ = nullptr;
};

}  // namespace lanerope::text
