// SPDX-License-Identifier: Apache-2.0
#include "eval/report_questions.h"

#include <nlohmann/json.hpp>

namespace lanerope::eval {

namespace {

using Json = nlohmann::ordered_json;

// At most `most` bytes, whole characters of UTF-8.
std::string shortened(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

constexpr size_t question_bytes = 400;
constexpr size_t answer_bytes = 80;

}  // namespace

ReportQuestions report_questions(const PairedArms& arms, std::span<const EvalQuestion> questions,
                                 int32_t budget, bool unfinished) {
  ReportQuestions report;
  for (const PairedArm& arm : arms.arms) report.arms.push_back(arm.name);
  for (size_t i = 0; i < arms.questions.size(); ++i) {
    const EvalQuestion& question = questions[static_cast<size_t>(arms.questions[i])];
    ReportQuestion entry{.index = arms.questions[i],
                         .text = shortened(question.text, question_bytes),
                         .truth = shortened(question.truth, answer_bytes)};
    for (const PairedArm& arm : arms.arms) {
      std::vector<ReportLane> lanes;
      for (const LaneVote& vote : arm.questions[i].within(budget, unfinished)) {
        ReportLane lane{.right = vote.right, .length = vote.lane->length};
        if (vote.answer) {
          const bool last = vote.ended && vote.lane->answer;
          lane.answer = shortened(last ? *vote.lane->answer : arm.questions[i].answers()[*vote.answer].text,
                                  answer_bytes);
          if (last && vote.lane->answer_from) lane.from = name(*vote.lane->answer_from);
        }
        lanes.push_back(std::move(lane));
      }
      entry.lanes.push_back(std::move(lanes));
    }
    report.questions.push_back(std::move(entry));
  }
  return report;
}

std::string questions_json(const ReportQuestions& questions) {
  Json list = Json::array();
  for (const ReportQuestion& question : questions.questions) {
    Json arms = Json::array();
    for (const std::vector<ReportLane>& lanes : question.lanes) {
      Json arm = Json::array();
      for (const ReportLane& lane : lanes)
        arm.push_back({lane.answer, lane.from, lane.right ? 1 : 0, lane.length});
      arms.push_back(std::move(arm));
    }
    list.push_back(
        {{"index", question.index}, {"question", question.text}, {"truth", question.truth}, {"arms", arms}});
  }
  const Json json = {{"arms", questions.arms}, {"questions", list}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace lanerope::eval
