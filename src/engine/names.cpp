// SPDX-License-Identifier: Apache-2.0
#include "core/enum_table.h"
#include "lanerope/request.h"
#include "lanerope/result.h"

namespace lanerope {

namespace {

constexpr auto selection_kinds = enum_table<SelectionKind, 5>({
    {SelectionKind::none, "none"},
    {SelectionKind::vote, "vote"},
    {SelectionKind::logprob, "logprob"},
    {SelectionKind::verifier, "verifier"},
    {SelectionKind::first, "first"},
});

constexpr auto finish_reasons = enum_table<FinishReason, 7>({
    {FinishReason::none, "none"},
    {FinishReason::end, "end"},
    {FinishReason::stop, "stop"},
    {FinishReason::length, "length"},
    {FinishReason::retired, "retired"},
    {FinishReason::consensus, "consensus"},
    {FinishReason::cancelled, "cancelled"},
});

constexpr auto event_kinds = enum_table<EventKind, 5>({
    {EventKind::prompt_read, "prompt_read"},
    {EventKind::lane_started, "lane_started"},
    {EventKind::token, "token"},
    {EventKind::lane_finished, "lane_finished"},
    {EventKind::group_finished, "group_finished"},
});

}  // namespace

std::string_view name(SelectionKind value) {
  return selection_kinds.name(value);
}
std::optional<SelectionKind> parse_selection_kind(std::string_view text) {
  return selection_kinds.parse(text);
}
std::string_view name(FinishReason value) {
  return finish_reasons.name(value);
}
std::string_view name(EventKind value) {
  return event_kinds.name(value);
}

}  // namespace lanerope
