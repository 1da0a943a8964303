// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lanerope::answers {

// The `count` answers that one answer lists, as in "(5, 1,234, 7)", each without what stands around it;
// nothing where it lists another number of them. A comma inside brackets or before three digits parts
// nothing, the latter where `count` needs it so.
std::vector<std::string> list_elements(std::string_view list, size_t count);

}  // namespace lanerope::answers
