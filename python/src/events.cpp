// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "bindings.h"
#include "convert.h"
#include "lanerope/result.h"

namespace lanerope::python {

namespace {

nb::object alternatives(const Event& event) {
  nb::list all;
  for (const Alternative& other : event.top) all.append(nb::make_tuple(other.token, other.logprob));
  return all;
}

nb::object finish_of(const Event& event) {
  return event.finish == FinishReason::none ? nb::none() : to_name(event.finish);
}

nb::object described(const Event& event) {
  std::string text = "Event(kind='" + std::string(name(event.kind)) + "'";
  if (event.lane >= 0) text += ", lane=" + std::to_string(event.lane);
  text += ", step=" + std::to_string(event.step);
  if (event.kind == EventKind::token) text += ", token=" + std::to_string(event.token);
  text += ", text=" + std::string(nb::repr(to_text(event.text)).c_str());
  if (event.finish != FinishReason::none) text += ", finish='" + std::string(name(event.finish)) + "'";
  return to_text(text + ")");
}

}  // namespace

void bind_events(nb::module_& module) {
  const auto text_of = [](std::string PolicyAct::* member) {
    return [member](const PolicyAct& act) { return to_text(act.*member); };
  };
  nb::class_<PolicyAct>(module, "Act", "What a policy does to a group, and why.")
      .def_prop_ro("policy", text_of(&PolicyAct::policy), nb::sig("def policy(self) -> str"), "Its name.")
      .def_prop_ro(
          "kind", [](const PolicyAct& act) { return to_name(act.kind); }, nb::sig("def kind(self) -> str"),
          "\"retire\", \"fork\", \"spawn\", \"push\" or \"end\".")
      .def_ro("step", &PolicyAct::step, "The clock.")
      .def_ro("lane", &PolicyAct::lane, "That it is about, the new one of fork and spawn; -1: the group.")
      .def_ro("parent", &PolicyAct::parent, "Of a fork; else -1.")
      .def_prop_ro("text", text_of(&PolicyAct::text), nb::sig("def text(self) -> str"),
                   "That a lane is given.")
      .def_prop_ro("reason", text_of(&PolicyAct::reason), nb::sig("def reason(self) -> str"))
      .def_prop_ro("refused", text_of(&PolicyAct::refused), nb::sig("def refused(self) -> str"),
                   "Not empty: it did not happen, and why.");
  nb::class_<Event>(module, "Event", "One thing that happened to a group. Lanes and steps count from 0.")
      .def_prop_ro(
          "kind", [](const Event& event) { return to_name(event.kind); }, nb::sig("def kind(self) -> str"),
          "\"prompt_read\", \"lane_started\", \"token\", \"lane_slept\", \"lane_woke\", \"lane_finished\", "
          "\"policy\" or \"group_finished\".")
      .def_ro("lane", &Event::lane, "-1 where the event is the group's.")
      .def_ro("step", &Event::step, "Of a token: at which it is fed; else the clock.")
      .def_ro("token", &Event::token, "Of a token: its id.")
      .def_prop_ro(
          "text", [](const Event& event) { return to_text(event.text); }, nb::sig("def text(self) -> str"),
          "Text that became complete with this token: whole characters, maybe none.")
      .def_ro("second_stage", &Event::second_stage, "Of lane_started: the lane of then=.")
      .def_ro("forced", &Event::forced, "A tag, a lane's text or a pushed text.")
      .def_prop_ro(
          "logprob", [](const Event& event) { return to_value_or_none(event.logprob); },
          nb::sig("def logprob(self) -> float | None"), "Of a sampled token, natural logarithm.")
      .def_prop_ro("top", &alternatives, nb::sig("def top(self) -> list[tuple[int, float]]"),
                   "Alternatives with their log-probabilities, likeliest first, top_logprobs of them.")
      .def_prop_ro(
          "act", [](const Event& event) { return event.act ? nb::cast(*event.act) : nb::none(); },
          nb::sig("def act(self) -> Act | None"), "Of a policy.")
      .def_prop_ro("finish", &finish_of, nb::sig("def finish(self) -> str | None"),
                   "Why a lane or a group ended.")
      .def("__repr__", &described, nb::sig("def __repr__(self) -> str"));
}

}  // namespace lanerope::python
