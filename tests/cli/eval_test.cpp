// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/cli/program.h"

namespace lanerope::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string three_questions() {
  const std::string file = temporary("questions.jsonl");
  write_file(file,
             "{\"question\": \"What is six plus one?\", \"answer\": \"Six and one.\\n#### 7\"}\n"
             "{\"question\": \"What is half of one?\", \"answer\": \"1/2\"}\n"
             "{\"question\": \"And a dozen?\", \"answer\": \"12\"}\n");
  return file;
}

// One thread: the model is so small that a second one only waits.
std::vector<std::string> eval(const std::string& questions, const std::string& out,
                              const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"eval", "-m", tiny_model(), "--questions", questions, "--out",
                                        out,    "-t", "1",          "--budgets",   "8,12"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

size_t records_in(const std::string& folder) {
  const auto lines = json_lines(file_text(folder + "/records.jsonl"));
  return static_cast<size_t>(
      std::ranges::count_if(lines, [](const auto& line) { return line.contains("lanes"); }));
}

TEST(Eval, ReportsEveryArm) {
  const std::string out = temporary("arms");
  const Outcome outcome =
      run_program({.arguments = eval(three_questions(), out,
                                     {"--arm", "independent", "--arm", "lanerope:n=2", "--arm", "closed:n=4",
                                      "--arm", "groupthink:n=4", "--arm", "hogwild:n=2", "--arm",
                                      "trained:n=2,lora=" + adapter(), "--arm", "beam:width=2"})});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("3 questions"));
  EXPECT_THAT(outcome.out, HasSubstr("maj@4"));
  EXPECT_THAT(outcome.err, HasSubstr("wrote " + out + "/report.html"));
  const auto report = nlohmann::json::parse(file_text(out + "/report.json"));
  std::vector<std::string> names;
  for (const auto& arm : report.at("arms")) {
    names.push_back(arm.at("arm"));
    EXPECT_EQ(arm.at("questions"), 3);
    EXPECT_EQ(arm.at("lanes_total"), names.back() == "beam" ? 1 : 4);
    ASSERT_EQ(arm.at("budgets").size(), 2U);
    EXPECT_EQ(arm.at("budgets")[1].at("budget"), 12);
    EXPECT_GT(arm.at("cost").at("seconds"), 0);
    EXPECT_GT(arm.at("cost").at("tokens"), 0);
    EXPECT_GT(arm.at("cost").at("milliseconds_a_step"), 0);
  }
  EXPECT_THAT(names,
              ElementsAre("independent", "lanerope", "closed", "groupthink", "hogwild", "trained", "beam"));
  EXPECT_EQ(records_in(out), 12U + 6 + 3 + 3 + 6 + 6 + 3);
  EXPECT_THAT(file_text(out + "/report.html"), HasSubstr("\"hogwild\""));
}

TEST(Eval, GoesOnWhereItWasCutOff) {
  const std::string out = temporary("resumed");
  const auto arguments = eval(three_questions(), out, {"--arm", "independent"});
  ASSERT_EQ(run_program({.arguments = arguments}).status, 0);
  const std::string whole = file_text(out + "/records.jsonl");
  const auto report = nlohmann::json::parse(file_text(out + "/report.json"));
  size_t fifth_line = 0;
  for (int i = 0; i < 5; ++i) fifth_line = whole.find('\n', fifth_line) + 1;
  write_file(out + "/records.jsonl", whole.substr(0, fifth_line + 30));
  ASSERT_EQ(run_program({.arguments = arguments}).status, 0);
  EXPECT_EQ(file_text(out + "/records.jsonl").substr(0, fifth_line), whole.substr(0, fifth_line));
  EXPECT_EQ(records_in(out), 12U);
  const auto again = nlohmann::json::parse(file_text(out + "/report.json"));
  EXPECT_EQ(again.at("arms")[0].at("budgets"), report.at("arms")[0].at("budgets"));

  ASSERT_EQ(
      run_program({.arguments = eval(three_questions(), out, {"--arm", "independent", "--arm", "closed"})})
          .status,
      0)
      << "another arm is added to the file";
  EXPECT_EQ(records_in(out), 15U);
}

