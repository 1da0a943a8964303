// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "answers/equal.h"
#include "answers/extract.h"
#include "lanerope/names.h"

namespace lanerope::answers {

// What a lane says where the kind of the answer is known; `any` is lane_answer. Code: the last fenced block,
// or the text as a whole where there is none, of a lane that came to its end. Exact: what is marked, else the
// last line of such a lane, with what stands around an answer taken off.
std::optional<Answer> lane_answer_of(std::string_view text, bool ended, AnswerKind kind);

}  // namespace lanerope::answers

namespace lanerope {
template <>
std::span<const Named<answers::AnswerKind>> names();
}  // namespace lanerope
