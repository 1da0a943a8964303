// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace lanerope::eval {

// report_page.html as it was when this was built; "LANEROPE_TITLE" and "LANEROPE_REPORT" stand for the data.
std::string_view report_page_template();

}  // namespace lanerope::eval