TEST(Eval, FewerQuestionsOrLanesAreReadFromALargerRun) {
  const std::string out = temporary("larger");
  ASSERT_EQ(run_program({.arguments = eval(three_questions(), out, {"--arm", "independent"})}).status, 0);
  ASSERT_EQ(run_program({.arguments = eval(three_questions(), out,
                                           {"--arm", "independent", "--limit", "2", "--lanes-total", "2"})})
                .status,
            0);
  EXPECT_EQ(records_in(out), 12U);
  const auto report = nlohmann::json::parse(file_text(out + "/report.json"));
  EXPECT_EQ(report.at("arms")[0].at("questions"), 2);
  EXPECT_EQ(report.at("arms")[0].at("lanes_total"), 2);
  EXPECT_EQ(json_lines(file_text(out + "/questions.jsonl")).size(), 3U) << "as many as records are of";
}

TEST(Eval, AsksOneFolderTheSameQuestions) {
  const std::string out = temporary("one-set");
  ASSERT_EQ(run_program({.arguments = eval(three_questions(), out, {"--arm", "independent"})}).status, 0);
  const std::string records = file_text(out + "/records.jsonl");
  const std::string file = temporary("other-set.jsonl");
  write_file(file, "{\"question\": \"What is six plus one?\", \"answer\": \"8\"}\n");
  const Outcome refused = run_program({.arguments = eval(file, out, {"--arm", "closed"})});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("holds other questions (number 0 has another \"answer\")"));
  EXPECT_EQ(file_text(out + "/records.jsonl"), records);
}

TEST(Eval, DoesNotMixRuns) {
  const std::string out = temporary("mixed");
  ASSERT_EQ(run_program({.arguments = eval(three_questions(), out, {"--arm", "independent"})}).status, 0);
  const std::string whole = file_text(out + "/records.jsonl");
  const auto refusal = [&](const std::vector<std::string>& more) {
    const Outcome outcome = run_program({.arguments = eval(three_questions(), out, more)});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_EQ(file_text(out + "/records.jsonl"), whole);
    return outcome.err;
  };
  EXPECT_THAT(
      refusal({"--arm", "independent", "--seed", "2"}),
      HasSubstr("holds the arm independent with seed 1, and this run has 2; give another folder with --out"));
  EXPECT_THAT(refusal({"--arm", "independent:model=" + other_model()}), HasSubstr("with model "));
  EXPECT_THAT(refusal({"--arm", "independent", "--temp", "0.1"}), HasSubstr("with temperature 0.6"));
  EXPECT_THAT(refusal({"--arm", "independent", "--budgets", "99"}),
              HasSubstr("with budget 12, and this run has 99"));
  EXPECT_THAT(refusal({"--arm", "independent:n=2"}), HasSubstr("with n 1"));
  EXPECT_THAT(refusal({"--arm", "independent", "--system", "Be brief."}), HasSubstr("system text"));
  EXPECT_THAT(refusal({"--arm", "independent", "--chat-template-kwargs", "{\"a\": 1}"}),
              HasSubstr("with chat template kwargs none, and this run has {\"a\": 1}"));
  EXPECT_THAT(refusal({"--arm", "independent", "--verifier", "cat"}), HasSubstr("with verifier none"));
  EXPECT_THAT(refusal({"--arm", "independent", "--certainty-window", "9"}),
              HasSubstr("with certainty-window none, and this run has 9"));
}

