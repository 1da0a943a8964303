// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace lanerope::cli {

// src/cli/attention_page.html as it is in the source tree, with {{title}}, {{data}} and {{shares}} still to
// be filled.
std::string_view attention_page_template();

}  // namespace lanerope::cli
