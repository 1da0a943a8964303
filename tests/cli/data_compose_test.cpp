// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "tests/cli/program.h"

namespace lanerope::cli {
namespace {

using ::testing::HasSubstr;

std::string file_of(const std::string& name, const std::vector<nlohmann::json>& rows) {
  std::string text;
  for (const nlohmann::json& row : rows) text += row.dump() + "\n";
  const std::string file = temporary(name);
  write_file(file, text);
  return file;
}

// Problem i has the answer 10 i + 3, and samples of it, of which the first `right` are right.
nlohmann::json problem(int i) {
  return {{"question", "What is 10 times " + std::to_string(i + 2) + ", less 17?"},
          {"answer", "#### " + std::to_string(10 * i + 3)}};
}
nlohmann::json sampled(int i, int right) {
  nlohmann::json row = problem(i);
  for (int s = 0; s < 4; ++s) {
    row["lanes"].push_back("It is " + std::to_string(s < right ? 10 * i + 3 : 1) + std::string(s + 1, '!'));
    row["labels"].push_back(s < right);
  }
  return row;
}

std::string ten_problems() {
  std::vector<nlohmann::json> rows;
  for (int i = 0; i < 10; ++i) rows.push_back(problem(i));
  return file_of("ten.jsonl", rows);
}

Outcome compose(const std::string& file, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"data", "compose", file};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program({.arguments = arguments});
}

TEST(DataCompose, WritesQuestionsThatEvalScoresPartByPart) {
  const std::string out = temporary("composed.jsonl");
  const Outcome outcome = compose(ten_problems(), {"-k", "2-3", "--count", "5", "-o", out});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("5 questions made of 10 problems, SHA-256 "));
  const std::vector<nlohmann::json> lines = json_lines(file_text(out));
  ASSERT_EQ(lines.size(), 5U);
  for (const nlohmann::json& line : lines) {
    EXPECT_EQ(line.at("parts").size(), line.at("k"));
    std::string list;
    for (const std::string part : line.at("parts")) list += (list.empty() ? "(" : ", ") + part;
    EXPECT_EQ(line.at("answer"), list + ")");
    EXPECT_FALSE(line.contains("lanes"));
  }
  EXPECT_EQ(compose(ten_problems(), {"-k", "2-3", "--count", "5"}).out, file_text(out)) << "the same seed";
  const Outcome eval = run_program({.arguments = {"eval", "-m", tiny_model(), "-t", "1", "--questions", out,
                                                  "--arm", "independent", "--budgets", "8", "--lanes-total",
                                                  "2", "--by", "k", "--out", temporary("composed-results")}});
  EXPECT_EQ(eval.status, 0) << eval.err;
}