TEST(Eval, RefusesWithOneSentence) {
  const auto refusal = [&](int status, const std::string& questions, const std::vector<std::string>& more) {
    const Outcome outcome = run_program({.arguments = eval(questions, temporary("refused"), more)});
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    return outcome.err;
  };
  const std::string good = three_questions();
  EXPECT_THAT(refusal(5, "/nowhere.jsonl", {}), HasSubstr("/nowhere.jsonl cannot be read"));
  EXPECT_THAT(refusal(5, good, {"--arm", "mine:model=/nowhere.gguf"}),
              HasSubstr("/nowhere.gguf cannot be read"));
  EXPECT_THAT(refusal(2, good, {"--arm", "lanerpoe"}), HasSubstr("there is no arm lanerpoe"));
  EXPECT_THAT(refusal(2, good, {"--arm", "three:n=3"}),
              HasSubstr("has 3 lanes, which do not divide the 4 lanes"));
  EXPECT_THAT(refusal(2, good, {"--arm", "closed", "--arm", "closed:n=2"}),
              HasSubstr("two arms are called closed"));
  EXPECT_THAT(refusal(2, good, {"--arm", "beam", "--raw", "--shots", "1", "--shots-from", good}),
              HasSubstr("the arm beam is a beam search, which would not end"));
  EXPECT_THAT(refusal(2, good, {"--budgets", "0,8"}), HasSubstr("--budgets must be positive"));
  EXPECT_THAT(refusal(2, good, {"--parallel", "-3"}), HasSubstr("--parallel"));
  EXPECT_THAT(refusal(2, good, {"--lanes-total", "0"}), HasSubstr("--lanes-total"));
  EXPECT_THAT(refusal(2, good, {"--judge-timeout", "5"}), HasSubstr("--judge-timeout requires --judge"));
  const std::string bad = temporary("bad.jsonl");
  write_file(bad, "{\"question\": \"Q\"}\n");
  EXPECT_THAT(refusal(3, bad, {}),
              HasSubstr(bad + ", line 1 has the key \"question\", of which none is known to be the answer"));
}

TEST(Eval, RecordsSayHowSureLanesWereAndQuestionsStandBesideThem) {
  const std::string out = temporary("certainty");
  ASSERT_EQ(run_program({.arguments = eval(three_questions(), out,
                                           {"--arm", "independent", "--verifier", "sed 's/.*/0.5/'"})})
                .status,
            0);
  for (const auto& line : json_lines(file_text(out + "/records.jsonl"))) {
    if (!line.contains("lanes")) continue;
    for (const auto& lane : line.at("lanes")) {
      EXPECT_GT(lane.at("self_certainty"), 0);
      EXPECT_GT(lane.at("lowest_window"), 0);
      EXPECT_EQ(lane.at("verifier_score"), 0.5);
    }
  }
  const auto questions = json_lines(file_text(out + "/questions.jsonl"));
  ASSERT_EQ(questions.size(), 3U);
  EXPECT_EQ(questions[0].at("answer"), "7") << "the answer alone, as it was read";
  const auto report = nlohmann::json::parse(file_text(out + "/report.json"));
  EXPECT_FALSE(report.at("arms")[0].at("ways").empty());
}

TEST(Eval, TakesPeoplesFilesWithPresetsExamplesAndKeys) {
  const std::string choices = temporary("choices.csv");
  write_file(choices, "How many?,1,2,3,4,B\n\"Who, then?\",a,b,c,d,D\n");
  const std::string out = temporary("choices-out");
  const std::vector<std::string> preset = {"--arm", "independent", "--preset", "mmlu"};
  const Outcome outcome = run_program({.arguments = eval(choices, out, preset)});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto questions = json_lines(file_text(out + "/questions.jsonl"));
  ASSERT_EQ(questions.size(), 2U);
  EXPECT_EQ(questions[1].at("question"), "Who, then?\n(A) a\n(B) b\n(C) c\n(D) d");
  EXPECT_EQ(questions[1].at("answer"), "(D) d");
  EXPECT_EQ(questions[1].at("kind"), "choice");
  const Outcome other = run_program({.arguments = eval(choices, out, {"--arm", "independent"})});
  EXPECT_EQ(other.status, 2) << "another wording is another evaluation";
  EXPECT_THAT(other.err, HasSubstr("with wording"));

  const std::string german = temporary("german.json");
  write_file(german, "[{\"frage\": \"Wie viele?\", \"antwort\": 7}]");
  const Outcome unknown = run_program({.arguments = eval(german, temporary("german-out"), {})});
  EXPECT_THAT(unknown.err,
              HasSubstr("has the keys \"antwort\" and \"frage\", of which none is known to be the question"));
  EXPECT_EQ(run_program({.arguments =
                             eval(german, temporary("german-out"),
                                  {"--question-key", "frage", "--answer-key", "antwort", "--raw", "--shots",
                                   "2", "--shots-from", three_questions(), "--prompt", "Q: {question}\nA:"})})
                .status,
            3)
      << "the examples have no field of that name";
  EXPECT_EQ(run_program({.arguments = eval(three_questions(), temporary("shots-out"),
                                           {"--arm", "independent", "--raw", "--shots", "2", "--shots-from",
                                            three_questions(), "--prompt", "Q: {question}\nA:"})})
                .status,
            0);
}

