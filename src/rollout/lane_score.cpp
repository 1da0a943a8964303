// SPDX-License-Identifier: Apache-2.0
#include "rollout/lane_score.h"

#include <algorithm>
#include <optional>
#include <span>

#include "answers/equal.h"
#include "answers/extract.h"

namespace lanerope::rollout {

std::string true_answer(const std::string& answer) {
  const bool is_solution =
      answer.find("####") != std::string::npos || answer.find("\\boxed{") != std::string::npos;
  return is_solution ? answers::extract_answer(answer).value_or(answer) : answer;
}

bool is_right(const std::string& text, bool cut_off, const std::string& truth) {
  const std::optional<answers::Answer> answer = answers::lane_answer(text, !cut_off);
  return answer && answers::answers_equal(answer->text, truth);
}

std::string written_text(const Model& model, const LaneResult& lane, std::span<const std::string> stop) {
  std::span<const TokenId> tokens(lane.tokens);
  tokens = tokens.last(std::min(tokens.size(), static_cast<size_t>(lane.generated)));
  if (!tokens.empty() && lane.finish == FinishReason::end) tokens = tokens.first(tokens.size() - 1);
  std::string text = model.decode(tokens);
  if (lane.finish != FinishReason::stop) return text;
  // The lane's tokens hold the stop string, and maybe what its last token says behind it.
  size_t end = text.size();
  for (const std::string& ending : stop) end = std::min(end, text.find(ending));
  text.resize(end);
  return text;
}

}  // namespace lanerope::rollout
