// SPDX-License-Identifier: Apache-2.0
#include "train/group_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/sleepers.h"
#include "lanerope/errors.h"
#include "tests/train/toy_run.h"

namespace lanerope::train {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class GroupSourceTest : public testing::Test {
 protected:
  const support::TemporaryDirectory directory;
  const text::VocabularyData vocabulary = byte_vocabulary();
  TrainConfig config;

  // Bytes are tokens, and special tokens have names, so a text can be read off.
  std::string text(const std::vector<TokenId>& tokens) const {
    std::string text;
    for (const TokenId token : tokens)
      text += token < 256 ? std::string(1, static_cast<char>(token)) : vocabulary.tokens[token];
    return text;
  }
  std::string file(const std::string& name, const std::string& lines) const {
    write_text(directory.file(name), lines);
    return directory.file(name);
  }
  TokenGroup encode(const std::string& line, uint64_t seed = 1) const {
    std::mt19937_64 draw(seed);
    return GroupEncoder(vocabulary, config).encode(line, draw);
  }
  static std::string one_lane(const std::string& question, const std::string& answer) {
    return R"({"question": ")" + question + R"(", "lanes": [")" + answer + "\"]}\n";
  }
  // What a source over a file of these lines says when its third group is asked for.
  std::string refusal(const std::string& lines) const {
    const GroupEncoder encoder(vocabulary, config);
    try {
      GroupSource source({{.file = file("bad.jsonl", lines)}}, encoder, 1);
      for (int i = 0; i < 3; ++i) source.next();
      return "(not refused)";
    } catch (const Error& error) {
      return error.what();
    }
  }
};

TEST_F(GroupSourceTest, AsksAsTheChatTemplateDoesAndEndsEveryLane) {
  const TokenGroup group = encode(R"({"question": "2+3?", "lanes": ["five"]})");
  EXPECT_EQ(text(group.prompt), "<|im_start|>user\n2+3?<|im_end|>\n<|im_start|>assistant\n");
  ASSERT_EQ(group.lanes.size(), 1U);
  EXPECT_EQ(text(group.lanes[0].tokens), "five<|im_end|>");
  EXPECT_EQ(group.lanes[0].n_forced, 0) << "a lane by itself has no tag";
  EXPECT_FALSE(group.lanes[0].right);
}

TEST_F(GroupSourceTest, PutsTagsInFrontOfSeveralLanes) {
  const TokenGroup group = encode(R"({"question": "q", "lanes": ["a", "b"], "labels": [true, false]})");
  EXPECT_EQ(text(group.lanes[0].tokens), "<lane1>a<|im_end|>");
  EXPECT_EQ(text(group.lanes[1].tokens), "<lane2>b<|im_end|>");
  EXPECT_EQ(group.lanes[1].n_forced, 1);
  EXPECT_EQ(group.lanes[0].right, true);
  EXPECT_EQ(group.lanes[1].right, false);
  config.tag = "[{k}]";
  EXPECT_EQ(encode(R"({"question": "q", "lanes": ["a", "b"]})").lanes[1].n_forced, 3);
}

TEST_F(GroupSourceTest, ASecondStageIsToldAsTheEnginesIs) {
  const TokenGroup group = encode(
      R"({"question": "q", "lanes": ["a", "b"], "second_stage": {"told": "Sum up.", "written": "c"}})");
  ASSERT_TRUE(group.second_stage);
  EXPECT_EQ(text(group.second_stage->tokens),
            "<|im_end|>\n<|im_start|>user\nSum up.<|im_end|>\n<|im_start|>assistant\nc<|im_end|>");
  EXPECT_EQ(group.second_stage->n_forced, static_cast<int32_t>(group.second_stage->tokens.size()) - 2);
  EXPECT_THAT(
      refusal(
          R"({"question": "q", "lanes": ["a"], "labels": [true], "second_stage": {"told": "x", "written": "c"}})"),
      HasSubstr("labels are those of lanes"));
  EXPECT_THAT(refusal(R"({"question": "q", "lanes": ["a"], "second_stage": {"told": "x"}})"),
              HasSubstr("\"told\" and \"written\""));
}

