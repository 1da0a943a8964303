// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lanerope::train {

// Which of several processes that train one model together this is.
struct Ranks {
  int32_t rank = 0;
  int32_t size = 1;
  int32_t local_rank = 0;  // on its machine: the number of its GPU
  std::string address = "127.0.0.1";
  uint16_t port = 29500;
  // Waiting for another process longer than this means that it is lost.
  std::chrono::seconds patience{50};
};

// What torchrun (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT) or Open MPI's mpirun
// (OMPI_COMM_WORLD_*) set; nothing where this process is alone. Throws InvalidRequest where they contradict
// themselves.
std::optional<Ranks> ranks_from_environment();

// The connection of a process to all others, over Gloo, or NCCL for CUDA devices where libtorch has it. Every
// member is called by all of them in the same order. All throw SystemError where another process is lost.
class Peers {
 public:
  // Waits for all to come. Throws InvalidRequest where this program was built without Gloo.
  Peers(const Ranks& ranks, torch::Device device);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  int32_t rank() const { return ranks_.rank; }
  int32_t size() const { return ranks_.size; }

  // Each tensor, of one type and device, becomes the sum of those of all processes.
  void sum(const std::vector<torch::Tensor>& tensors);
  void sum(std::span<double> values);
  bool any(bool here);
  // Throws InvalidRequest with the sentence unless the number is the same everywhere.
  void agree(double value, const std::string& sentence);

 private:
  enum class Reduction { sum, largest };
  void reduce(torch::Tensor& tensor, Reduction reduction);

  struct Group;
  Ranks ranks_;
  std::unique_ptr<Group> group_;
};

}  // namespace lanerope::train
