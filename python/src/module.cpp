// SPDX-License-Identifier: Apache-2.0
// lanerope._core, what the package lanerope stands on. People use the package.
#include "bindings.h"

NB_MODULE(_core, module) {
  using namespace lanerope::python;
  module.doc() = "What the package lanerope is made on; use the package.";
  bind_errors(module);
  bind_names(module);
  bind_model(module);
  bind_request(module);
  bind_events(module);
  bind_engine(module);
  bind_hub(module);
  bind_answers(module);
}
