// SPDX-License-Identifier: Apache-2.0
#include "train/distributed.h"

#include <arpa/inet.h>
#include <c10/util/Logging.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <torch/torch.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "lanerope/errors.h"
#include "tests/train/toy_run.h"
#include "train/checkpoint.h"
#include "train/files/curve_log.h"

namespace lanerope::train {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

uint16_t free_port() {
  const int socket_number = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(socket_number, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket_number, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket_number);
  return ntohs(address.sin_port);
}

using Environment = std::map<std::string, std::string>;

// What torchrun tells each of the processes that it starts.
Environment place(int rank, int size, uint16_t port) {
  return {{"RANK", std::to_string(rank)},
          {"WORLD_SIZE", std::to_string(size)},
          {"MASTER_ADDR", "127.0.0.1"},
          {"MASTER_PORT", std::to_string(port)}};
}

// lanerope-train, started by itself or by a launcher.
class Process {
 public:
  Process(const TrainConfig& config, const std::string& name, const Environment& environment = {},
          const std::vector<std::string>& launcher = {})
      : errors_(config.out + "." + name + ".txt") {
    const std::string file = config.out + ".json";
    write_text(file, to_json(config).dump());
    std::vector<std::string> command = launcher;
    command.insert(command.end(), {LANEROPE_TRAIN_PROGRAM, "pretrain", "-c", file});
    std::vector<char*> arguments;
    for (std::string& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    id_ = ::fork();
    if (id_ != 0) return;
    for (const auto& [variable, value] : environment) ::setenv(variable.c_str(), value.c_str(), 1);
    ::setenv("OMP_NUM_THREADS", "1", 1);
    const int out = ::open(errors_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(out, STDERR_FILENO);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  int wait() const {
    int status = 0;
    ::waitpid(id_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void kill() const { ::kill(id_, SIGKILL); }
  std::string errors() const {
    std::ostringstream text;
    text << std::ifstream(errors_).rdbuf();
    return text.str();
  }

 private:
  std::string errors_;
  pid_t id_ = 0;
};

// A run by one process with twice the accumulation, and the same by two.
struct OneAndTwo {
  ToyRun toy = {};
  TrainConfig one = {};
  TrainConfig two = {};

  OneAndTwo() {
    toy.config.dev = toy.config.data[0].file;
    toy.config.dev_groups = 7;
    toy.config.dev_every = 6;
    one = toy.config;
    one.accumulate = 2;
    one.out = toy.directory.file("one.gguf");
    two = toy.config;
    two.out = toy.directory.file("two.gguf");
    const Process alone(one, "0");
    EXPECT_EQ(alone.wait(), 0) << alone.errors();
  }

  void expect_the_same() const {
    const auto expected = read_checkpoint(one.run_folder() + "/checkpoint.pt");
    const auto found = read_checkpoint(two.run_folder() + "/checkpoint.pt");
    ASSERT_TRUE(expected && found);
    for (const auto& [name, tensor] : expected->parameters)
      EXPECT_LT((tensor - found->parameters.at(name)).abs().max().item<double>(), 1e-5) << name;
    const auto curve = read_curve(two.run_folder() + "/curve.jsonl");
    const auto single = read_curve(one.run_folder() + "/curve.jsonl");
    ASSERT_EQ(curve.size(), single.size());
    for (size_t i = 0; i < curve.size(); ++i) {
      EXPECT_NEAR(curve[i].loss, single[i].loss, 1e-5);
      EXPECT_EQ(curve[i].tokens, single[i].tokens);
    }
    for (const auto& [name, value] : single.back().extra)
      EXPECT_NEAR(curve.back().extra.at(name), value, 1e-5) << name;
    EXPECT_TRUE(std::filesystem::exists(two.out));
  }
};

TEST(Distributed, TwoProcessesTrainAsOneWithTwiceTheAccumulation) {
  const OneAndTwo runs;
  const uint16_t port = free_port();
  const Process first(runs.two, "0", place(0, 2, port));
  const Process second(runs.two, "1", place(1, 2, port));
  EXPECT_EQ(first.wait(), 0) << first.errors();
  EXPECT_EQ(second.wait(), 0) << second.errors();
  EXPECT_EQ(second.errors(), "") << "only the first one speaks";
  runs.expect_the_same();
}

TEST(Distributed, TwoProcessesOfMpirunDoSoToo) {
  const std::string mpirun = LANEROPE_MPIRUN;
  if (!std::filesystem::exists(mpirun)) GTEST_SKIP() << "there is no mpirun (openmpi-bin)";
  const OneAndTwo runs;
  const Process both(runs.two, "both",
                     {{"MASTER_PORT", std::to_string(free_port())},
                      {"OMPI_ALLOW_RUN_AS_ROOT", "1"},
                      {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"}},
                     {mpirun, "-n", "2", "--oversubscribe"});
  EXPECT_EQ(both.wait(), 0) << both.errors();
  EXPECT_THAT(both.errors(), HasSubstr("step 12/12"));
  runs.expect_the_same();
}

TEST(Distributed, SaysInOneSentenceThatAnotherProcessIsLost) {
  ToyRun toy;
  toy.config.steps = 1'000'000;
  toy.config.checkpoint_every = 1'000'000;
  const uint16_t port = free_port();
  const Process first(toy.config, "0", place(0, 2, port));
  const Process second(toy.config, "1", place(1, 2, port));
  const std::string curve = toy.config.run_folder() + "/curve.jsonl";
  for (int i = 0; i < 600 && !(std::filesystem::exists(curve) && std::filesystem::file_size(curve) > 0); ++i)
    std::this_thread::sleep_for(50ms);
  second.kill();
  const auto begin = std::chrono::steady_clock::now();
  second.wait();
  EXPECT_EQ(first.wait(), 5) << "a system error";
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 60s);
  EXPECT_EQ(first.errors(),
            "lanerope-train: error: process 0 of 2 lost another one; start all of them again, and they go on "
            "from the checkpoint\n");
}

TEST(Distributed, SaysInOneSentenceThatNobodyElseCame) {
  ::setenv("TORCH_CPP_LOG_LEVEL", "FATAL", 0);
  c10::initLogging();  // as the program does
  try {
    const Peers peers({.rank = 1, .size = 2, .port = free_port(), .patience = 1s}, torch::kCPU);
    FAIL() << "nobody is there";
  } catch (const SystemError& error) {
    EXPECT_THAT(error.what(), HasSubstr("process 1 of 2 did not meet the others at 127.0.0.1:"));
  }
}

class RanksTest : public testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void set(const char* name, const char* value) { ::setenv(name, value, 1); }
  static void clear() {
    for (const char* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR",
                             "MASTER_PORT", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                             "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"}) {
      ::unsetenv(name);
    }
  }
};

TEST_F(RanksTest, AreNoneWhereNothingIsSet) {
  EXPECT_FALSE(ranks_from_environment());
  set("RANK", "0");
  set("WORLD_SIZE", "1");
  EXPECT_FALSE(ranks_from_environment()) << "one process";
}

TEST_F(RanksTest, AreTorchruns) {
  set("RANK", "3");
  set("WORLD_SIZE", "4");
  set("LOCAL_RANK", "1");
  set("MASTER_ADDR", "10.0.0.7");
  set("MASTER_PORT", "1234");
  const Ranks ranks = ranks_from_environment().value();
  EXPECT_EQ(ranks.rank, 3);
  EXPECT_EQ(ranks.size, 4);
  EXPECT_EQ(ranks.local_rank, 1);
  EXPECT_EQ(ranks.address, "10.0.0.7");
  EXPECT_EQ(ranks.port, 1234);
}

TEST_F(RanksTest, AreMpiruns) {
  set("OMPI_COMM_WORLD_RANK", "1");
  set("OMPI_COMM_WORLD_SIZE", "2");
  set("OMPI_COMM_WORLD_LOCAL_RANK", "1");
  set("OMPI_COMM_WORLD_LOCAL_SIZE", "2");
  const Ranks ranks = ranks_from_environment().value();
  EXPECT_EQ(ranks.rank, 1);
  EXPECT_EQ(ranks.size, 2);
  EXPECT_EQ(ranks.address, "127.0.0.1");
  set("OMPI_COMM_WORLD_LOCAL_SIZE", "1");
  EXPECT_THROW(ranks_from_environment(), InvalidRequest) << "two machines, and no address";
}

TEST_F(RanksTest, AreRefusedWhereTheyMakeNoSense) {
  set("WORLD_SIZE", "2");
  EXPECT_THROW(ranks_from_environment(), InvalidRequest) << "no rank";
  set("RANK", "2");
  EXPECT_THROW(ranks_from_environment(), InvalidRequest) << "beyond the last";
  set("RANK", "one");
  EXPECT_THROW(ranks_from_environment(), InvalidRequest);
  set("RANK", "1");
  set("MASTER_PORT", "70000");
  EXPECT_THROW(ranks_from_environment(), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::train
