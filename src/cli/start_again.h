// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lanerope::cli {

// main's argv.
void remember_program(char** arguments);

// This process becomes the program once more, with the same arguments and none of its files, connections and
// memory. From any thread.
[[noreturn]] void start_again();

}  // namespace lanerope::cli
