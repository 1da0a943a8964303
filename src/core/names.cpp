// SPDX-License-Identifier: Apache-2.0
// The names of all public enums, one table each.
#include "lanerope/names.h"

#include "lanerope/answer_format.h"
#include "lanerope/chat_style.h"
#include "lanerope/coupling.h"
#include "lanerope/engine.h"
#include "lanerope/model.h"
#include "lanerope/policy_act.h"
#include "lanerope/request.h"
#include "lanerope/result.h"

namespace lanerope {

template <>
std::span<const Named<CouplingKind>> names() {
  static constexpr Named<CouplingKind> all[] = {
      {CouplingKind::independent, "independent"}, {CouplingKind::lanerope, "lanerope"},
      {CouplingKind::groupthink, "groupthink"},   {CouplingKind::hogwild, "hogwild"},
      {CouplingKind::bridge, "bridge"},
  };
  return all;
}

template <>
std::span<const Named<OmegaInit>> names() {
  static constexpr Named<OmegaInit> all[] = {
      {OmegaInit::rope, "rope"},   {OmegaInit::gt, "gt"},
      {OmegaInit::ntk, "ntk"},     {OmegaInit::ntk_by_parts, "ntk-by-parts"},
      {OmegaInit::given, "given"},
  };
  return all;
}

template <>
std::span<const Named<Visibility>> names() {
  static constexpr Named<Visibility> all[] = {
      {Visibility::inclusive, "inclusive"},
      {Visibility::strict, "strict"},
      {Visibility::interleaved, "interleaved"},
  };
  return all;
}

template <>
std::span<const Named<Topology>> names() {
  static constexpr Named<Topology> all[] = {
      {Topology::all, "all"},
      {Topology::ring, "ring"},
      {Topology::tree, "tree"},
      {Topology::blocks, "blocks"},
  };
  return all;
}

template <>
std::span<const Named<FarLanes>> names() {
  static constexpr Named<FarLanes> all[] = {
      {FarLanes::extrapolated, "extrapolated"},
      {FarLanes::clamped, "clamped"},
      {FarLanes::wrapped, "wrapped"},
      {FarLanes::interpolated, "interpolated"},
  };
  return all;
}

template <>
std::span<const Named<SeesFrom>> names() {
  static constexpr Named<SeesFrom> all[] = {
      {SeesFrom::start, "start"},
      {SeesFrom::hand_over, "hand-over"},
  };
  return all;
}

template <>
std::span<const Named<PromptLane>> names() {
  static constexpr Named<PromptLane> all[] = {
      {PromptLane::own, "own"},
      {PromptLane::first, "first"},
  };
  return all;
}

template <>
std::span<const Named<BackEnd>> names() {
  static constexpr Named<BackEnd> all[] = {
      {BackEnd::automatic, "automatic"},
      {BackEnd::kernels, "kernels"},
      {BackEnd::ggml, "ggml"},
  };
  return all;
}

template <>
std::span<const Named<SplitMode>> names() {
  static constexpr Named<SplitMode> all[] = {
      {SplitMode::none, "none"},
      {SplitMode::layer, "layer"},
  };
  return all;
}

template <>
std::span<const Named<KvType>> names() {
  static constexpr Named<KvType> all[] = {
      {KvType::f16, "f16"},
      {KvType::f32, "f32"},
      {KvType::q8_0, "q8_0"},
  };
  return all;
}

template <>
std::span<const Named<SelectionKind>> names() {
  static constexpr Named<SelectionKind> all[] = {
      {SelectionKind::vote, "vote"},         {SelectionKind::logprob, "logprob"},
      {SelectionKind::verifier, "verifier"}, {SelectionKind::first, "first"},
      {SelectionKind::then, "then"},         {SelectionKind::none, "none"},
  };
  return all;
}

template <>
std::span<const Named<VoteWeight>> names() {
  static constexpr Named<VoteWeight> all[] = {
      {VoteWeight::equal, "equal"},
      {VoteWeight::logprob, "logprob"},
      {VoteWeight::self_certainty, "self-certainty"},
      {VoteWeight::lowest_window, "lowest-window"},
  };
  return all;
}

template <>
std::span<const Named<FormatKind>> names() {
  static constexpr Named<FormatKind> all[] = {
      {FormatKind::any, "any"},
      {FormatKind::json, "json"},
      {FormatKind::json_schema, "json_schema"},
      {FormatKind::grammar, "grammar"},
      {FormatKind::regex, "regex"},
      {FormatKind::choice, "choice"},
      {FormatKind::structural_tag, "structural_tag"},
  };
  return all;
}

template <>
std::span<const Named<ToolStyle>> names() {
  static constexpr Named<ToolStyle> all[] = {
      {ToolStyle::none, "none"},
      {ToolStyle::hermes, "hermes"},
      {ToolStyle::qwen_xml, "qwen_xml"},
      {ToolStyle::llama, "llama"},
      {ToolStyle::mistral_list, "mistral_list"},
      {ToolStyle::mistral, "mistral"},
      {ToolStyle::deepseek, "deepseek"},
      {ToolStyle::deepseek_v31, "deepseek_v31"},
      {ToolStyle::harmony, "harmony"},
  };
  return all;
}

template <>
std::span<const Named<FinishReason>> names() {
  static constexpr Named<FinishReason> all[] = {
      {FinishReason::none, "none"},           {FinishReason::end, "end"},
      {FinishReason::stop, "stop"},           {FinishReason::length, "length"},
      {FinishReason::retired, "retired"},     {FinishReason::consensus, "consensus"},
      {FinishReason::cancelled, "cancelled"}, {FinishReason::failed, "failed"},
  };
  return all;
}

template <>
std::span<const Named<ConfidenceKind>> names() {
  static constexpr Named<ConfidenceKind> all[] = {
      {ConfidenceKind::none, "none"},
      {ConfidenceKind::vote_share, "vote_share"},
      {ConfidenceKind::weight_share, "weight_share"},
      {ConfidenceKind::mean_probability, "mean_probability"},
      {ConfidenceKind::verifier_score, "verifier_score"},
      {ConfidenceKind::calibrated, "calibrated"},
  };
  return all;
}

template <>
std::span<const Named<AnswerFrom>> names() {
  static constexpr Named<AnswerFrom> all[] = {
      {AnswerFrom::box, "box"},       {AnswerFrom::mark, "mark"},
      {AnswerFrom::frame, "frame"},   {AnswerFrom::last_expression, "last_expression"},
      {AnswerFrom::format, "format"}, {AnswerFrom::call, "call"},
  };
  return all;
}

template <>
std::span<const Named<ActKind>> names() {
  static constexpr Named<ActKind> all[] = {
      {ActKind::retire, "retire"}, {ActKind::fork, "fork"}, {ActKind::spawn, "spawn"},
      {ActKind::push, "push"},     {ActKind::end, "end"},
  };
  return all;
}

template <>
std::span<const Named<ToolWait>> names() {
  static constexpr Named<ToolWait> all[] = {{ToolWait::call, "call"}, {ToolWait::end, "end"}};
  return all;
}

template <>
std::span<const Named<EventKind>> names() {
  static constexpr Named<EventKind> all[] = {
      {EventKind::prefill, "prompt_read"},
      {EventKind::lane_started, "lane_started"},
      {EventKind::token, "token"},
      {EventKind::lane_slept, "lane_slept"},
      {EventKind::lane_woke, "lane_woke"},
      {EventKind::policy, "policy"},
      {EventKind::tool_called, "tool_called"},
      {EventKind::tool_returned, "tool_returned"},
      {EventKind::lane_finished, "lane_finished"},
      {EventKind::group_finished, "group_finished"},
  };
  return all;
}

}  // namespace lanerope
