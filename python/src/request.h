// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "convert.h"
#include "lanerope/model_info.h"
#include "lanerope/resolve.h"

namespace lanerope::python {

// What a caller says of a coupling, out of options that are taken from `options`.
CouplingChoice to_coupling(nb::dict options, const ModelInfo& info);

// A request out of a prompt and options by name, all of which must be known.
Request to_request(nb::handle prompt, nb::dict options, const ModelInfo& info);

// What Python decides where a request does not: the same as `lanerope run`.
RequestDefaults defaults();

}  // namespace lanerope::python
