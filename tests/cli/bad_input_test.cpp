// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/program.h"

namespace lanerope::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Bad {
  int status;
  std::vector<std::string> arguments;
  std::string message;  // a part of it
  std::string input = {};
};

// One line that starts like every error of the program.
void expect_error(const Bad& bad) {
  const Outcome outcome = run_program({.arguments = bad.arguments, .input = bad.input});
  EXPECT_EQ(outcome.status, bad.status) << outcome.err;
  EXPECT_THAT(outcome.err, StartsWith("lanerope: error: "));
  EXPECT_THAT(outcome.err, HasSubstr(bad.message));
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
}

std::vector<std::string> run_tiny(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"run", "-m", tiny_model()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(BadInput, Prompts) {
  expect_error({2, run_tiny({""}), "the text is empty"});
  expect_error({2, run_tiny({}), "the text is empty"});
  expect_error({2, run_tiny({"one", "-p", "two"}), "given twice"});
  expect_error({2, run_tiny({}), "not UTF-8 at byte 4",
                "abc\xff"
                "def"});
  expect_error({2, run_tiny({"ab\xed\xa0\x80"}), "not UTF-8 at byte 3"});
  expect_error({2, run_tiny({"--lane-text", "\xc0\x80", "x"}), "--lane-text is not UTF-8 at byte 1"});
  expect_error({5, run_tiny({"-f", "/no/such/file"}), "/no/such/file cannot be read"});
  expect_error({5, run_tiny({"-f", "/tmp"}), "/tmp cannot be read (Is a directory)"});
  std::string long_prompt;
  for (int i = 0; i < 9000; ++i) long_prompt += "zq ";
  expect_error({2, run_tiny({}), "context", long_prompt});
}

TEST(BadInput, Requests) {
  expect_error({2, run_tiny({"-n", "0", "x"}), "lane"});
  expect_error({2, run_tiny({"-n", "-4", "x"}), "lane"});
  expect_error({2, run_tiny({"-b", "0", "x"}), "budget"});
  expect_error({2, run_tiny({"--logit-bias", "12", "x"}), "--logit-bias '12'"});
  expect_error({2, run_tiny({"--select", "verifier", "x"}), "--verifier"});
  expect_error({2, run_tiny({"--select", "vote", "--verifier", "cat", "x"}), "--verifier goes with"});
  expect_error({2, run_tiny({"--init", "gt", "--coupling", "groupthink", "x"}), "--init"});
  expect_error({2, run_tiny({"--raw", "--system", "s", "x"}), "--system needs a chat template"});
  expect_error({2, run_tiny({"--chat-template", "nonsense", "x"}), "nonsense"});
  expect_error({2, run_tiny({"--lora", "lanes:nonsense", "x"}),
                "no bundled adapter \"nonsense\"; there is qwen2.5-coder-0.5b"});
  expect_error({2, run_tiny({"--backend", "kernels", "--kv-type", "f32", "x"}), "f16 or q8_0"});
  expect_error({2, run_tiny({"--device", "abacus", "x"}), "abacus"});
  expect_error({2, run_tiny({"-dev", "abacus,cpu", "x"}), "the CPU is always there"});
  expect_error({2, run_tiny({"-ts", "3,1", "x"}), "--tensor-split is about devices"});
  expect_error({2, run_tiny({"-ot", "nonsense=CPU", "x"}), "no tensor"});
  expect_error({2, run_tiny({"-ot", "ffn=CPU", "-ot", "ffn_(up=CPU", "x"}), "not a regular expression"});
  expect_error({2, run_tiny({"-ot", "ffn=abacus", "x"}), "the model is on CPU"});
  expect_error({2, run_tiny({"-sm", "none", "x"}), "--split-mode is about devices"});
  expect_error({4, run_tiny({"-c", "20", "-n", "4", "-b", "100", "x"}), "cells"});
}

TEST(BadInput, RequestsOfWhichNothingWouldCome) {
  expect_error({2, run_tiny({"--wait", "~", "x"}), "independent lanes see no other that could wake them"});
  expect_error({2, run_tiny({"--coupling", "lanerope", "-n", "1", "--wait", "~", "x"}),
                "a lane alone has no other to wait for"});
  expect_error({2, run_tiny({"-n", "2", "--conductor", "9", "x"}),
                "lane of the policy conductor is 9, with which it never acts on 2 lanes"});
  expect_error({2, run_tiny({"--tool", "notes", "--tool-memory", "100", "x"}),
                "--tool-memory bounds a program of yours"});
  expect_error({2, {"chat", "-m", tiny_model(), "--certainty-window", "9"}, "--certainty-window", "hello\n"});
  expect_error({2, {"inspect", tiny_model(), "-sm", "none"}, "--split-mode is about devices"});
  for (const std::string option : {"--lanes", "--budget", "--prompt-tokens"})
    expect_error({2, {"inspect", adapter(), option, "5"}, option + " is about the memory of a model"});
  expect_error({2, {"inspect", adapter(), "--kv-type", "f32"}, "--kv-type is about the memory of a model"});
}

TEST(BadInput, FoldersInPlaceOfFiles) {
  expect_error({5, run_tiny({"--calibration", "/tmp", "x"}), "/tmp is a folder; name a file"});
  expect_error({5, run_tiny({"--mcp-config", "/tmp", "x"}), "/tmp is a folder; name a file"});
  expect_error({5, run_tiny({"--tool", "x=cat", "--tool-schema", "x=/tmp", "x"}),
                "/tmp cannot be read (Is a directory)"});
}

TEST(BadInput, Omega) {
  const std::string file = temporary("omega");
  write_file(file, "1 2 three");
  expect_error({3, run_tiny({"--omega", file, "x"}), "does not hold omega"});
  write_file(file, "[1, \"2\"]");
  expect_error({3, run_tiny({"--omega", file, "x"}), "does not hold omega"});
  write_file(file, "1 nan");
  expect_error({3, run_tiny({"--omega", file, "x"}), "finite"});
  write_file(file, "1 2 3");
  expect_error({2, run_tiny({"--omega", file, "x"}), "omega"});
  expect_error({5, run_tiny({"--omega", "/no/such/file", "x"}), "/no/such/file cannot be read"});
}

TEST(BadInput, Models) {
  const std::string file = temporary("model.gguf");
  expect_error({5, {"run", "-m", "/no/such/model", "x"}, "/no/such/model"});
  write_file(file, "this is not a model");
  expect_error({3, {"run", "-m", file, "x"}, file});
  const std::string whole = file_text(tiny_model());
  write_file(file, whole.substr(0, whole.size() / 2));
  expect_error({3, {"run", "-m", file, "x"}, file});
  expect_error({3, {"inspect", file}, file});
  expect_error({3, {"run", "-m", adapter(), "x"}, adapter()});
}

TEST(BadInput, AnAdapterForAnotherModelNamesTheCulprit) {
  const Outcome outcome = run_program({.arguments = {"run", "-m", other_model(), "--lora", adapter(), "x"}});
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.err, StartsWith("lanerope: error: "));
  EXPECT_THAT(outcome.err, HasSubstr(adapter()));
}

