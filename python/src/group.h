// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "bindings.h"
#include "engine_host.h"

namespace lanerope::python {

// One group of an engine, for as long as Python has it: where nobody does any more, it is cancelled.
class GroupHandle {
 public:
  GroupHandle(std::shared_ptr<EngineHost> host, GroupId id) : host_(std::move(host)), id_(id) {}
  ~GroupHandle() { host_->forget(id_); }
  GroupHandle(const GroupHandle&) = delete;
  GroupHandle& operator=(const GroupHandle&) = delete;

  // Steps without the GIL until there is an event to read or the group has finished; Ctrl-C is heard between
  // steps.
  void wait();
  std::optional<Event> poll() { return host_->poll(id_); }
  bool finished() const { return host_->finished(id_); }
  nb::dict outcome()
      const;  // throws what ended the group, where it failed, and InvalidRequest before it has finished

  int32_t spawn(int32_t parent, int32_t step, const std::string& text);
  void push(int32_t lane, const std::string& text);
  void retire(int32_t lane);
  void cancel();
  void release();
  nb::dict probe(int32_t lane, int32_t step);

 private:
  template <typename Work>
  auto act(Work work) {
    const nb::gil_scoped_release release;
    return host_->act([&](Engine& engine) { return work(engine, id_); });
  }

  std::shared_ptr<EngineHost> host_;
  GroupId id_;
};

// What became of a group, as the fields of lanerope.Result and what it is made of.
nb::dict outcome_of(GroupLog log);

}  // namespace lanerope::python
