// SPDX-License-Identifier: Apache-2.0
// One lane tells the others what to do.
#include "tests/engine/policies/policy_fixture.h"

namespace lanerope::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AConductor : public Policies {
 protected:
  Request conducted(const std::string& text) const {
    Request request = saying({text, std::string(200, 'z')});
    request.budget = 400;
    return request;
  }
};

// "push 1 \n@2: text\n", of an act that was refused why.
std::vector<std::string> told(const support::GroupRun& run) {
  std::vector<std::string> texts;
  for (const PolicyAct& act : run.result.acts)
    texts.push_back(std::to_string(act.lane) + " " + (act.refused.empty() ? act.text : act.refused));
  return texts;
}

TEST_F(AConductor, PushesItsLinesToTheLanesThatTheyName) {
  const support::GroupRun of =
      run(conducted("So:\n@2: check the sum\n @2: and\nnot @2: this\n@2:\n@x: y\n@2 no\n@2: the end"),
          {parse_policy("conductor")});
  EXPECT_THAT(told(of), ElementsAre("1 \n@2: check the sum\n", "1 \n@2: and\n", "1 \n@2: the end\n"));
  EXPECT_THAT(of.result.lanes[1].text, HasSubstr("z\n@2: check the sum\n\n@2: and\n\n@2: the end\n"));
  EXPECT_EQ(of.result.acts[0].policy, "conductor");
  EXPECT_EQ(of.result.acts[0].reason, "lane 1 says so");
}

TEST_F(AConductor, CannotReachALaneThatIsNotThereAndIsNoneOfItsOwn) {
  const support::GroupRun of =
      run(conducted("@9: hello\n@1: me\n@0: x\n"), {parse_policy("conductor:lane=1")});
  EXPECT_THAT(told(of), ElementsAre("8 the group has no lane 8", "-1 the group has no lane -1"));
  EXPECT_THAT(of.result.lanes[0].text, HasSubstr("@9: hello")) << "the group goes on";
}

TEST_F(AConductor, IsOneLaneAlone) {
  EXPECT_THAT(told(run(conducted("@2: hello\n"), {parse_policy("conductor:lane=2")})), IsEmpty());
  EXPECT_THROW(run(conducted("@2: hello\n"), {parse_policy("conductor:lane=7")}), InvalidRequest)
      << "a lane that will never be there";
  EXPECT_THAT(told(run(conducted("@2: hello\n"), {})), IsEmpty());
}

}  // namespace
}  // namespace lanerope::engine
