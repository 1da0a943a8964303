// SPDX-License-Identifier: Apache-2.0
// Models from a hub on loopback, with the program as a user runs it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/cli/program.h"
#include "tests/hub/fake_hub.h"
#include "tests/support/temporary_directory.h"

namespace lanerope::cli {
namespace {

namespace fs = std::filesystem;
using hub::Fault;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Words = std::vector<std::string>;

// In a process of its own, which the caller ends; what it says of itself goes to a file.
pid_t start_program(const Words& arguments, const std::string& said) {
  const pid_t child = fork();
  if (child != 0) return child;
  const int file = open(said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(file, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
  std::vector<char*> argv = {const_cast<char*>("lanerope")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(LANEROPE_PROGRAM, argv.data());
  _exit(127);
}

class HubProgram : public ::testing::Test {
 protected:
  HubProgram() {
    for (const char* name :
         {"LLAMA_CACHE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
          "MODEL_ENDPOINT", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "LLAMA_ARG_OFFLINE"})
      unsetenv(name);
    setenv("HF_HOME", directory.path().c_str(), 1);
    setenv("XDG_CACHE_HOME", directory.file("xdg").c_str(), 1);
    setenv("HF_ENDPOINT", hub.endpoint().c_str(), 1);
    hub.put("user/tiny", "tiny-F32.gguf", file_text(tiny_model()));
    hub.put("user/lora", "lora.gguf", file_text(adapter()));
  }

  static Outcome run(const Words& arguments) { return run_program({.arguments = arguments}); }

  // One line that starts like every error of the program.
  static void expect_error(int status, const Words& arguments, const std::string& part) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(StartsWith("lanerope: error: "), HasSubstr(part)));
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
  }

  fs::path cache() const { return directory.path() / "hub"; }

  fs::path partial(const std::string& bytes) const {
    return cache() / "models--user--big/blobs" / (hub::sha256_text(bytes) + ".incomplete");
  }

  support::TemporaryDirectory directory;
  hub::FakeHub hub;
};

TEST_F(HubProgram, RunsWhatItFetchesAsItRunsAFile) {
  const Words request = {"-n", "2", "-b", "16", "--seed", "1", "--raw", "--plain", "abc"};
  const auto with = [&](Words words) {
    words.insert(words.end(), request.begin(), request.end());
    return run(words);
  };
  const Outcome file = with({"run", "-m", tiny_model()});
  const Outcome fetched = with({"run", "-hf", "user/tiny"});
  EXPECT_EQ(fetched.status, 0) << fetched.err;
  EXPECT_EQ(fetched.out, file.out);
  EXPECT_THAT(fetched.err, HasSubstr("fetched tiny-F32.gguf, "));
  for (const Words& again : {Words{"run", "--hf-repo", "user/tiny:f32"}, Words{"run", "-m", "hf:user/tiny"},
                             Words{"run", "-hf", "user/tiny", "-hff", "tiny-F32.gguf"},
                             Words{"run", "-hf", "user/tiny", "--offline"}})
    EXPECT_EQ(with(again).out, file.out) << again.back();
  EXPECT_THAT(hub.seen_files(), SizeIs(1));
}

TEST_F(HubProgram, AdaptersComeFromItToo) {
  const Words request = {"--seed", "1", "-n", "1", "-b", "4", "--raw", "--plain", "abc"};
  Words file = {"run", "-m", tiny_model(), "--lora", adapter()};
  Words fetched = {"run", "-m", tiny_model(), "--lora", "hf:user/lora"};
  Words scaled = {"run", "-m", tiny_model(), "--lora-scaled", "hf:user/lora:lora.gguf", "1"};
  for (Words* words : {&file, &fetched, &scaled}) words->insert(words->end(), request.begin(), request.end());
  const Outcome expected = run(file);
  EXPECT_EQ(expected.status, 0) << expected.err;
  EXPECT_EQ(run(fetched).out, expected.out);
  EXPECT_EQ(run(scaled).out, expected.out);
}

TEST_F(HubProgram, OtherCommandsTakeItAsWell) {
  const Outcome ids = run({"tokenize", "-hf", "user/tiny", "--ids", "abc"});
  EXPECT_EQ(ids.out, run({"tokenize", "-m", tiny_model(), "--ids", "abc"}).out);
  const auto described =
      nlohmann::json::parse(run({"inspect", "-hf", "user/tiny", "--json", "--sha256"}).out);
  EXPECT_EQ(described["sha256"], hub::sha256_text(file_text(tiny_model())));
  EXPECT_EQ(described["model"], nlohmann::json::parse(run({"inspect", tiny_model(), "--json"}).out)["model"]);
  EXPECT_EQ(nlohmann::json::parse(run({"inspect", "hf:user/lora", "--json"}).out)["kind"], "adapter");
  EXPECT_EQ(run({"inspect"}).status, 0);  // the bundled model
  const Outcome bench =
      run({"bench", "-hf", "user/tiny", "-n", "1", "-p", "4", "-g", "2", "-r", "1", "--json"});
  EXPECT_EQ(bench.status, 0) << bench.err;
}

TEST_F(HubProgram, PullListAndRemove) {
  hub.put("user/tiny", "tiny-Q8_0.gguf", hub::some_bytes(3'000'000, 1));
  const Outcome pulled = run({"pull", "user/tiny:F32", "user/tiny:q8_0"});
  EXPECT_EQ(pulled.status, 0) << pulled.err;
  EXPECT_EQ(std::ranges::count(pulled.out, '\n'), 2);
  EXPECT_EQ(file_text(pulled.out.substr(0, pulled.out.find('\n'))), file_text(tiny_model()));
  EXPECT_EQ(run({"pull", "-hf", "user/tiny", "-hff", "tiny-F32.gguf"}).err, "");

  const auto listed = nlohmann::json::parse(run({"list", "--json"}).out);
  ASSERT_THAT(listed["models"], SizeIs(2));
  EXPECT_EQ(listed["models"][1]["name"], "user/tiny:Q8_0");
  EXPECT_EQ(listed["models"][1]["bytes"], 3'000'000);
  EXPECT_THAT(run({"list"}).out,
              AllOf(HasSubstr("user/tiny:F32"), HasSubstr("2.86 MiB"), HasSubstr(cache().string())));

  const Outcome removed = run({"rm", "user/tiny:Q8_0"});
  EXPECT_EQ(removed.out, "removed tiny-Q8_0.gguf of user/tiny\n2.86 MiB freed\n");
  expect_error(2, {"rm", "user/tiny:Q8_0"}, "user/tiny:Q8_0 is not in ");
  EXPECT_EQ(run({"rm", "user/tiny"}).status, 0);
  EXPECT_THAT(run({"list"}).out, StartsWith("no models in "));
}

TEST_F(HubProgram, AUrlGoesWhereTheModelOptionSays) {
  const std::string url = hub.endpoint() + "/user/tiny/resolve/main/tiny-F32.gguf";
  const std::string target = directory.file("here.gguf");
  EXPECT_EQ(run({"tokenize", "-mu", url, "-m", target, "abc"}).status, 0);
  EXPECT_EQ(file_text(target), file_text(tiny_model()));
  const std::string own = directory.file("own.gguf");
  write_file(own, file_text(tiny_model()));
  expect_error(2, {"tokenize", "-mu", url, "-m", own, "abc"}, "own.gguf was not fetched from " + url);
  const Outcome pulled = run({"pull", "-mu", url});
  EXPECT_EQ(pulled.out, directory.file("xdg/llama.cpp/tiny-F32.gguf") + "\n");
}

TEST_F(HubProgram, WrongRequestsAreOneLineAndStatusTwo) {
  expect_error(2, {"run", "-hf", "tiny", "x"},
               "'tiny' names no repository; write user/repo or user/repo:quant");
  expect_error(2, {"run", "-hf", "user/tiny", "-m", "a.gguf", "x"}, "give one of the two");
  expect_error(2, {"run", "-hf", "user/tiny", "-mu", "http://h/a.gguf", "x"}, "give one of the two");
  expect_error(2, {"run", "-hff", "a.gguf", "x"}, "say which repository with -hf");
  expect_error(2, {"run", "-hf", "user/tiny:Q2_K", "x"}, "user/tiny has no Q2_K; it holds tiny-F32.gguf");
  expect_error(2, {"run", "-hf", "user/none", "x"}, "has no repository user/none (404)");
  expect_error(2, {"run", "-hf", "user/tiny", "--offline", "x"}, "offline nothing is fetched");
  expect_error(2, {"run", "-mu", "here.gguf", "x"}, "is no URL of a file");
  expect_error(2, {"pull"}, "nothing is named");
  expect_error(2, {"inspect", "a.gguf", "-hf", "user/tiny"}, "a file is named twice");
  hub.needed_token = "hf_x";
  expect_error(2, {"pull", "user/tiny"}, "without a token (401)");
  EXPECT_EQ(run({"pull", "user/tiny", "-hft", "hf_x"}).status, 0);
}

TEST_F(HubProgram, TroubleOfOthersHasItsStatus) {
  hub.api_faults = {Fault{.status = 429, .headers = {{"Retry-After", "3000"}}}};
  expect_error(5, {"pull", "user/tiny"}, "asks for fewer requests (429); try again in 3000 s");
  hub.wrong_files = 2;
  const Outcome wrong = run({"pull", "user/tiny"});
  EXPECT_EQ(wrong.status, 3);
  EXPECT_THAT(wrong.err, HasSubstr("with another SHA-256"));
}

// A child that is killed leaves no half file under a whole one's name, and the next one goes on.
TEST_F(HubProgram, GoesOnAfterKillMinusNine) {
  const std::string bytes = hub::some_bytes(4'000'000, 5);
  hub.put("user/big", "big-Q4_0.gguf", bytes);
  hub.bytes_per_second = 2'000'000;
  const pid_t child = start_program({"pull", "user/big"}, "/dev/null");
  std::error_code error;
  for (int i = 0; i < 500 && !(fs::file_size(partial(bytes), error) > 1'000'000 && !error); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  const auto there = fs::file_size(partial(bytes));
  ASSERT_LT(there, bytes.size());
  EXPECT_THAT(run({"list"}).out, HasSubstr("of user/big are not whole"));
  hub.bytes_per_second = 0;
  const Outcome again = run({"pull", "user/big"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("fetching big-Q4_0.gguf, 4.0 MB, of which "));
  EXPECT_EQ(hub.seen_files().back().from, there);
  EXPECT_EQ(file_text(again.out.substr(0, again.out.size() - 1)), bytes);
}

TEST_F(HubProgram, TwoProgramsAtOnceFetchOnce) {
  const std::string bytes = hub::some_bytes(2'000'000, 6);
  hub.put("user/big", "big-Q4_0.gguf", bytes);
  hub.bytes_per_second = 2'000'000;
  std::vector<Outcome> outcomes(2);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&, i] { outcomes[i] = run_in_terminal({.arguments = {"pull", "user/big"}}); });
  for (std::thread& thread : threads) thread.join();
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.status, 0) << outcome.out;
  EXPECT_THAT(hub.seen_files(), SizeIs(1));
  EXPECT_THAT(outcomes[0].out + outcomes[1].out, HasSubstr("another program is fetching big-Q4_0.gguf"));
}

TEST_F(HubProgram, ATerminalSeesABarAndOthersSeeLines) {
  hub.put("user/big", "big-Q4_0.gguf", hub::some_bytes(2'000'000, 7));
  hub.bytes_per_second = 1'500'000;
  const Outcome shown = run_in_terminal({.arguments = {"pull", "user/big"}, .columns = 90});
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("\r\033[Kbig-Q4_0.gguf  [#"), HasSubstr(" of 2.0 MB  1."), HasSubstr(" left")));
  EXPECT_THAT(shown.out, HasSubstr("fetched big-Q4_0.gguf, 2.0 MB, in 0:01 (1."));
  hub.put("user/big", "big-Q4_0.gguf", hub::some_bytes(20'000, 8));
  hub.bytes_per_second = 0;
  EXPECT_EQ(run({"pull", "user/big"}).err, "fetching big-Q4_0.gguf, 0.0 MB\nfetched big-Q4_0.gguf, 0.0 MB\n");
}

TEST_F(HubProgram, CtrlCStopsAndKeepsWhatIsThere) {
  const std::string bytes = hub::some_bytes(20'000'000, 9);
  hub.put("user/big", "big-Q4_0.gguf", bytes);
  hub.bytes_per_second = 2'000'000;
  const Outcome stopped =
      run_in_terminal({.arguments = {"pull", "user/big"}, .type_after = " left", .typed = "\x03"});
  EXPECT_EQ(stopped.status, 130);
  EXPECT_THAT(stopped.out, HasSubstr("stopped; the same command goes on from what is there\r\n"));
  EXPECT_GT(fs::file_size(partial(bytes)), 0U);
}

TEST_F(HubProgram, AServedModelIsCalledAsItWasAskedFor) {
  const std::string said = directory.file("said");
  const pid_t child = start_program({"serve", "-hf", "user/tiny:F32", "--port", "0"}, said);
  const std::string before = "listening on http://";
  std::string address;
  for (int i = 0; i < 500 && address.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const std::string text = file_text(said);
    const size_t at = text.find(before);
    if (at == std::string::npos || text.find('\n', at) == std::string::npos) continue;
    address = text.substr(at + before.size(), text.find('\n', at) - at - before.size());
  }
  const auto reply = httplib::Client("http://" + address).Get("/v1/models");
  kill(child, SIGTERM);
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(reply) << file_text(said);
  EXPECT_EQ(nlohmann::json::parse(reply->body)["data"][0]["id"], "user/tiny:F32");
}

}  // namespace
}  // namespace lanerope::cli
