// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace lanerope::text {

// Runs `work` on a thread of its own that has 256 MiB of stack, and waits for it. What it throws is thrown
// here. Throws SystemError where there is no such thread to be had.
void run_on_big_stack(const std::function<void()>& work);

}  // namespace lanerope::text