TEST(Eval, LetsACommandJudge) {
  const std::string out = temporary("judged");
  const Outcome outcome =
      run_program({.arguments = eval(three_questions(), out,
                                     {"--arm", "beam:width=2", "--kind", "exact", "--judge", "echo 1"})});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  for (const auto& line : json_lines(file_text(out + "/records.jsonl"))) {
    if (!line.contains("lanes")) continue;
    for (const auto& lane : line.at("lanes"))
      EXPECT_EQ(lane.at("passed"), lane.at("ended").get<bool>() && !lane.at("answer").is_null());
  }
  const Outcome hasty = run_program({.arguments = eval(three_questions(), out,
                                                       {"--arm", "beam:width=2", "--kind", "exact", "--judge",
                                                        "echo 1", "--judge-timeout", "5"})});
  EXPECT_THAT(hasty.err, HasSubstr("with judge timeout none, and this run has 5"));
  const Outcome without =
      run_program({.arguments = eval(three_questions(), temporary("code"), {"--kind", "code"})});
  EXPECT_EQ(without.status, 2);
  EXPECT_THAT(without.err, HasSubstr("give a command with --judge"));
}

TEST(Eval, WarnsWhereNothingCanBeRead) {
  const Outcome outcome = run_program({.arguments = eval(three_questions(), temporary("unreadable"),
                                                         {"--arm", "independent", "--lanes-total", "8"})});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(
      outcome.err,
      HasSubstr("warning: not one answer could be read in the first 3 questions under the arm independent"));
  EXPECT_EQ(outcome.err.find("warning"), outcome.err.rfind("warning")) << "once";
  EXPECT_THAT(outcome.err, HasSubstr("The last lane wrote: "));
}

TEST(EvalCompare, ReadsTwoArmsAndSaysWhatDiffers) {
  const std::string out = temporary("compared");
  ASSERT_EQ(
      run_program({.arguments = eval(three_questions(), out, {"--arm", "independent", "--arm", "closed"})})
          .status,
      0);
  const std::string first = out + ":independent";
  const std::string second = out + ":closed";
  const Outcome text = run_program({.arguments = {"eval", "compare", first, second}});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("A: " + first + ", 4 lanes a question"));
  EXPECT_THAT(text.out, HasSubstr("3 questions, each lane with at most 12 tokens"));
  EXPECT_THAT(text.out, HasSubstr("McNemar on pass@1"));
  const Outcome json =
      run_program({.arguments = {"eval", "compare", first, second, "--json", "--budget", "8"}});
  const auto result = nlohmann::json::parse(json.out);
  EXPECT_EQ(result.at("budget"), 8);
  EXPECT_EQ(result.at("questions"), 3);
  EXPECT_FALSE(result.at("curves").at("first").empty());
  EXPECT_EQ(result.at("mcnemar").at("p"), 1) << "a random model is right about nothing";
}

TEST(EvalCompare, RefusesWithOneSentence) {
  const std::string out = temporary("one-arm");
  const std::string other = temporary("other-questions");
  ASSERT_EQ(run_program({.arguments = eval(three_questions(), out, {"--arm", "independent"})}).status, 0);
  const std::string file = temporary("others.jsonl");
  write_file(file, "{\"question\": \"What else?\", \"answer\": \"9\"}\n");
  ASSERT_EQ(run_program({.arguments = eval(file, other, {"--arm", "independent"})}).status, 0);
  const auto refusal = [](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"eval", "compare"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_program({.arguments = arguments});
    EXPECT_NE(outcome.status, 0);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    return outcome.err;
  };
  EXPECT_THAT(refusal({out, out + ":none"}), HasSubstr("holds no arm none; it has independent"));
  EXPECT_THAT(refusal({out, other}), HasSubstr("were asked different questions"));
  EXPECT_THAT(refusal({out, out, "--budget", "99"}), HasSubstr("more than the 12 tokens"));
  EXPECT_THAT(refusal({out}), HasSubstr("B is required"));
  const Outcome bare = run_program({.arguments = {"eval"}});
  EXPECT_EQ(bare.status, 2);
  EXPECT_THAT(bare.err, HasSubstr("needs --questions FILE and --out FOLDER"));
}

