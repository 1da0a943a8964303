// SPDX-License-Identifier: Apache-2.0
#include "train/distributed.h"

#include <torch/torch.h>

#include <charconv>
#include <cstdlib>

#include "lanerope/errors.h"

#ifdef LANEROPE_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#endif

namespace lanerope::train {

using torch::Tensor;

namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

std::optional<int32_t> number(const char* name) {
  const auto text = variable(name);
  if (!text) return std::nullopt;
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 0)
    throw InvalidRequest("the environment's " + std::string(name) + " is \"" + *text +
                         "\", which is no number of processes or of one of them");
  return value;
}

}  // namespace

std::optional<Ranks> ranks_from_environment() {
  const bool torchrun = variable("WORLD_SIZE").has_value();
  const auto size = number(torchrun ? "WORLD_SIZE" : "OMPI_COMM_WORLD_SIZE");
  if (!size || *size == 1) return std::nullopt;
  const char* rank_name = torchrun ? "RANK" : "OMPI_COMM_WORLD_RANK";
  const auto rank = number(rank_name);
  if (!rank || *rank >= *size)
    throw InvalidRequest("the environment asks for " + std::to_string(*size) + " processes, and " +
                         rank_name + " must number this one from 0");
  const auto local = number(torchrun ? "LOCAL_RANK" : "OMPI_COMM_WORLD_LOCAL_RANK");
  const auto local_size = number(torchrun ? "LOCAL_WORLD_SIZE" : "OMPI_COMM_WORLD_LOCAL_SIZE");
  const auto address = variable("MASTER_ADDR");
  if (!address && local_size.value_or(*size) != *size)
    throw InvalidRequest("processes on several machines need MASTER_ADDR, the address of the first one");
  Ranks ranks{.rank = *rank, .size = *size, .local_rank = local.value_or(0)};
  if (address) ranks.address = *address;
  const int32_t port = number("MASTER_PORT").value_or(ranks.port);
  if (port < 1 || port > 65535) throw InvalidRequest("the environment's MASTER_PORT must be 1 to 65535");
  ranks.port = static_cast<uint16_t>(port);
  return ranks;
}

#ifdef LANEROPE_GLOO

namespace {

std::shared_ptr<gloo::transport::Device> gloo_device(const Ranks& ranks) {
  using c10d::ProcessGroupGloo;
  if (const auto interface = variable("GLOO_SOCKET_IFNAME"))
    return ProcessGroupGloo::createDeviceForInterface(*interface);
  if (ranks.address == "localhost" || ranks.address.starts_with("127."))
    return ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  return ProcessGroupGloo::createDefaultDevice();
}

// torchrun may keep the store in a process of its own, which outlives a group that was restarted.
bool store_is_kept() {
  return variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
}

}  // namespace

struct Peers::Group {
  c10::intrusive_ptr<c10d::Backend> backend;
  torch::Device device = torch::kCPU;  // where tensors are reduced
};

Peers::Peers(const Ranks& ranks, torch::Device device) : ranks_(ranks), group_(std::make_unique<Group>()) {
  try {
    c10d::TCPStoreOptions options;
    options.port = ranks.port;
    options.isServer = ranks.rank == 0 && !store_is_kept();
    options.numWorkers = static_cast<size_t>(ranks.size);
    options.waitWorkers = !store_is_kept();
    options.timeout = ranks.patience;
    options.useLibUV = false;
    const auto store = c10::make_intrusive<c10d::PrefixStore>(
        "lanerope/" + variable("TORCHELASTIC_RESTART_COUNT").value_or("0"),
        c10::make_intrusive<c10d::TCPStore>(ranks.address, options));
#ifdef USE_C10D_NCCL
    if (device.is_cuda()) {
      const auto nccl = c10d::ProcessGroupNCCL::Options::create();
      nccl->timeout = ranks.patience;
      group_->device = device;
      group_->backend = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, ranks.rank, ranks.size, nccl);
      return;
    }
#endif
    static_cast<void>(device);
    const auto gloo = c10d::ProcessGroupGloo::Options::create(ranks.patience);
    gloo->devices.push_back(gloo_device(ranks));
    gloo->threads = 1;
    group_->backend = c10::make_intrusive<c10d::ProcessGroupGloo>(store, ranks.rank, ranks.size, gloo);
  } catch (const std::exception&) {
    throw SystemError("process " + std::to_string(ranks.rank) + " of " + std::to_string(ranks.size) +
                      " did not meet the others at " + ranks.address + ":" + std::to_string(ranks.port) +
                      " within " + std::to_string(ranks.patience.count()) +
                      " s; start all of them, with a port that is free");
  }
}

void Peers::reduce(Tensor& tensor, Reduction reduction) {
  c10d::AllreduceOptions options;
  options.reduceOp = reduction == Reduction::sum ? c10d::ReduceOp::SUM : c10d::ReduceOp::MAX;
  options.timeout = ranks_.patience;
  std::vector<Tensor> tensors = {tensor.to(group_->device)};
  try {
    group_->backend->allreduce(tensors, options)->wait();
  } catch (const std::exception&) {
    throw SystemError("process " + std::to_string(ranks_.rank) + " of " + std::to_string(ranks_.size) +
                      " lost another one; start all of them again, and they go on from the checkpoint");
  }
  tensor = tensors[0];
}

#else

struct Peers::Group {};

Peers::Peers(const Ranks& ranks, torch::Device) : ranks_(ranks) {
  throw InvalidRequest(
      "this lanerope-train was built without Gloo (libgloo-dev) and trains in one process; "
      "start it without torchrun or mpirun");
}

void Peers::reduce(Tensor&, Reduction) {}

#endif

Peers::~Peers() = default;

void Peers::sum(const std::vector<Tensor>& tensors) {
  if (tensors.empty()) return;
  const torch::NoGradGuard no_gradients;
  std::vector<Tensor> flat;
  std::vector<int64_t> sizes;
  for (const Tensor& tensor : tensors) {
    flat.push_back(tensor.flatten());
    sizes.push_back(tensor.numel());
  }
  Tensor all = torch::cat(flat);  // (numbers of all tensors): one message
  reduce(all, Reduction::sum);
  const std::vector<Tensor> parts = all.split_with_sizes(sizes);
  for (size_t i = 0; i < tensors.size(); ++i) Tensor(tensors[i]).copy_(parts[i].view(tensors[i].sizes()));
}

void Peers::sum(std::span<double> values) {
  Tensor all = torch::tensor(std::vector<double>(values.begin(), values.end()), torch::kFloat64);
  reduce(all, Reduction::sum);
  all = all.cpu();
  std::copy_n(all.data_ptr<double>(), values.size(), values.begin());
}

bool Peers::any(bool here) {
  double count = here ? 1 : 0;
  sum(std::span(&count, 1));
  return count > 0;
}

void Peers::agree(double value, const std::string& sentence) {
  Tensor both = torch::tensor({value, -value}, torch::kFloat64);
  reduce(both, Reduction::largest);
  if (both[0].item<double>() != -both[1].item<double>()) throw InvalidRequest(sentence);
}

}  // namespace lanerope::train
