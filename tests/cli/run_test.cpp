// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "tests/cli/program.h"

namespace lanerope::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> run_arguments(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"run", "-m", tiny_model(), "--seed", "7", "-b", "24"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

nlohmann::json result_of(const std::vector<std::string>& more, const std::string& input = {}) {
  std::vector<std::string> arguments = run_arguments(more);
  arguments.emplace_back("--json");
  const Outcome outcome = run_program({.arguments = arguments, .input = input});
  if (outcome.status != 0) throw std::runtime_error(outcome.err);
  return json_lines(outcome.out).back().at("result");
}

TEST(Run, JsonIsOneEventALineAndTheLastHoldsTheResult) {
  const Outcome outcome =
      run_program({.arguments = run_arguments({"-n", "3", "--json", "--logprobs", "hello"})});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::vector<nlohmann::json> events = json_lines(outcome.out);
  EXPECT_EQ(events.front()["kind"], "prompt_read");
  EXPECT_EQ(events.back()["kind"], "group_finished");
  std::map<int, std::string> texts;
  std::map<int, int> steps;
  for (const nlohmann::json& event : events) {
    if (event.contains("text")) texts[event["lane"]] += event["text"].get<std::string>();
    if (event["kind"] != "token") continue;
    EXPECT_EQ(event["step"], steps[event["lane"]]++);
    if (event["forced"]) continue;
    EXPECT_LE(event["logprob"].get<double>(), 0);
  }
  const nlohmann::json& lanes = events.back()["result"]["lanes"];
  ASSERT_EQ(lanes.size(), 3);
  for (int lane = 0; lane < 3; ++lane) {
    EXPECT_EQ(lanes[lane]["text"], texts[lane]);
    EXPECT_EQ(lanes[lane]["tokens"].size(), steps[lane]);
    EXPECT_LE(steps[lane], 24);
  }
}

TEST(Run, PoliciesTellWhatTheyDo) {
  const Outcome json = run_program(
      {.arguments = run_arguments({"-n", "2", "--json", "--policy", "budget:tokens=20", "hello"})});
  ASSERT_EQ(json.status, 0) << json.err;
  const std::vector<nlohmann::json> events = json_lines(json.out);
  const auto act = std::ranges::find(events, "policy", [](const auto& event) { return event.at("kind"); });
  ASSERT_NE(act, events.end());
  EXPECT_EQ(act->at("policy"), "budget");
  EXPECT_EQ(act->at("act"), "end");
  EXPECT_EQ(act->at("reason"), "20 of 20 tokens are spent");
  EXPECT_EQ(events.back().at("result").at("acts").at(0).at("step"), act->at("step"));
  const Outcome plain =
      run_program({.arguments = run_arguments({"-n", "2", "--policy", "budget:tokens=20", "hello"})});
  EXPECT_THAT(plain.out, HasSubstr("(budget ends the group: 20 of 20 tokens are spent)"));
  const Outcome wrong = run_program({.arguments = run_arguments({"--policy", "budget:purse=20", "hello"})});
  EXPECT_THAT(wrong.err, HasSubstr("the policy budget has no \"purse\"; it has tokens"));
  EXPECT_NE(wrong.status, 0);
}

TEST(Run, APolicyCommandIsAskedBehindEachStep) {
  const std::string command =
      "while read -r line; do case $line in '{\"kind\":\"start\"'*) ;; *'\"clock\":3,'*) echo "
      "'[{\"act\":\"retire\",\"lane\":1}]' ;; *) echo '[]' ;; esac; done";
  const nlohmann::json result = result_of({"-n", "2", "--policy-cmd", command, "hello"});
  EXPECT_EQ(result.at("lanes").at(1).at("finish"), "retired");
  EXPECT_EQ(result.at("acts").at(0).at("policy"), "command");
}

TEST(Run, RefusesToolsThatCannotBeUsed) {
  const auto refusal = [](const std::vector<std::string>& options) {
    const Outcome outcome = run_program({.arguments = run_arguments(options)});
    EXPECT_NE(outcome.status, 0);
    return outcome.err;
  };
  EXPECT_THAT(refusal({"--tool", "abacus", "hello"}),
              HasSubstr("there is no tool \"abacus\"; there is calculator, notes, and NAME=CMD"));
  EXPECT_THAT(refusal({"--tool-wait", "end", "hello"}), HasSubstr("add --tool or --mcp-config"));
  EXPECT_THAT(refusal({"--tool", "x=cat", "--tool-schema", "y=/dev/null", "hello"}),
              HasSubstr("describes the tool y, and no --tool has that name"));
  EXPECT_THAT(refusal({"--tool", "x=cat", "--tool-schema", "x=/dev/null", "hello"}),
              HasSubstr("/dev/null must be {\"description\""));
  EXPECT_THAT(refusal({"--tool", "x='cat", "hello"}), HasSubstr("is not closed"));
  EXPECT_THAT(refusal({"--mcp-config", "/no/such/file.json", "hello"}),
              HasSubstr("cannot open /no/such/file.json"));
  EXPECT_THAT(refusal({"--conductor", "0", "hello"}), HasSubstr("--conductor"));
}

TEST(Run, TheSameSeedGivesTheSameLanesAndAnotherOthers) {
  const std::vector<std::string> options = {"-n", "2", "hello"};
  const nlohmann::json first = result_of(options);
  EXPECT_EQ(first["lanes"], result_of(options)["lanes"]);
  EXPECT_NE(first["lanes"], result_of({"-n", "2", "--seed", "8", "hello"})["lanes"]);
  EXPECT_NE(first["lanes"][0]["text"], first["lanes"][1]["text"]);
}

TEST(Run, WithoutASeedEachRunHasItsOwnAndSaysWhich) {
  const auto seed_of = [] {
    const Outcome outcome =
        run_program({.arguments = {"run", "-m", tiny_model(), "-b", "8", "-n", "1", "--json", "x"}});
    return json_lines(outcome.out).back().at("result").at("seed").get<uint64_t>();
  };
  EXPECT_NE(seed_of(), seed_of());
}

TEST(Run, PromptComesFromAnArgumentAnOptionAFileOrAPipe) {
  const std::string file = temporary("prompt.txt");
  write_file(file, "hello\n");
  const nlohmann::json wanted = result_of({"hello"})["lanes"];
  EXPECT_EQ(result_of({"-p", "hello"})["lanes"], wanted);
  EXPECT_EQ(result_of({"-f", file})["lanes"], wanted);
  EXPECT_EQ(result_of({}, "hello\n")["lanes"], wanted);
  EXPECT_EQ(result_of({"-"}, "hello")["lanes"], wanted);
}

TEST(Run, TheTemplateIsAppliedUnlessThePromptIsRaw) {
  const int raw = result_of({"--raw", "hello"})["prompt_tokens"];
  const int message = result_of({"hello"})["prompt_tokens"];
  const int with_system = result_of({"--system", "be brief", "hello"})["prompt_tokens"];
  EXPECT_LT(raw, message);
  EXPECT_LT(message, with_system);
}

// The tiny model with its chat template under a name that nobody looks for.
std::string model_without_template() {
  std::string bytes = file_text(tiny_model());
  constexpr std::string_view key = "tokenizer.chat_template";
  bytes.replace(bytes.find(key), key.size(), "tokenizer.none_template");
  const std::string file = temporary("no_template.gguf");
  write_file(file, bytes);
  return file;
}

TEST(Run, SaysOnceThatATextGoesInRawWhereTheModelHasNoTemplate) {
  std::vector<std::string> arguments = run_arguments({"hello"});
  *std::ranges::find(arguments, tiny_model()) = model_without_template();
  const Outcome outcome = run_program({.arguments = arguments});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string note = "the model has no chat template";
  const size_t first = outcome.err.find(note);
  EXPECT_NE(first, std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find(note, first + 1), std::string::npos);
  arguments.insert(arguments.begin() + 1, "--raw");
  EXPECT_THAT(run_program({.arguments = arguments}).err, Not(HasSubstr(note)))
      << "that is what was asked for";
}

TEST(Run, PlainLinesCarryTheLanesNumber) {
  const Outcome outcome = run_program({.arguments = run_arguments({"-n", "2", "hello"})});
  ASSERT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("\n[1] "));
  EXPECT_THAT(outcome.out, HasSubstr("[2] "));
  EXPECT_THAT(outcome.out, HasSubstr("[2] (budget spent)\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\n== lane "));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\033")));
  EXPECT_THAT(outcome.err, HasSubstr("seed 7"));
}