TEST(DataCompose, TakesRightSamplesForTheLanes) {
  const std::string file =
      file_of("sampled.jsonl", {sampled(0, 4), sampled(1, 2), sampled(2, 1), sampled(3, 0)});
  const Outcome outcome = compose(file, {"-k", "2", "--count", "20", "--lanes", "1:0.3,2:0.3,4:0.4", "-m",
                                         tiny_model(), "--wait", "~", "--ready", "^"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("made of 3 problems")) << "the last one was never solved";
  std::set<size_t> counts;
  for (const nlohmann::json& line : json_lines(outcome.out)) {
    const auto& lanes = line.at("lanes");
    counts.insert(lanes.size());
    for (const std::string lane : lanes) {
      EXPECT_TRUE(lane.ends_with("#### " + line.at("answer").get<std::string>())) << lane;
      EXPECT_EQ(lane.find("It is 1!"), std::string::npos) << "a wrong sample";
    }
  }
  EXPECT_EQ(counts, (std::set<size_t>{1, 2, 4}));
  const Outcome in_reach = compose(file, {"-k", "2", "--count", "3", "--reach", "0.5"});
  EXPECT_THAT(in_reach.err, HasSubstr("made of 2 problems"));
}

TEST(DataCompose, PartsShareNoProblem) {
  std::set<std::string> seen[2];
  for (const int part : {0, 1}) {
    const Outcome outcome = compose(
        ten_problems(), {"-k", "1", "--count", "200", "--dev", "4", "--part", part == 0 ? "dev" : "train"});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    for (const nlohmann::json& line : json_lines(outcome.out)) seen[part].insert(line.at("answer"));
  }
  EXPECT_EQ(seen[0].size(), 4U);
  EXPECT_EQ(seen[1].size(), 6U);
  for (const std::string& answer : seen[0]) EXPECT_FALSE(seen[1].contains(answer));
}

TEST(DataCompose, IsRefusedWithOneSentence) {
  const std::string file = ten_problems();
  const auto refusal = [&](const std::vector<std::string>& more) {
    const Outcome outcome = compose(file, more);
    EXPECT_EQ(outcome.status, 2);
    return outcome.err;
  };
  EXPECT_THAT(refusal({"-k", "11"}), HasSubstr("has 10 problems to draw from, fewer than the 11"));
  EXPECT_THAT(refusal({"--lanes", "4", "-m", tiny_model(), "--wait", "~", "--ready", "^"}),
              HasSubstr("holds no right solutions"));
  EXPECT_THAT(refusal({"--lanes", "4", "-m", tiny_model(), "--wait", "a long wait"}),
              HasSubstr("must be one"));
  EXPECT_THAT(refusal({"--reach", "0.5"}), HasSubstr("holds no samples"));
  EXPECT_THAT(refusal({"--part", "dev", "--dev", "10"}), HasSubstr("keeps all 10 problems"));
  EXPECT_THAT(refusal({"--ask", "plain", "-k", "1-2"}), HasSubstr("add --problems 1"));
}

TEST(DataCompose, RefusesOptionsThatWouldDoNothing) {
  const std::string file = ten_problems();
  const auto refusal = [&](const std::vector<std::string>& more) {
    const Outcome outcome = compose(file, more);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    return outcome.err;
  };
  EXPECT_THAT(refusal({"-m", tiny_model()}),
              HasSubstr("--model does nothing without --lanes; leave it out, or add that"));
  EXPECT_THAT(refusal({"-hf", "user/repo"}), HasSubstr("--hf-repo does nothing without --lanes"));
  EXPECT_THAT(refusal({"--tag", "<lane{k}>"}), HasSubstr("--tag does nothing without --lanes"))
      << "as by default";
  EXPECT_THAT(refusal({"--wait", "~"}), HasSubstr("--wait does nothing without --lanes"));
  EXPECT_THAT(refusal({"--ready", "^"}), HasSubstr("--ready does nothing without --lanes"));
  EXPECT_THAT(refusal({"--longest", "100"}), HasSubstr("--longest does nothing without --lanes"));
  EXPECT_THAT(refusal({"--dev", "4"}), HasSubstr("--dev does nothing without --part dev or --part train"));
  EXPECT_THAT(refusal({"--dev", "4", "--part", "all"}), HasSubstr("--dev does nothing without"));
}

// The problems kept for dev are those of one file, in whatever order it has them.
TEST(DataCompose, PartsAreThoseOfTheFile) {
  std::vector<nlohmann::json> rows;
  for (int i = 0; i < 10; ++i) rows.push_back(problem(i));
  const auto dev = [](const std::string& file) {
    std::set<std::string> answers;
    const Outcome outcome = compose(file, {"-k", "1", "--count", "100", "--dev", "4", "--part", "dev"});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    for (const nlohmann::json& line : json_lines(outcome.out)) answers.insert(line.at("answer"));
    return answers;
  };
  const std::set<std::string> kept = dev(ten_problems());
  std::ranges::reverse(rows);
  EXPECT_EQ(dev(file_of("reversed.jsonl", rows)), kept);
  for (int i = 10; i < 40; ++i) rows.push_back(problem(i));
  EXPECT_NE(dev(file_of("forty.jsonl", rows)), kept);
}

TEST(DataCompose, AsksTheSameQuestionsWhateverTheNumberOfLanes) {
  std::vector<nlohmann::json> rows;
  for (int i = 0; i < 10; ++i) rows.push_back(sampled(i, 2));
  const std::string file = file_of("solved-for-lanes.jsonl", rows);
  const auto questions = [&](const std::string& lanes) {
    const std::string out = temporary("lanes-" + lanes + ".jsonl");
    const Outcome outcome = compose(file, {"-k", "1-3", "--count", "6", "--lanes", lanes, "--wait", "~",
                                           "--ready", "^", "-m", tiny_model(), "-o", out});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    std::vector<std::string> texts;
    for (const nlohmann::json& line : json_lines(file_text(out))) texts.push_back(line.at("question"));
    return texts;
  };
  EXPECT_EQ(questions("1"), questions("3"));
}

TEST(DataReach, KeepsTheProblemsThatAreSolvedOftenEnough) {
  // The second row is the same problem as the first: 2 of 8 samples in all.
  const std::string file =
      file_of("samples.jsonl", {sampled(0, 2), sampled(0, 0), sampled(1, 2), sampled(2, 1), sampled(3, 0)});
  const std::string out = temporary("reach.jsonl");
  const Outcome outcome = run_program({.arguments = {"data", "reach", file, "--share", "0.25", "-o", out}});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("3 of 4 problems are in reach; 5 of 20 samples are right"));
  const std::vector<nlohmann::json> lines = json_lines(file_text(out));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].at("question"), problem(0).at("question"));
  EXPECT_EQ(lines[0].at("samples"), 8);
  EXPECT_EQ(lines[0].at("right"), 2);
  EXPECT_EQ(lines[2].at("question"), problem(2).at("question"));
}

