// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "lanerope/model.h"
#include "tests/cli/program.h"

namespace lanerope::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::vector<std::string> commands = {"run",  "chat", "score", "inspect", "tokenize",   "bench",
                                           "data", "pull", "list",  "rm",      "rpc-worker", "completion"};

TEST(Arguments, NoneShowTheHelp) {
  const Outcome outcome = run_program({.arguments = {}});
  EXPECT_EQ(outcome.status, 0);
  for (const std::string& command : commands) EXPECT_THAT(outcome.out, HasSubstr("\n  " + command + " "));
}

TEST(Arguments, VersionIsTheLibrarys) {
  const Outcome outcome = run_program({.arguments = {"--version"}});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "lanerope " + std::string(version()) + "\n");
}

TEST(Arguments, EveryCommandHasHelpWithExamples) {
  for (const std::string& command : commands) {
    const Outcome outcome = run_program({.arguments = {command, "--help"}});
    EXPECT_EQ(outcome.status, 0) << command;
    EXPECT_THAT(outcome.out, HasSubstr("Usage: lanerope " + command));
    EXPECT_THAT(outcome.out, HasSubstr("\nExamples:\n  "));
    EXPECT_EQ(outcome.err, "");
  }
}

struct BadCase {
  std::vector<std::string> arguments;
  std::string message;  // a part of it
};

class BadArguments : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadArguments, GiveOneLineAndStatusTwo) {
  const Outcome outcome = run_program({.arguments = GetParam().arguments});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, StartsWith("lanerope: error: "));
  EXPECT_THAT(outcome.err, HasSubstr(GetParam().message));
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(
    All, BadArguments,
    ::testing::Values(
        BadCase{{"walk"}, "there is no command walk; see lanerope --help"},
        BadCase{{"run", "--walk", "x"}, "there is no option --walk; see lanerope run --help"},
        BadCase{{"run", "--walk", "3", "x"}, "there is no option --walk; see lanerope run --help"},
        BadCase{{"run", "--policy-timeout", "3", "x"}, "--policy-timeout requires --policy-cmd"},
        BadCase{{"run", "one", "two"}, "there is no place for the argument two"},
        BadCase{{"run", "-n", "many", "x"}, "--lanes does not take 'many'"},
        BadCase{{"run", "-n"}, "--lanes needs a value"},
        BadCase{{"run", "--coupling", "telepathy", "x"},
                "'telepathy' is none of independent, lanerope, groupthink, hogwild, bridge"},
        BadCase{{"run", "--init", "given", "x"}, "'given' is none of rope, gt, ntk, ntk-by-parts"},
        BadCase{{"run", "--json", "--plain", "x"}, "--json excludes --plain"},
        BadCase{{"run", "--seed", "-2", "x"}, "--seed"},
        BadCase{{"completion", "tcsh"}, "'tcsh' is none of bash, zsh, fish"},
        BadCase{{"bench", "-n", "0"}, "--lanes"},
        BadCase{{"run", "--rpc", "attic", "x"}, "\"attic\" is not the address of a worker"},
        BadCase{{"rpc-worker", "--port", "70000"}, "--port"},
        BadCase{{"run", "-sm", "row", "x"}, "'row' would cut each matrix over the devices"},
        BadCase{{"run", "-sm", "tensor", "x"}, "'tensor' is not none or layer"},
        BadCase{{"run", "-ts", "3,x", "x"}, "'x' is no number"},
        BadCase{{"run", "-ts", "3,", "x"}, "'' is no number"},
        BadCase{{"run", "-mg", "-1", "x"}, "--main-gpu"}, BadCase{{"run", "-ngl", "-5", "x"}, "--gpu-layers"},
        BadCase{{"run", "--reserve-lanes", "3", "x"}, "--reserve-lanes requires --policy-cmd"},
        BadCase{{"run", "--logprobs", "x"}, "--logprobs requires --json"},
        BadCase{{"run", "--top-logprobs", "2", "x"}, "--top-logprobs requires --json"},
        BadCase{{"run", "--certainty-window", "9", "x"}, "--certainty-window does nothing without"},
        BadCase{{"run", "--raw", "--chat-template", "chatml", "x"}, "--raw excludes --chat-template"},
        BadCase{{"chat", "--logprobs"}, "there is no option --logprobs"},
        BadCase{{"score", "--chat-template", "chatml"}, "there is no option --chat-template"},
        BadCase{{"tokenize", "--decode", "--no-special", "1"}, "--decode excludes --no-special"},
        BadCase{{"tokenize", "--decode", "--no-parse-special", "1"}, "--decode excludes --no-parse-special"},
        BadCase{{"inspect", "-b", "2147483647"}, "--budget"}, BadCase{{"inspect", "-n", "1025"}, "--lanes"},
        BadCase{{"bench", "--chat-template", "chatml"}, "there is no option --chat-template"},
        BadCase{{"bench", "--backend", "ggml", "--backends", "kernels"}, "--backends excludes --backend"},
        BadCase{{"bench", "--coupling", "hogwild", "--couplings", "bridge"},
                "--couplings excludes --coupling"},
        BadCase{{"bench", "--baseline", "ggml"}, "--baseline requires --backends"},
        BadCase{{"bench", "--backends", "ggml", "--baseline", "ggml"}, "is not one of several --backends"},
        BadCase{{"bench", "--backends", "kernels,ggml", "--baseline", "nonsense"},
                "--baseline nonsense is not one of several --backends"},
        BadCase{{"data", "walk"}, "there is no command walk; see lanerope data --help"},
        BadCase{{"data", "rollout"}, "FILE is required; see lanerope data rollout --help"}));