TEST_F(GroupSourceTest, PutsTheNumberAtEveryPlaceOfATag) {
  config.tag = "{k}:{k}";
  EXPECT_EQ(text(encode(R"({"question": "q", "lanes": ["a", "b"]})").lanes[1].tokens), "2:2b<|im_end|>");
}

TEST_F(GroupSourceTest, PlacesLanesThatSleepOnTheClock) {
  config.tag = "";
  config.wait = "~";
  config.ready = "!";
  const TokenGroup group = encode(R"({"question": "q", "lanes": ["a~b", "cdef!g"]})");
  EXPECT_EQ(group.lanes[0].steps, (std::vector<int32_t>{0, 4, 5, 6}));
  EXPECT_EQ(group.lanes[1].steps, (std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(cost(group), static_cast<int64_t>(group.prompt.size()) + 3 + 6);
  config.joint = false;
  EXPECT_EQ(encode(R"({"question": "q", "lanes": ["a~b", "cdef!g"]})").lanes[0].steps,
            (std::vector<int32_t>{0, 1, 2, 3}));
}

TEST_F(GroupSourceTest, SaysFromWhichTokenOnLanesSeeOneAnother) {
  config.tag = "#";
  config.wait = "~";
  config.ready = "!";
  const std::string line = R"({"question": "q", "lanes": ["a~b", "cdef!~g", "h"]})";
  const auto sees_from = [&] {
    std::vector<int32_t> all;
    for (const LaneTokens& lane : encode(line).lanes) all.push_back(lane.sees_from);
    return all;
  };
  EXPECT_EQ(sees_from(), (std::vector<int32_t>{0, 0, 0}));
  config.sees_from = SeesFrom::hand_over;
  EXPECT_EQ(sees_from(), (std::vector<int32_t>{2, 5, core::never_sees}));
}

TEST_F(GroupSourceTest, RefusesAWaitTextOfSeveralTokens) {
  config.wait = "wait";
  try {
    encode(R"({"question": "q", "lanes": ["a"]})");
    FAIL() << "not refused";
  } catch (const InvalidRequest& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("\"wait\""), HasSubstr("4 tokens")));
  }
}

TEST_F(GroupSourceTest, TellsWhereQuestionsGoInWithoutATemplate) {
  EXPECT_FALSE(GroupEncoder(vocabulary, config).raw_prompts());
  text::VocabularyData without_template = vocabulary;
  without_template.chat_template.clear();
  const GroupEncoder encoder(without_template, config);
  EXPECT_TRUE(encoder.raw_prompts());
  std::mt19937_64 draw(1);
  EXPECT_EQ(text(encoder.encode(R"({"question": "2+3?", "lanes": ["five"]})", draw).prompt), "2+3?");
}

TEST_F(GroupSourceTest, EndsOnlyLanesThatEndedByThemselves) {
  const TokenGroup group =
      encode(R"({"question": "q", "lanes": ["a", "bb", ""], "ended": [true, false, false]})");
  EXPECT_EQ(text(group.lanes[0].tokens), "<lane1>a<|im_end|>");
  EXPECT_EQ(text(group.lanes[1].tokens), "<lane2>bb") << "cut off";
  EXPECT_EQ(text(group.lanes[2].tokens), "<lane3><|im_end|>") << "a lane has something to predict";
  EXPECT_THROW(encode(R"({"question": "q", "lanes": ["a", "b"], "ended": [true]})"), InvalidRequest);
}

TEST_F(GroupSourceTest, ReadsPlainTextFromItsFirstTokenOn) {
  const TokenGroup group = encode(R"({"text": "abc"})");
  EXPECT_EQ(text(group.prompt), "a");
  EXPECT_EQ(text(group.lanes.at(0).tokens), "bc<|im_end|>");
}

