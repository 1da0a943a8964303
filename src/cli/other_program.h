// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace lanerope::cli {

// Becomes `program`, which is looked for beside this one and then on the PATH, with `arguments`. Returns only
// by an exception: SystemError, with `missing` as its sentence, where there is no such program.
[[noreturn]] void become_program(const std::string& program, std::vector<std::string> arguments,
                                 const std::string& missing);

}  // namespace lanerope::cli
