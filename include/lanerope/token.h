// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lanerope {

// An index into the vocabulary of a model.
using TokenId = int32_t;

}  // namespace lanerope
