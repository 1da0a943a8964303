// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "server/answer_reader.h"
#include "server/completion_reply.h"

namespace lanerope::server {

// OpenAI's Responses: one object whose output is what was thought, if anything, and a message; streaming as
// its typed events in their official order. Of several lanes the selected one is the output, and streams once
// it is known.
class ResponsesReply final : public ReplyWriter {
 public:
  // `body`: the request as it came, of which the response repeats some fields.
  ResponsesReply(ReplyContext context, Json body);

  std::string opening() override;
  std::string take(const GroupSet::Happening& happened) override;
  std::string closing() override;
  std::string failure(const ErrorReply& error) override;
  Json response() const override;

 private:
  enum class Item { none, reasoning, message };

  bool streams_live() const {
    const ResolvedRequest& request = *context_.groups.front();
    return request.n_lanes() + request.reserved_lanes == 1 && !request.then;
  }
  struct Lane {
    AnswerReader reader;
    std::vector<AnswerReader::Parts> said = {};  // where the output waits for the selected lane
  };
  Lane& lane_of(int32_t index);
  void take_text(const Event& event);
  void tell(const AnswerReader::Parts& parts);
  void say_call(const ToolCall& call);
  void say(Item item, const std::string& text);
  void open(Item item);
  void close_item();
  void finish(const GroupResult& result);
  Json item_json(bool complete) const;
  Json part_json() const;
  Json object(const char* state) const;
  const char* status() const;
  void event(const char* type, const Json& fields);

  ReplyContext context_;
  Json body_;
  std::string id_;
  Item item_ = Item::none;       // the one that is open
  int32_t index_ = -1;           // of it in the output
  std::string item_id_;          // likewise
  std::string said_;             // its text
  Json output_ = Json::array();  // items that are closed
  std::vector<Lane> lanes_;
  int32_t thought_ = 0;  // tokens, of all lanes
  std::shared_ptr<const GroupResult> result_;
  std::string text_;  // of events that are not sent yet
  int64_t sequence_ = 0;
};

}  // namespace lanerope::server
