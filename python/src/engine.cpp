// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/shared_ptr.h>

#include <algorithm>

#include "bindings.h"
#include "engine_host.h"
#include "group.h"
#include "model_host.h"
#include "score.h"

namespace lanerope::python {

void GroupHandle::wait() {
  while (true) {
    {
      const nb::gil_scoped_release release;
      if (host_->step_for(id_)) return;
    }
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  }
}

nb::dict GroupHandle::outcome() const {
  if (!finished()) throw InvalidRequest("the group has not finished");
  GroupLog log = host_->log(id_);
  rethrow_failure(*log.result);
  return outcome_of(std::move(log));
}

int32_t GroupHandle::spawn(int32_t parent, int32_t step, const std::string& text) {
  return act([&](Engine& engine, GroupId group) {
    return engine.spawn(group, {.parent = parent, .fork_step = step, .text = text});
  });
}

void GroupHandle::push(int32_t lane, const std::string& text) {
  act([&](Engine& engine, GroupId group) { engine.push_text(group, lane, text); });
}

void GroupHandle::retire(int32_t lane) {
  act([&](Engine& engine, GroupId group) { engine.retire(group, lane); });
}

void GroupHandle::cancel() {
  if (finished()) return;
  act([&](Engine& engine, GroupId group) { engine.cancel(group); });
}

void GroupHandle::release() {
  act([&](Engine& engine, GroupId group) { engine.release(group); });
}

nb::dict GroupHandle::probe(int32_t lane, int32_t step) {
  AttentionProbe probe = act([&](Engine& engine, GroupId group) { return engine.probe(group, lane, step); });
  nb::list parts;
  size_t tokens = 0;
  for (const AttentionProbe::Part& part : probe.parts) {
    parts.append(nb::make_tuple(part.lane, part.first_step, part.n));
    tokens += static_cast<size_t>(part.n);
  }
  nb::dict all;
  all["parts"] = parts;
  all["weights"] = to_array(std::move(probe.weights),
                            {static_cast<size_t>(probe.n_layer), static_cast<size_t>(probe.n_head), tokens});
  return all;
}

namespace {

std::shared_ptr<EngineHost> make_engine(const ModelHost& model, int32_t cells, const std::string& kv_type,
                                        int32_t batch_rows, bool keep_prefixes) {
  const EngineOptions options{.kv_cells = cells,
                              .batch_rows = batch_rows,
                              .kv_type = to_enum<KvType>("kv_type", to_text(kv_type)),
                              .keep_prefixes = keep_prefixes};
  const std::shared_ptr<const Model> loaded = model.to_compute();
  const nb::gil_scoped_release release;
  return std::make_shared<EngineHost>(loaded, options);
}

std::shared_ptr<GroupHandle> submit(const std::shared_ptr<EngineHost>& host,
                                    const std::shared_ptr<ResolvedRequest>& request, bool wants_events) {
  GroupId group = 0;
  {
    const nb::gil_scoped_release release;
    group = host->submit(request, wants_events);
  }
  return std::make_shared<GroupHandle>(host, group);
}

nb::list score(EngineHost& host, const ModelHost& model, nb::handle prompt, nb::handle lanes,
               const nb::dict& options) {
  const ScoreRequest request = to_score_request(*model.open(), prompt, lanes, options);
  ScoreResult result;
  {
    const nb::gil_scoped_release release;
    result = host.act([&](Engine& engine) { return engine.score(request); });
  }
  return scores_of(result);
}

// Cells that such a score takes.
int32_t score_cells(const ModelHost& model, nb::handle prompt, nb::handle lanes, const nb::dict& options) {
  return static_cast<int32_t>(cells_of(to_score_request(*model.open(), prompt, lanes, copy_of(options))));
}

nb::dict state_of(EngineHost& host) {
  EngineState state;
  {
    const nb::gil_scoped_release release;
    state = host.act([](Engine& engine) { return engine.state(); });
  }
  nb::dict all;
  all["groups"] = state.groups;
  all["held_groups"] = state.held_groups;
  all["queued_groups"] = state.queued_groups;
  all["lanes"] = state.lanes;
  all["cells_used"] = state.cells_used;
  all["cells_kept"] = state.cells_kept;
  all["cells"] = state.cells;
  all["steps"] = state.steps;
  return all;
}

}  // namespace

void bind_engine(nb::module_& module) {
  nb::class_<GroupHandle>(module, "Group")
      .def("wait", &GroupHandle::wait)
      .def(
          "poll",
          [](GroupHandle& group) -> nb::object {
            std::optional<Event> event = group.poll();
            return event ? nb::cast(std::move(*event)) : nb::none();
          },
          nb::sig("def poll(self) -> Event | None"))
      .def_prop_ro("finished", &GroupHandle::finished)
      .def("outcome", &GroupHandle::outcome, nb::sig("def outcome(self) -> dict[str, typing.Any]"))
      .def("spawn", &GroupHandle::spawn, nb::arg("parent"), nb::arg("step"), nb::arg("text"))
      .def("push", &GroupHandle::push, nb::arg("lane"), nb::arg("text"))
      .def("retire", &GroupHandle::retire, nb::arg("lane"))
      .def("cancel", &GroupHandle::cancel)
      .def("release", &GroupHandle::release)
      .def("probe", &GroupHandle::probe, nb::arg("lane"), nb::arg("step"),
           nb::sig("def probe(self, lane: int, step: int) -> dict[str, typing.Any]"));

  nb::class_<EngineHost>(module, "Engine")
      .def("close", &EngineHost::close, nb::call_guard<nb::gil_scoped_release>())
      .def_prop_ro("closed", &EngineHost::closed)
      .def("submit", &submit, nb::arg("request"), nb::arg("events"))
      .def("score", &score, nb::arg("model"), nb::arg("prompt"), nb::arg("lanes"), nb::arg("options"),
           nb::sig(
               "def score(self, model: Model, prompt: object, lanes: object, options: dict[str, object]) -> "
               "list[dict[str, typing.Any]]"))
      .def("state", &state_of, nb::sig("def state(self) -> dict[str, int]"));
  module.def("make_engine", &make_engine, nb::arg("model"), nb::arg("cells"), nb::arg("kv_type"),
             nb::arg("batch_rows"), nb::arg("keep_prefixes"));
  module.def(
      "score_cells", &score_cells, nb::arg("model"), nb::arg("prompt"), nb::arg("lanes"), nb::arg("options"),
      nb::sig(
          "def score_cells(model: Model, prompt: object, lanes: object, options: dict[str, object]) -> int"));
}

}  // namespace lanerope::python