TEST(DataReach, AFileIsReplacedByAWholeOneOrNotAtAll) {
  const std::string own = file_of("own.jsonl", {sampled(0, 2), sampled(1, 0)});
  const std::string link = temporary("link.jsonl");
  std::filesystem::create_symlink(own, link);
  ASSERT_EQ(run_program({.arguments = {"data", "reach", own, "-o", link}}).status, 0) << "read, then written";
  EXPECT_EQ(json_lines(file_text(own)).size(), 1U);
  EXPECT_TRUE(std::filesystem::is_symlink(link));

  const std::string unsolved = ten_problems();
  const std::string before = file_text(unsolved);
  EXPECT_EQ(run_program({.arguments = {"data", "reach", unsolved, "-o", unsolved}}).status, 2);
  EXPECT_EQ(compose(unsolved, {"-k", "11", "-o", unsolved}).status, 2);
  EXPECT_EQ(file_text(unsolved), before);
  for (const auto& left : std::filesystem::directory_iterator(std::filesystem::path(own).parent_path()))
    EXPECT_NE(left.path().extension(), ".new") << left.path();
}

TEST(DataReach, ReadsAFileThatIsCalledAsAnUnfinishedOneIs) {
  const std::string own = file_of("kept.jsonl.new", {sampled(0, 2)});
  const std::string fresh = own.substr(0, own.size() - 4);
  ASSERT_EQ(run_program({.arguments = {"data", "reach", own, "-o", fresh}}).status, 0);
  EXPECT_EQ(json_lines(file_text(own)).size(), 1U) << "it is not ours to take away";
  std::filesystem::remove(own);
}

TEST(DataReach, WritesWhatALinkToNothingNamesAndWhatAShellHasOpened) {
  const std::string own = file_of("solved.jsonl", {sampled(0, 2)});
  const std::string link = temporary("dangling.jsonl");
  const std::string target = temporary("target.jsonl");
  std::filesystem::create_symlink(target, link);
  ASSERT_EQ(run_program({.arguments = {"data", "reach", own, "-o", link}}).status, 0);
  EXPECT_EQ(json_lines(file_text(target)).size(), 1U);
  const Outcome outcome = run_program({.arguments = {"data", "reach", own, "-o", "/dev/stdout"}});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(json_lines(outcome.out).size(), 1U);
}

TEST(DataReach, NeedsSamples) {
  const Outcome outcome = run_program({.arguments = {"data", "reach", ten_problems()}});
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("holds no samples with labels"));
}

}  // namespace
}  // namespace lanerope::cli
