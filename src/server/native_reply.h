// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "server/completion_reply.h"

namespace lanerope::server {

// POST /completion as llama.cpp's server has it: one object for one answer, an array of them for several,
// with `content` and no choices. Of a group whose lanes all come back each lane is an answer.
class NativeReply final : public ReplyWriter {
 public:
  explicit NativeReply(ReplyContext context);

  std::string take(const GroupSet::Happening& happened) override;
  std::string failure(const ErrorReply& error) override;
  Json response() const override;

 private:
  struct Answer {
    std::string text = {};
    std::vector<TokenId> tokens = {};
    std::vector<PromptToken> probabilities = {};
    int32_t generated = 0;
    FinishReason finish = FinishReason::none;
  };
  const ApiRequest& api() const { return *context_.api; }
  bool returns_all() const { return api().lanes.returned == ReturnedLanes::all; }
  Answer& answer_of(size_t group, int32_t lane);
  Json piece(size_t index, const std::string& text, std::vector<TokenId> tokens) const;
  Json whole(size_t group, int32_t lane, bool with_text) const;
  std::string take_token(size_t group, const Event& event);
  std::string finish(size_t group, const Event& event);

  ReplyContext context_;
  std::vector<std::vector<Answer>> answers_;  // [groups][lanes]
  std::vector<std::shared_ptr<const GroupResult>> results_;
};

}  // namespace lanerope::server
