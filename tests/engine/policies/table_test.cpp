// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>

#include "tests/engine/policies/policy_fixture.h"

namespace lanerope::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PolicyTable : public Policies {
 protected:
  std::shared_ptr<const ResolvedRequest> resolved(const std::vector<std::string>& texts) const {
    Request request = writing(4, 32);
    for (const std::string& text : texts) request.policies.push_back(parse_policy(text));
    return resolve(*model, request);
  }
  std::string refusal(const std::vector<std::string>& texts) const {
    try {
      resolved(texts);
    } catch (const InvalidRequest& error) {
      return error.what();
    }
    return "not refused";
  }
};

TEST_F(PolicyTable, ReadsAndWritesAPolicyAsText) {
  const PolicyChoice choice = parse_policy(R"(finish:at=12;text=so\, then\; \\boxed{\n=)");
  EXPECT_EQ(choice.name, "finish");
  EXPECT_THAT(choice.settings,
              ElementsAre(PolicyValue{"at", "12"}, PolicyValue{"text", "so, then; \\boxed{\n="}));
  EXPECT_EQ(parse_policy(to_text(choice)).settings, choice.settings);
  EXPECT_EQ(to_text(parse_policy("prune")), "prune");
  for (const char* bad : {"", ":a=b", "prune:window", "finish:text=\\x", "finish:text=a\\"})
    EXPECT_THROW(parse_policy(bad), InvalidRequest) << bad;
}

TEST_F(PolicyTable, FillsInWhatIsNotSaid) {
  const auto request = resolved({"prune:keep=3", "consensus"});
  EXPECT_EQ(to_text(request->policies.at(0)), "prune:window=64,ratio=0.8,keep=3");
  EXPECT_EQ(to_text(request->policies.at(1)), "consensus:lanes=0");
}

TEST_F(PolicyTable, SaysWhatIsWrongAndWhatToDo) {
  EXPECT_EQ(refusal({"prun"}),
            "there is no policy \"prun\"; there are consensus, budget, prune, finish, fork-on-doubt, refill, "
            "adaptive, conductor, nudge");
  EXPECT_EQ(refusal({"prune:windo=3"}), "the policy prune has no \"windo\"; it has window, ratio, keep");
  EXPECT_EQ(refusal({"prune:window=0"}),
            "window of the policy prune is \"0\"; it must be a whole number from 1 to 16777216");
  EXPECT_EQ(refusal({"prune:window=2.5"}),
            "window of the policy prune is \"2.5\"; it must be a whole number from 1 to 16777216");
  EXPECT_EQ(refusal({"prune:ratio=much"}),
            "ratio of the policy prune is \"much\"; it must be a number from 0 to 1");
  EXPECT_EQ(refusal({"budget"}),
            "tokens of the policy budget must be given; it is a whole number from 1 to 16777216");
  EXPECT_EQ(refusal({"prune:keep=2,keep=3"}), "the policy prune is told its keep twice");
  EXPECT_THAT(refusal({"prune", "prune:keep=3"}), HasSubstr("asked for twice"));
  EXPECT_THAT(refusal({"consensus:lanes=5"}), HasSubstr("at most the number of lanes"));
}

// Of four lanes.
TEST_F(PolicyTable, RefusesWhatNeverActsHoweverTheLanesWrite) {
  EXPECT_EQ(refusal({"prune:keep=8"}),
            "keep of the policy prune is 8, with which it never acts on 4 lanes; give at most 3, or ask for "
            "more lanes");
  const std::vector<std::pair<std::string, int>> most = {
      {"prune:keep=", 3}, {"conductor:lane=", 4}, {"refill:votes=", 3}};
  for (const auto& [text, number] : most) {
    EXPECT_EQ(refusal({text + std::to_string(number)}), "not refused") << text;
    EXPECT_THAT(refusal({text + std::to_string(number + 1)}), HasSubstr("never acts")) << text;
  }
  EXPECT_EQ(refusal({"fork-on-doubt:most=2", "prune:keep=5"}), "not refused") << "six may come to write";
}

TEST_F(PolicyTable, ServesOneLaneToo) {
  Request request = writing(1, 32);
  for (const char* usual : {"prune", "refill", "adaptive", "conductor"}) {
    request.policies = {parse_policy(usual)};
    EXPECT_NO_THROW(resolve(*model, request)) << usual;
  }
  request.policies = {parse_policy("prune:keep=1")};
  EXPECT_THROW(resolve(*model, request), InvalidRequest);
  request.policies.clear();
  EXPECT_NO_THROW(resolve(*model, request, {.policies = {parse_policy("prune:keep=8")}}))
      << "the server's own watch every group";
}

TEST_F(PolicyTable, HoldsTheStopAtAConsensusToo) {
  Request request = writing(4, 32);
  request.selection.consensus = 3;
  EXPECT_EQ(to_text(resolve(*model, request)->policies.at(0)), "consensus:lanes=3");
  request.policies = {parse_policy("consensus:lanes=3")};
  EXPECT_THROW(resolve(*model, request), InvalidRequest) << "asked for twice";
}

TEST_F(PolicyTable, ReservesTheLanesThatPoliciesAdd) {
  EXPECT_EQ(resolved({"consensus", "budget:tokens=9"})->reserved_lanes, 0);
  EXPECT_EQ(resolved({"fork-on-doubt:most=3", "refill"})->reserved_lanes, 5);
}

TEST_F(PolicyTable, TakesTheServersOwnWhereARequestHasNone) {
  const RequestDefaults defaults{.policies = {parse_policy("consensus")}};
  EXPECT_EQ(resolve(*model, writing(4, 32), defaults)->policies.size(), 1U);
  Request request = writing(4, 32);
  request.policies = {parse_policy("prune")};
  EXPECT_EQ(resolve(*model, request, defaults)->policies.at(0).name, "prune");
}

TEST_F(PolicyTable, IsWhatTheDocumentationSays) {
  std::ifstream file(LANEROPE_POLICIES_PAGE);
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const PolicyInfo& policy : lanerope::policies()) {
    const std::string of = "| `" + std::string(policy.name) + "` | ";
    for (const PolicySetting& setting : policy.settings) {
      const std::string usual = setting.usual.empty() ? "–" : std::string(setting.usual);
      EXPECT_THAT(page, HasSubstr(of + "`" + std::string(setting.name) + "` | " + usual + " | "))
          << policy.name;
    }
  }
}

}  // namespace
}  // namespace lanerope::engine
