// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lanerope::kernels {

// Whether this machine multiplies tiles of bytes (x86's Advanced Matrix Extensions, AMX) and the operating
// system lets this process. Asks the system once; any thread may call.
bool amx_is_usable();

}  // namespace lanerope::kernels
