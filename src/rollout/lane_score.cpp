// SPDX-License-Identifier: Apache-2.0
#include "rollout/lane_score.h"

#include <algorithm>
#include <optional>
#include <span>

#include "engine/answer.h"
#include "engine/answer_match.h"

namespace lanerope {

std::string true_answer(const std::string& answer) {
  const bool is_solution =
      answer.find("####") != std::string::npos || answer.find("\\boxed{") != std::string::npos;
  return is_solution ? extract_answer(answer).value_or(answer) : answer;
}

bool is_right(const std::string& text, bool cut_off, const std::string& truth) {
  const std::optional<std::string> answer = cut_off ? extract_settled_answer(text) : extract_answer(text);
  return answer && answers_equal(*answer, truth);
}

std::string written_text(const Model& model, const LaneResult& lane) {
  std::span<const TokenId> tokens(lane.tokens);
  tokens = tokens.last(std::min(tokens.size(), static_cast<size_t>(lane.generated)));
  if (!tokens.empty() && lane.finish == FinishReason::end) tokens = tokens.first(tokens.size() - 1);
  return model.decode(tokens);
}

}  // namespace lanerope