// A folder of an evaluation that nobody ran: lanes that agree three to one are right half of the time.
// `added`: lanes that a policy added to the first question.
std::string made_results(int added = 0) {
  const std::string folder = temporary("made");
  std::filesystem::create_directories(folder);
  std::string records = "{\"settings_of\": \"made\", \"budget\": \"64\"}\n";
  std::string questions;
  for (int q = 0; q < 60; ++q) {
    nlohmann::json lanes = nlohmann::json::array();
    for (int m = 0; m < 4 + (q == 0 ? added : 0); ++m) {
      lanes.push_back({{"text", ""},
                       {"answer", m == 3 ? "5" : "7"},
                       {"ended", true},
                       {"length", 9},
                       {"start_step", m < 4 ? 0 : 5},
                       {"mean_logprob", -0.5},
                       {"settled", nlohmann::json::array()}});
    }
    records += nlohmann::json{{"arm", "made"}, {"question", q}, {"group", 0},
                              {"seconds", 1},  {"steps", 9},    {"lanes", lanes}}
                   .dump() +
               "\n";
    questions +=
        nlohmann::json{{"question", std::to_string(q)}, {"answer", q % 2 == 0 ? "7" : "8"}}.dump() + "\n";
  }
  write_file(folder + "/records.jsonl", records);
  write_file(folder + "/questions.jsonl", questions);
  return folder;
}

TEST(Calibrate, WritesACurveThatRunTakes) {
  const std::string curve = temporary("curve.json");
  const Outcome outcome = run_program({.arguments = {"calibrate", made_results(), "-o", curve}});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Selection by vote over 4 lanes, 60 answers"));
  EXPECT_THAT(outcome.out, HasSubstr("25.0 % before"));
  const auto written = nlohmann::json::parse(file_text(curve));
  EXPECT_EQ(written.at("lanes"), 4);
  const std::vector<std::string> question = {"run",           "-m",  tiny_model(), "-t",       "1", "-b", "8",
                                             "--calibration", curve, "--json",     "How many?"};
  EXPECT_EQ(run_program({.arguments = question}).status, 0);
  std::vector<std::string> two_lanes = question;
  two_lanes.insert(two_lanes.end(), {"-n", "2"});
  const Outcome refused = run_program({.arguments = two_lanes});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("fitted for selection by vote over 4 lanes"));
}

TEST(Calibrate, IsOfTheLanesThatNoPolicyAdded) {
  const std::string curve = temporary("added.json");
  const Outcome outcome = run_program({.arguments = {"calibrate", made_results(2), "-o", curve}});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("over 4 lanes, 60 answers"));
  EXPECT_EQ(nlohmann::json::parse(file_text(curve)).at("lanes"), 4);
}

TEST(Calibrate, RefusesWithOneSentence) {
  const std::string folder = made_results();
  const auto refusal = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"calibrate", folder, "-o", temporary("refused.json")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_program({.arguments = arguments});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    return outcome.err;
  };
  EXPECT_THAT(refusal({"--vote-weight", "self-certainty"}),
              HasSubstr("vote by self-certainty chose an answer for 0 questions"));
  EXPECT_THAT(refusal({"--budget", "65"}), HasSubstr("--budget 65 is more than the 64 steps that "));
  EXPECT_THAT(refusal({"--select", "logprob", "--vote-weight", "logprob"}),
              HasSubstr("goes with --select vote"));
}

TEST(Eval, AMistypedOptionDoesNotSpoilTheFolder) {
  const std::string out = temporary("mistyped");
  const auto status = [&](const std::string& temperature) {
    return run_program({.arguments = eval(three_questions(), out, {"--temp", temperature})}).status;
  };
  EXPECT_EQ(status("-1"), 2);
  EXPECT_EQ(status("1"), 0);
}

TEST(Eval, RefusesAFolderThatIsNone) {
  const std::string file = temporary("a-file");
  write_file(file, "text");
  const Outcome outcome = run_program({.arguments = eval(three_questions(), file, {})});
  EXPECT_EQ(outcome.status, 5);
  EXPECT_THAT(outcome.err, HasSubstr("cannot be made"));
}

}  // namespace
}  // namespace lanerope::cli