TEST(BadInput, FullDisks) {
  expect_error(
      {5, run_tiny({"-n", "1", "-b", "16", "-q", "--attention", "/dev/full", "x"}), "free some space"});
  expect_error({5, run_tiny({"--attention", "/no/such/directory/a.json", "x"}), "/no/such/directory/a.json"});
  const Outcome outcome = run_program({.arguments = run_tiny({"-b", "16", "x"}), .output_file = "/dev/full"});
  EXPECT_EQ(outcome.status, 5);
  EXPECT_THAT(outcome.err, HasSubstr("standard output cannot be written (No space left on device)"));
}

TEST(BadInput, ScoreNamesTheLine) {
  const std::vector<std::string> score = {"score", "-m", tiny_model()};
  expect_error({2, score, "line 1 is not a JSON object", "nonsense\n"});
  expect_error({2, score, "line 2 has no prompt", "\n{\"lanes\": [\"a\"]}\n"});
  expect_error({2, score, "lane", R"({"prompt": "", "lanes": []})"});
  expect_error({2, score, "line 1 has no lanes", "{\"prompt\": \"a\"}\n"});
  expect_error({2, score, "line 1: a lane holds 1.5", "{\"prompt\": \"a\", \"lanes\": [[1.5]]}\n"});
  expect_error({2, score, "token", "{\"prompt\": \"a\", \"lanes\": [[99999999]]}\n"});
  expect_error({2, score, "line 1 has \"start_step\", where \"start_steps\" is meant",
                R"({"prompt": "a", "lanes": ["b"], "start_step": [0]})"});
  expect_error(
      {2, score, "line 1 has two prompts", R"({"prompt": "a", "prompt_tokens": [5], "lanes": ["b"]})"});
}

TEST(BadInput, Tokenize) {
  expect_error({2, {"tokenize", "-m", tiny_model(), "--decode", "1 two"}, "'two' is not a token id"});
  expect_error({2, {"tokenize", "-m", tiny_model(), "--decode", "100000"}, "the model has no token 100000"});
}

}  // namespace
}  // namespace lanerope::cli
