// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

namespace lanerope::python {

namespace nb = nanobind;

// One function for each concept of the module; module.cpp calls them in this order.
void bind_errors(nb::module_& module);
void bind_names(nb::module_& module);
void bind_model(nb::module_& module);
void bind_request(nb::module_& module);
void bind_events(nb::module_& module);
void bind_engine(nb::module_& module);
void bind_hub(nb::module_& module);
void bind_answers(nb::module_& module);

}  // namespace lanerope::python