TEST(Run, OneLaneIsItsTextAlone) {
  const std::string text = result_of({"-n", "1", "hello"})["lanes"][0]["text"];
  EXPECT_EQ(run_program({.arguments = run_arguments({"-n", "1", "hello"})}).out, text + "\n");
}

TEST(Run, QuietIsTheSelectedLaneAlone) {
  const nlohmann::json result = result_of({"-n", "3", "--select", "logprob", "hello"});
  const int selected = result["selected"];
  const Outcome outcome =
      run_program({.arguments = run_arguments({"-n", "3", "--select", "logprob", "-q", "hello"})});
  EXPECT_EQ(outcome.out, result["lanes"][selected]["text"].get<std::string>() + "\n");
}

TEST(Run, ACertaintyWindowIsWhatVotesAreWeighedByOrWhatJsonTells) {
  const auto lowest = [](const std::string& window) {
    const nlohmann::json result = result_of({"-n", "1", "--certainty-window", window, "hello"});
    return result["lanes"][0]["lowest_window"].get<double>();
  };
  EXPECT_NE(lowest("1"), lowest("24"));
  const std::vector<std::string> weighed = {"--vote-weight", "lowest-window", "--certainty-window", "4",
                                            "hello"};
  EXPECT_EQ(run_program({.arguments = run_arguments(weighed)}).status, 0);
}

