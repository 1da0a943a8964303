// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace lanerope::train {

// src/train/files/curve_page.html as it is in the source tree, with {{data}} still to be filled.
std::string_view curve_page_template();

}  // namespace lanerope::train