TEST_F(GroupSourceTest, TagsTheShareOfSingleLanesThatIsAskedFor) {
  config.single_tag_share = 0.25;
  const GroupEncoder encoder(vocabulary, config);
  std::mt19937_64 draw(3);
  std::map<std::string, int> tags;
  int tagged = 0;
  for (int i = 0; i < 2000; ++i) {
    const TokenGroup group = encoder.encode(R"({"question": "q", "lanes": ["a"]})", draw);
    if (group.lanes[0].n_forced == 0) continue;
    ++tagged;
    ++tags[text({group.lanes[0].tokens[0]})];
  }
  EXPECT_NEAR(tagged, 500, 60);
  EXPECT_EQ(tags.size(), 8U) << "lanes 1 to 8";
}

TEST_F(GroupSourceTest, ShufflesLanesWithTheirTags) {
  config.shuffle_lanes = true;
  const GroupEncoder encoder(vocabulary, config);
  std::mt19937_64 draw(1);
  std::set<std::vector<int32_t>> orders;
  for (int i = 0; i < 200; ++i) {
    const TokenGroup group = encoder.encode(R"({"question": "q", "lanes": ["a", "b", "c"]})", draw);
    orders.insert(group.lane_index);
    for (size_t m = 0; m < 3; ++m) {
      const std::string expected =
          "<lane" + std::to_string(group.lane_index[m] + 1) + ">" + "abc"[m] + "<|im_end|>";
      EXPECT_EQ(text(group.lanes[m].tokens), expected);
    }
  }
  EXPECT_EQ(orders.size(), 6U) << "every order occurs";
}

TEST_F(GroupSourceTest, DrawsFromFilesByTheirWeights) {
  const GroupEncoder encoder(vocabulary, config);
  GroupSource source({{.file = file("a.jsonl", one_lane("a", "x")), .weight = 3},
                      {.file = file("b.jsonl", one_lane("b", "y")), .weight = 1}},
                     encoder, 5);
  int from_a = 0;
  for (int i = 0; i < 4000; ++i) from_a += text(source.next().lanes[0].tokens)[0] == 'x';
  EXPECT_NEAR(from_a, 3000, 120);
}

TEST_F(GroupSourceTest, ReadsAFileInOrderAndAgainFromItsBeginning) {
  const GroupEncoder encoder(vocabulary, config);
  const std::string lines =
      "\n" + one_lane("q", "1") + "\n" + one_lane("q", "2") + "\r\n" + one_lane("q", "3");
  GroupSource source({{.file = file("a.jsonl", lines)}}, encoder, 5);
  std::string read;
  for (int i = 0; i < 7; ++i) read += text(source.next().lanes[0].tokens)[0];
  EXPECT_EQ(read, "1231231") << "blank lines are passed over";
}

TEST_F(GroupSourceTest, PacksAboutAsManyTokensAsAskedFor) {
  const GroupEncoder encoder(vocabulary, config);
  GroupSource source({{.file = file("a.jsonl", toy_traces(40))}}, encoder, 5);
  int64_t all = 0;
  for (int i = 0; i < 50; ++i) {
    int64_t sum = 0;
    for (const TokenGroup& group : source.next_batch(500)) sum += cost(group);
    EXPECT_NEAR(static_cast<double>(sum), 500, 60);
    all += sum;
  }
  EXPECT_NEAR(static_cast<double>(all) / 50, 500, 15);
  EXPECT_EQ(source.next_batch(10).size(), 1U) << "a group that is longer is a batch of its own";
}

TEST_F(GroupSourceTest, GivesTheSameStreamForTheSameSeedAndFromAKeptState) {
  config.shuffle_lanes = true;
  const GroupEncoder encoder(vocabulary, config);
  const std::vector<DataSource> files = {{.file = file("a.jsonl", toy_traces(11)), .weight = 2},
                                         {.file = file("b.jsonl", toy_traces(5))}};
  const auto drawn = [&](GroupSource& source, int groups) {
    std::string all;
    for (int i = 0; i < groups; ++i) {
      const TokenGroup group = source.next();
      all += text(group.prompt);
      for (const LaneTokens& lane : group.lanes) all += text(lane.tokens);
    }
    return all;
  };
  GroupSource one(files, encoder, 5);
  GroupSource two(files, encoder, 5);
  GroupSource other(files, encoder, 6);
  const std::string begin = drawn(one, 37);  // several rounds through both files
  EXPECT_EQ(drawn(two, 37), begin);
  EXPECT_NE(drawn(other, 37), begin);

  const GroupSourceState state = GroupSourceState::from_json(one.state().to_json());
  GroupSource moved(files, encoder, 99);
  moved.restore(state);
  EXPECT_EQ(drawn(moved, 37), drawn(one, 37));
  GroupSource fewer({files[0]}, encoder, 5);
  EXPECT_THROW(fewer.restore(state), InvalidRequest);
}

