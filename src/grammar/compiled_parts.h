// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <xgrammar/compiler.h>

#include "grammar/compiler.h"

namespace lanerope::grammar {

struct CompiledFormat::Parts {
  xgrammar::CompiledGrammar grammar;
  int32_t n_vocab = 0;
};

}  // namespace lanerope::grammar