TEST(Run, TheVerifierChooses) {
  // Scores 0, 1, 2 in the order of the lanes.
  const nlohmann::json result = result_of({"-n", "3", "--verifier", "awk '{print NR / 3}'", "hello"});
  EXPECT_EQ(result["selected"], 2);
}

TEST(Run, LaneTextAndTagAreFedFirst) {
  const nlohmann::json result = result_of({"-n", "2", "--tag", "", "--lane-text", "one two", "hello"});
  EXPECT_THAT(result["lanes"][0]["text"].get<std::string>(), ::testing::StartsWith("one two"));
  EXPECT_EQ(result["lanes"][1]["generated"], 24);
}

TEST(Run, AnAdaptersScaleChangesTheText) {
  const nlohmann::json base = result_of({"-n", "1", "--temp", "0", "hello"})["lanes"];
  const nlohmann::json none =
      result_of({"-n", "1", "--temp", "0", "--lora-scaled", adapter(), "0", "hello"})["lanes"];
  const nlohmann::json full =
      result_of({"-n", "1", "--temp", "0", "--lora-scaled", adapter(), "8", "hello"})["lanes"];
  EXPECT_EQ(base, none);
  EXPECT_NE(base, full);
}

TEST(Run, OmegaIsReadAsJsonOrAsLines) {
  std::string lines;
  for (int t = 0; t < 16; ++t) lines += std::to_string(0.1 * t) + "\n";
  nlohmann::json array = nlohmann::json::array();
  for (int t = 0; t < 16; ++t) array.push_back(std::stod(std::to_string(0.1 * t)));
  const std::string lines_file = temporary("omega.txt");
  const std::string json_file = temporary("omega.json");
  write_file(lines_file, lines);
  write_file(json_file, array.dump());
  const nlohmann::json lanes = result_of({"-n", "2", "--omega", lines_file, "hello"})["lanes"];
  EXPECT_EQ(lanes, result_of({"-n", "2", "--omega", json_file, "hello"})["lanes"]);
}

TEST(Run, AttentionOfEachTokenAddsUpToOne) {
  const std::string file = temporary("attention.json");
  ASSERT_EQ(run_program({.arguments = run_arguments({"-n", "2", "--attention", file, "hello"})}).status, 0);
  const nlohmann::json attention = nlohmann::json::parse(file_text(file));
  ASSERT_GT(attention["rows"].size(), 0);
  for (const nlohmann::json& row : attention["rows"]) {
    ASSERT_EQ(row["shares"].size(), attention["n_layer"]);
    for (const nlohmann::json& layer : row["shares"]) {
      ASSERT_EQ(layer.size(), attention["n_head"]);
      for (const nlohmann::json& head : layer) {
        ASSERT_EQ(head.size(), 3);
        EXPECT_NEAR(head[0].get<double>() + head[1].get<double>() + head[2].get<double>(), 1, 2e-3);
      }
    }
  }
  EXPECT_THAT(file_text(temporary("attention.html")), HasSubstr("</html>"));
}

TEST(Run, LanesOfAModelThatWasNotTrainedForThemAnswerByThemselves) {
  const auto noted = [](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"run", "-m", tiny_model(), "-b", "8", "--json", "x"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program({.arguments = arguments}).err;
  };
  EXPECT_THAT(noted({}),
              HasSubstr("this model was not trained for lanes, so each answers by itself and they vote"));
  EXPECT_THAT(noted({"--coupling", "lanerope"}), HasSubstr("mostly answers worse with them"));
  EXPECT_EQ(noted({"--coupling", "independent"}), "");
  EXPECT_EQ(noted({"-n", "1"}), "");
}

}  // namespace
}  // namespace lanerope::cli
