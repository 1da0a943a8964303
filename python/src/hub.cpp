// SPDX-License-Identifier: Apache-2.0
#include "lanerope/hub.h"

#include "bindings.h"
#include "convert.h"

namespace lanerope::python {

namespace {

// Fetches without the GIL; Ctrl-C ends it.
nb::object fetch(const std::string& name, bool adapter, const std::string& token, bool offline) {
  bool interrupted = false;
  std::string file;
  try {
    const nb::gil_scoped_release release;
    const HubOptions options{.token = token, .offline = offline, .stopped = [&interrupted] {
                               const nb::gil_scoped_acquire acquire;
                               interrupted = interrupted || PyErr_CheckSignals() != 0;
                               return interrupted;
                             }};
    file = adapter ? hub_adapter(name, options) : hub_model(name, options);
  } catch (const Error&) {
    if (interrupted) throw nb::python_error();
    throw;
  }
  return to_text(file);
}

}  // namespace

void bind_hub(nb::module_& module) {
  module.def(
      "hub_file", &fetch, nb::arg("name"), nb::arg("adapter"), nb::arg("token"), nb::arg("offline"),
      nb::sig("def hub_file(name: str, adapter: bool, token: str, offline: bool) -> str"),
      "The file of a name \"hf:user/repo[:quant]\", fetched where it is not there; any other name as it is.");
}

}  // namespace lanerope::python
