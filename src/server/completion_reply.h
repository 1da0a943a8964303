// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/completion_writer.h"
#include "server/reply_writer.h"

namespace lanerope::server {

// What every way of answering needs to know of a request.
struct ReplyContext {
  std::shared_ptr<const ApiRequest> api = {};
  std::vector<std::shared_ptr<const ResolvedRequest>> groups = {};  // as resolve_groups() has them
  std::shared_ptr<const Model> model = {};
  std::string model_id = {};
  int64_t created = 0;  // seconds since 1970
};

// OpenAI's chat and text completions: the choices of all groups under one id, their usage summed. Indices go
// prompt by prompt, answer by answer, lane by lane.
class CompletionReply final : public ReplyWriter {
 public:
  explicit CompletionReply(ReplyContext context);

  std::string take(const GroupSet::Happening& happened) override;
  std::string closing() override;
  std::string failure(const ErrorReply& error) override;
  Json response() const override;

  // The parts, for the API that is built on this one.
  std::vector<Json> take_chunks(const GroupSet::Happening& happened);
  TokenUsage usage() const;  // a prompt counts once, however many answers it has

 private:
  bool chat() const { return context_.api->endpoint == ApiEndpoint::chat; }
  Json envelope(bool chunk) const;
  void add_lanes(Json& json) const;

  ReplyContext context_;
  std::string id_;
  std::vector<CompletionWriter> writers_;  // [groups]
  // Chunks of groups whose forerunners have not begun: clients want to see the choices in order at first.
  std::vector<std::vector<Json>> held_;
  size_t begun_ = 0;
};

Json usage_json(const TokenUsage& usage);

}  // namespace lanerope::server
