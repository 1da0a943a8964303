// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gguf/parse.h"

namespace lanerope::gguf {

// Whether every number in the data of `tensor` is finite: values of f32, f16, bf16 and f64, scales of
// quantised blocks. Reads the data (once through, so it also brings a mapped file into memory); any number of
// threads.
bool all_finite(const TensorInfo& tensor);

}  // namespace lanerope::gguf