TEST_F(GroupSourceTest, RefusesABadFileInOneSentence) {
  const GroupEncoder encoder(vocabulary, config);
  EXPECT_THROW(GroupSource({{.file = directory.file("absent.jsonl")}}, encoder, 1), SystemError);
  EXPECT_THAT(refusal(""), HasSubstr("bad.jsonl is empty"));
  EXPECT_THAT(refusal("\n \n"), HasSubstr("bad.jsonl is empty"));
  const std::string good = one_lane("q", "a");
  EXPECT_EQ(refusal(good), "(not refused)");
  const auto third = [&](const std::string& line) { return refusal(good + "\n" + line + "\n"); };
  EXPECT_THAT(third("{"), EndsWith("bad.jsonl, line 3: not a JSON object"));
  EXPECT_THAT(third("[1]"), EndsWith("line 3: not a JSON object"));
  EXPECT_THAT(third(R"({"question": "q"})"), HasSubstr("line 3: a line needs \"question\" and \"lanes\""));
  EXPECT_THAT(third(R"({"question": "q", "lanes": "a"})"), HasSubstr("line 3: a line needs"));
  EXPECT_THAT(third(R"({"question": "q", "lanes": []})"), EndsWith("line 3: no lanes"));
  EXPECT_THAT(third(R"({"question": "q", "lanes": ["a"], "labels": [true, false]})"),
              EndsWith("line 3: as many labels as lanes are needed"));
  EXPECT_THAT(third(R"({"text": ""})"), EndsWith("line 3: an empty text"));
  const std::string both = "line 3: a line is a group or plain text; leave out \"text\", or the rest";
  EXPECT_THAT(third(R"({"text": "t", "question": "q", "lanes": ["a"]})"), EndsWith(both));
  EXPECT_THAT(third(R"({"text": "t", "lanes": ["a"]})"), EndsWith(both));
}

TEST_F(GroupSourceTest, NeedsAVocabularyWithAnEnd) {
  text::VocabularyData endless = vocabulary;
  endless.eos.reset();
  EXPECT_THROW(GroupEncoder(endless, config), InvalidRequest);
}

TEST_F(GroupSourceTest, TakesTheFirstGroupsOfAFileToMeasure) {
  const GroupEncoder encoder(vocabulary, config);
  const std::string name = file("dev.jsonl", toy_traces(9));
  EXPECT_EQ(first_groups(name, 4, encoder).size(), 4U);
  EXPECT_EQ(first_groups(name, 100, encoder).size(), 9U);
  EXPECT_THROW(first_groups(file("empty.jsonl", "\n"), 4, encoder), InvalidRequest);
  try {
    first_groups(file("bad.jsonl", one_lane("q", "a") + "x\n"), 4, encoder);
    FAIL() << "not refused";
  } catch (const InvalidRequest& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("bad.jsonl, line 2: "), Not(HasSubstr("\n"))));
  }
}

TEST_F(GroupSourceTest, SplitsGroupsInOrder) {
  const TokenGroup group = encode(R"({"question": "q", "lanes": ["a"]})");
  const std::vector<TokenGroup> groups(7, group);
  const auto batches = split_batches(groups, 2 * cost(group));
  ASSERT_EQ(batches.size(), 4U);
  EXPECT_EQ(batches[0].size(), 2U);
  EXPECT_EQ(batches[3].size(), 1U);
  EXPECT_EQ(batches[3].data(), groups.data() + 6);
}

}  // namespace
}  // namespace lanerope::train
