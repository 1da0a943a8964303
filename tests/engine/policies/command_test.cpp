// SPDX-License-Identifier: Apache-2.0
// Policies that are programs of the user's.
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/engine/policies/policy_fixture.h"

namespace lanerope::engine {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PolicyCommands : public Policies {
 protected:
  // A program that answers the line of clock 3 with `acts` and others with none, and keeps what it read.
  std::string at_step_3(const std::string& acts) {
    return "while read -r line; do printf '%s\\n' \"$line\" >> " + lines_ +
           "; case $line in '{\"kind\":\"start\"'*) ;; *'\"clock\":3,'*) echo '" + acts +
           "' ;; *) echo '[]' ;; esac; done";
  }

  support::GroupRun run_with(Request request, const std::string& command, double timeout = 20) {
    request.selection.kind = SelectionKind::none;
    request.policy_command = {.command = command, .timeout = timeout};
    return support::run_group(engine, request);
  }

  std::vector<json> lines() const {
    std::ifstream file(lines_);
    std::vector<json> all;
    for (std::string line; std::getline(file, line);) all.push_back(json::parse(line));
    return all;
  }

 private:
  std::string lines_ = support::new_file(".jsonl");
};

TEST_F(PolicyCommands, ActInTheStepThatTheyAreTold) {
  Request request = writing(3, 12);
  request.reserved_lanes = 2;
  const support::GroupRun of = run_with(
      request, at_step_3(R"([{"act":"retire","lane":1,"reason":"dull"},{"act":"fork","lane":0,"step":2},)"
                         R"({"act":"push","lane":2,"text":" so"},{"act":"spawn","text":"Hm"}])"));
  EXPECT_THAT(acts(of), ElementsAre("3 retire 1", "3 fork 3", "3 push 2", "3 spawn 4"));
  EXPECT_EQ(of.result.acts[0].policy, "command");
  EXPECT_EQ(of.result.acts[0].reason, "dull");
  EXPECT_EQ(of.result.lanes[3].tokens.at(0), of.result.lanes[0].tokens.at(1));
  EXPECT_THAT(of.result.lanes[4].text, testing::StartsWith("Hm"));
  EXPECT_EQ(of.result.note, "");
}

TEST_F(PolicyCommands, EndAGroup) {
  const support::GroupRun of = run_with(writing(2, 12), at_step_3(R"([{"act":"end","reason":"enough"}])"));
  EXPECT_THAT(acts(of), ElementsAre("3 end -1"));
  EXPECT_EQ(of.result.lanes[1].tokens.size(), 4U);
  EXPECT_EQ(of.result.lanes[1].finish, FinishReason::retired);
}

TEST_F(PolicyCommands, ReadALineAStep) {
  Request request = writing(2, 16);
  request.lane_texts = {"\\boxed{7} "};
  const support::GroupRun of = run_with(request, at_step_3("[]"));
  const std::vector<json> read = lines();
  ASSERT_EQ(read.size(), 16U) << "a start, and each step behind which lanes wrote on";
  EXPECT_EQ(read[0].at("kind"), "start");
  EXPECT_THAT(read[0].at("prompt").get<std::string>(), HasSubstr("Count to four."));
  EXPECT_EQ(read[0].at("lanes"), 2);
  std::string text;
  for (size_t i = 1; i < read.size(); ++i) {
    EXPECT_EQ(read[i].at("clock"), i - 1);
    text += read[i].at("lanes").at(1).at("text").get<std::string>();
  }
  EXPECT_EQ(text, of.result.lanes[1].text.substr(0, text.size()));
  EXPECT_FALSE(text.empty());
  EXPECT_EQ(read.back().at("lanes").at(0).at("answer"), "7");
  EXPECT_EQ(read.back().at("votes"), json::parse(R"([{"answer": "7", "count": 1}])"));
  const json& drawn = read[2].at("lanes").at(1).at("drawn");
  EXPECT_EQ(drawn.at("token"), of.result.lanes[1].tokens.at(1));
  EXPECT_LE(drawn.at("logprob"), drawn.at("likeliest").at("logprob"));
}

TEST_F(PolicyCommands, AreToldWhatWasRefused) {
  const support::GroupRun of =
      run_with(writing(2, 8), at_step_3(R"([{"act":"retire","lane":1},{"act":"retire","lane":1}])"));
  EXPECT_EQ(lines().at(5).at("refused").at(0).at("why"), "lane 1 has already ended");
  EXPECT_EQ(of.result.acts.at(1).refused, "lane 1 has already ended");
  EXPECT_FALSE(lines().at(6).contains("refused"));
  EXPECT_EQ(of.result.note, "");
}

TEST_F(PolicyCommands, ThatFailAreGoneOnWithout) {
  const auto note = [this](const std::string& command, double timeout = 20) {
    const support::GroupRun of = run_with(writing(2, 8), command, timeout);
    EXPECT_EQ(of.result.lanes[1].tokens.size(), 8U);
    EXPECT_THAT(acts(of), IsEmpty());
    EXPECT_THAT(of.result.note, HasSubstr("the group went on without it"));
    return of.result.note;
  };
  EXPECT_THAT(note("exit 3"), HasSubstr("the policy command ended"));
  EXPECT_THAT(note("sleep 60", 0.2), HasSubstr("took too long and was cut off"));
  EXPECT_THAT(note(at_step_3("hello")), HasSubstr("wrote a line that is no JSON list of acts"));
  EXPECT_THAT(note(at_step_3(R"([{"act":"stop"}])")),
              HasSubstr("wrote the act \"stop\"; an act is retire, fork, spawn, push or end"));
  EXPECT_THAT(note(at_step_3(R"([{"act":"retire"}])")), HasSubstr("wrote the act retire without its lane"));
  EXPECT_THAT(note(at_step_3(R"([{"act":"end","lane":1}])")), HasSubstr("the key \"lane\""));
  EXPECT_THAT(note("yes | tr -d '\\n'"), HasSubstr("a line that is too long"));
}

TEST_F(PolicyCommands, NeedATimeOutThatIsOne) {
  EXPECT_THROW(run_with(writing(1, 4), "cat", 0), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::engine
