// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace lanerope::cli {

// The bundled model, looked for beside the program, where it was installed to, and in a checkout's models/.
// Throws InvalidRequest where there is none.
std::string default_model_file();

}  // namespace lanerope::cli
