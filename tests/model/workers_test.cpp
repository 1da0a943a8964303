// SPDX-License-Identifier: Apache-2.0
// Devices of other machines, in earnest: workers are processes, run by script/test-rpc, which brings ggml's
// RPC.
#include "lanerope/workers.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "lanerope/engine.h"
#include "tests/model/scored_traces.h"
#include "tests/support/random_models.h"

namespace lanerope::model {
namespace {

// The largest difference of two logits over the largest logit; both sides compute with ggml on this CPU.
constexpr double tolerance = 1e-4;

// `lanerope rpc-worker` with its CPU on a free port, until it is ended.
class WorkerProcess {
 public:
  WorkerProcess() {
    int notes[2] = {-1, -1};
    if (pipe(notes) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(notes[1], STDERR_FILENO);
      close(notes[0]);
      close(notes[1]);
      execl(LANEROPE_PROGRAM, "lanerope", "rpc-worker", "--port", "0", "--device", "cpu", "-t", "1", nullptr);
      _exit(127);
    }
    close(notes[1]);
    FILE* lines = fdopen(notes[0], "r");
    char line[512] = {};
    while (address_.empty() && std::fgets(line, sizeof(line), lines) != nullptr) {
      const std::string text = line;  // "lanerope: lending cpu on 127.0.0.1:50052\n"
      const size_t at = text.rfind(" on ");
      if (text.find("lending") != std::string::npos) address_ = text.substr(at + 4, text.size() - at - 5);
    }
    std::fclose(lines);
  }
  ~WorkerProcess() { end(SIGTERM); }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  const std::string& address() const { return address_; }
  // Its exit status, or -1 where the signal ended it.
  int end(int signal) {
    if (pid_ <= 0) return -1;
    kill(pid_, signal);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = 0;
  std::string address_;
};

// The same three for all tests: what ggml knows of a worker it never forgets.
const std::vector<std::string>& addresses() {
  static const std::array<WorkerProcess, 3> workers{};
  static const std::vector<std::string> all = {workers[0].address(), workers[1].address(),
                                               workers[2].address()};
  return all;
}

class Workers : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (addresses().front().empty()) GTEST_SKIP() << "no worker could be started; run script/test-rpc";
  }

  static tools::RandomModel small() { return model_of_layers(GetParam(), 4); }
  static std::shared_ptr<const Model> load(const std::string& file, size_t n_workers,
                                           int32_t gpu_layers = -1) {
    const std::vector<std::string> workers(addresses().begin(),
                                           addresses().begin() + static_cast<int64_t>(n_workers));
    std::string device;
    for (size_t i = 0; i < n_workers; ++i) device += (i > 0 ? ",RPC" : "RPC") + std::to_string(i);
    return Model::load(
        {.file = file, .device = device, .workers = workers, .gpu_layers = gpu_layers, .threads = 1});
  }
};

TEST_P(Workers, GiveTheLogitsOfTheCpuForEveryCoupling) {
  const std::string file = support::write_model(small());
  Engine on_cpu(support::load_model(file, BackEnd::ggml), {.kv_cells = 640, .kv_type = KvType::f32});
  for (const size_t n_workers : {1, 2, 3}) {
    Engine engine(load(file, n_workers), {.kv_cells = 640, .kv_type = KvType::f32});
    for (const int32_t n : {1, 8}) {
      for (const Coupling& coupling : couplings(some_omega(8))) {
        const ScoreRequest request = trace_of(n, coupling);
        EXPECT_LT(support::relative_difference(support::all_logits(engine, request),
                                               support::all_logits(on_cpu, request)),
                  tolerance)
            << name(coupling.kind) << ", " << n << " lanes, " << n_workers << " workers";
      }
    }
  }
}

TEST_P(Workers, LeaveLayersToThisMachine) {
  const std::string file = support::write_model(small());
  Engine on_cpu(support::load_model(file, BackEnd::ggml), {.kv_cells = 640, .kv_type = KvType::f32});
  const ScoreRequest request = trace_of(3, {.kind = CouplingKind::groupthink});
  for (const int32_t gpu_layers : {0, 2, 5}) {
    Engine engine(load(file, 2, gpu_layers), {.kv_cells = 640, .kv_type = KvType::f32});
    EXPECT_LT(support::relative_difference(support::all_logits(engine, request),
                                           support::all_logits(on_cpu, request)),
              tolerance)
        << gpu_layers << " layers on the workers";
  }
}

TEST_P(Workers, AreRefusedWhereNothingIsComputedOnThem) {
  const std::string file = support::write_model(small());
  EXPECT_THROW(Model::load({.file = file, .device = "cpu", .workers = {addresses().front()}}),
               InvalidRequest);
}

INSTANTIATE_TEST_SUITE_P(Architectures, Workers, testing::Values("llama", "gemma3"),
                         [](const auto& param_info) { return support::test_name(param_info.param); });

TEST(Worker, EndsWithStatusZeroWhenItIsTold) {
  for (const int signal : {SIGINT, SIGTERM}) {
    WorkerProcess worker;
    if (worker.address().empty()) GTEST_SKIP() << "no worker could be started; run script/test-rpc";
    EXPECT_EQ(worker.end(signal), 0);
  }
}

}  // namespace
}  // namespace lanerope::model
