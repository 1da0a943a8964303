// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "convert.h"
#include "lanerope/prompt.h"

namespace lanerope::python {

// Token ids out of a list or an array of whole numbers; `argument` names it in the TypeError.
std::vector<TokenId> to_tokens(std::string_view argument, nb::handle value);

// A prompt out of a text, token ids or messages, with the options that belong to it (prompt_options), which
// are taken out of `options`. A text becomes the user's message, as on the command line; with `raw` it goes
// in as it is.
Prompt to_prompt(nb::handle prompt, nb::dict options);

}  // namespace lanerope::python
