// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "convert.h"
#include "lanerope/lanerope.h"

namespace lanerope::python {

namespace {

template <typename Enum>
nb::list list_of() {
  nb::list all;
  for (const Named<Enum>& named : names<Enum>()) all.append(to_text(named.name));
  return all;
}

nb::dict all_names() {
  nb::dict all;
  all["coupling"] = list_of<CouplingKind>();
  all["init"] = list_of<OmegaInit>();
  all["visibility"] = list_of<Visibility>();
  all["topology"] = list_of<Topology>();
  all["far_lanes"] = list_of<FarLanes>();
  all["sees_from"] = list_of<SeesFrom>();
  all["prompt_lane"] = list_of<PromptLane>();
  all["select"] = list_of<SelectionKind>();
  all["vote_weight"] = list_of<VoteWeight>();
  all["kv_type"] = list_of<KvType>();
  all["back_end"] = list_of<BackEnd>();
  all["finish"] = list_of<FinishReason>();
  all["event"] = list_of<EventKind>();
  all["act"] = list_of<ActKind>();
  all["answer_from"] = list_of<AnswerFrom>();
  all["confidence_kind"] = list_of<ConfidenceKind>();
  return all;
}

}  // namespace

void bind_names(nb::module_& module) {
  module.def("names", &all_names, nb::sig("def names() -> dict[str, list[str]]"),
             "The names of every enum, as the library has them.");
  module.def("version", [] { return std::string(version()); });
  module.def(
      "device_names", [] { return device_names(); },
      "Devices that ggml found on this machine, \"cpu\" first.");
  module.def("set_back_end_folder", &set_back_end_folder, nb::arg("folder"));
}

}  // namespace lanerope::python
