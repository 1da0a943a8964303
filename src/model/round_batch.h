// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/batch.h"

namespace lanerope::model {

struct Rounding {
  int32_t first_spare_cell = 0;
  bool keeps_plans = false;  // beside their tensors
};

// The batch with as many rows and outputs as rounded sizes have, and its plans as tensors of rounded sizes:
// many batches have one shape then, and one graph. Rows that fill up repeat the first row's token and write
// to cells from `first_spare_cell` on, of which there must be core::most_added_rows; the outputs that fill up
// are row 0.
Batch rounded(const Batch& batch, const Rounding& how);

}  // namespace lanerope::model