void expect_empty(const std::vector<std::string>& arguments, const std::string& name) {
  const Outcome outcome = run_program({.arguments = arguments});
  EXPECT_EQ(outcome.status, 2) << name;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "lanerope: error: " + name + " is empty; give a value or leave it out\n");
}

// As of a shell's variable that nobody set.
TEST(Arguments, AnEmptyValueIsRefused) {
  for (const std::string option : {"--json-schema", "--grammar", "--regex", "--model", "--temp", "--budget",
                                   "--calibration", "--verifier", "--mcp-config", "--omega", "--attention",
                                   "--coupling", "--gpu-layers", "--stop", "--prompt"})
    expect_empty({"run", option, "", "x"}, option);
  expect_empty({"run", "-b", "", "x"}, "--budget");
  expect_empty({"run", "-hf", "", "x"}, "--hf-repo");
  for (const std::string option : {"--api-key-file", "--tls-cert", "--tls-key", "--presets"})
    expect_empty({"serve", "--port", "0", option, ""}, option);
  for (const std::string option : {"--judge", "--shots-from", "--prompt"})
    expect_empty({"eval", option, ""}, option);
  expect_empty({"eval", "compare", "--budget", "", "a", "b"}, "--budget");
  expect_empty({"data", "rollout", "--output", ""}, "--output");
  expect_empty({"inspect", ""}, "FILE");
}

TEST(Arguments, AnEmptyValueBehindAnEqualsSignIsNotTheNextWord) {
  expect_empty({"serve", "--api-key-file=", "--port", "0"}, "--api-key-file");
  expect_empty({"run", "--stop=", "--json", "x"}, "--stop");
}

TEST(Arguments, AnEmptyValueIsTakenWhereItMeansSomething) {
  const Outcome outcome =
      run_program({.arguments = {"run", "-m", tiny_model(), "-n", "2", "-b", "4", "--tag=", "--wait", "",
                                 "--ready", "", "--lane-text", "", "--system", "", "x"}});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
}

// llama.cpp's names of several letters behind one dash.
TEST(Arguments, EveryCommandWithAModelTakesOneFromTheHub) {
  const std::vector<std::vector<std::string>> with_model = {{"run"},
                                                            {"chat"},
                                                            {"score"},
                                                            {"inspect"},
                                                            {"tokenize"},
                                                            {"bench"},
                                                            {"serve"},
                                                            {"eval"},
                                                            {"data", "rollout"},
                                                            {"data", "collaborate"},
                                                            {"data", "compose"}};
  for (std::vector<std::string> command : with_model) {
    command.emplace_back("--help");
    const std::string help = run_program({.arguments = command}).out;
    for (const char* option : {"-m,--model", "-hf,--hf-repo", "-hff,--hf-file", "-mu,--model-url",
                               "-hft,--hf-token", "  --offline"})
      EXPECT_THAT(help, HasSubstr(option)) << command.front();
  }
}

TEST(Arguments, CompletionIsAScriptThatKnowsEveryOption) {
  const std::string help = run_program({.arguments = {"run", "--help"}}).out;
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const Outcome outcome = run_program({.arguments = {"completion", shell}});
    EXPECT_EQ(outcome.status, 0);
    for (const std::string& command : commands) EXPECT_THAT(outcome.out, HasSubstr(command));
    for (const std::string option : {"lane-text", "coupling", "verifier", "attention"}) {
      EXPECT_THAT(help, HasSubstr("--" + option));
      EXPECT_THAT(outcome.out, HasSubstr((shell == "fish" ? "-l " : "--") + option)) << shell;
    }
    EXPECT_THAT(outcome.out, HasSubstr("independent lanerope groupthink hogwild bridge")) << shell;
  }
}

TEST(Arguments, WhatIsAProgramOfItsOwnNowIsStillFound) {
  const Outcome outcome = run_program({.arguments = {"data", "problems", "--count", "2", "--parts", "3"}});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(json_lines(outcome.out).size(), 2U);
  EXPECT_EQ(outcome.err,
            "lanerope data problems is lanerope-toy problems now; the old name goes with 0.2.0\n");
  EXPECT_EQ(run_program({.arguments = {"data", "traces", "--lanes", "65"}}).status, 2);
}

TEST(Arguments, CompletionForBashCompletesInBash) {
  const std::string script = temporary("completion.bash");
  write_file(script, run_program({.arguments = {"completion", "bash"}}).out);
  const auto completed = [&](const std::string& words, int at) {
    const std::string out = temporary("completed");
    const std::string command = "bash -c 'source " + script + "; COMP_WORDS=(" + words +
                                "); COMP_CWORD=" + std::to_string(at) +
                                "; _lanerope; printf \"%s \" \"${COMPREPLY[@]}\"' > " + out;
    EXPECT_EQ(std::system(command.c_str()), 0);
    return file_text(out);
  };
  EXPECT_EQ(completed("lanerope to", 1), "tokenize ");
  EXPECT_EQ(completed("lanerope run --topo", 2), "--topology ");
  EXPECT_EQ(completed("lanerope run --topology r", 3), "ring ");
  EXPECT_EQ(completed("lanerope run --policy fork", 3), "fork-on-doubt ");
  EXPECT_EQ(completed("lanerope run -hf", 2), "-hf -hfr -hff -hft ");
  EXPECT_EQ(completed("lanerope data ro", 2), "rollout ");
  EXPECT_EQ(completed("lanerope data pro", 2), " ") << "old names are not offered";
  EXPECT_EQ(completed("lanerope data rollout --lan", 3), "--lanes ");
  EXPECT_EQ(completed("lanerope data rollout --topology r", 4), "ring ");
}

}  // namespace
}  // namespace lanerope::cli
