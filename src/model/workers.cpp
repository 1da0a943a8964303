// SPDX-License-Identifier: Apache-2.0
#include "lanerope/workers.h"

#include <ggml-rpc.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>

#include "model/device.h"
#include "model/worker_address.h"
#include "model/workers.h"

namespace lanerope {

namespace {

using model::WorkerAddress;
using namespace std::chrono_literals;

constexpr auto patience = 5s;

// Of the process, as ggml's devices are. Never destroyed: a thread of ggml's may look at it at the very end.
struct Workers {
  std::mutex adding;  // held while ggml is asked to add one, which may end in on_abort
  std::mutex mutex;   // of these two:
  std::vector<WorkerAddress> known;
  WorkerLost lost;
  std::mutex ending;  // never given back: the end comes once
};

Workers& workers() {
  static auto* const all = new Workers;
  return *all;
}

std::vector<WorkerAddress> known_workers() {
  const std::lock_guard lock(workers().mutex);
  return workers().known;
}

// A process that is killed loses its connections before its port.
std::string sentence_of_loss() {
  const std::vector<WorkerAddress> known = known_workers();
  std::string gone;
  for (int tries = 0; gone.empty() && tries < 10; ++tries) {
    if (tries > 0) std::this_thread::sleep_for(100ms);
    for (const WorkerAddress& address : known) {
      if (!model::takes_connections(address, 500ms)) gone += (gone.empty() ? "" : ", ") + address.text();
    }
  }
  if (!gone.empty()) return "the worker at " + gone + " is gone: it ended, or its machine cannot be reached";
  std::string all;
  for (const WorkerAddress& address : known) all += (all.empty() ? "" : ", ") + address.text();
  return "the connection with a worker was lost, and each of them answers again (" + all + ")";
}

// ggml calls this before it ends the process, and for other reasons than workers.
void on_abort(const char* message) {
  if (std::strstr(message, "ggml-rpc") == nullptr) {
    std::fprintf(stderr, "%s\n", message);
    return;
  }
  workers().ending.lock();
  WorkerLost lost;
  {
    const std::lock_guard lock(workers().mutex);
    lost = workers().lost;
  }
  const std::string sentence = sentence_of_loss();
  if (lost) return lost(sentence);
  std::fprintf(stderr, "error: %s\n", sentence.c_str());
}

ggml_backend_reg_t add_server(const WorkerAddress& address) {
  ggml_backend_reg_t rpc = model::rpc_back_end();
  const auto add = reinterpret_cast<decltype(&ggml_backend_rpc_add_server)>(
      ggml_backend_reg_get_proc_address(rpc, "ggml_backend_rpc_add_server"));
  return add == nullptr ? nullptr : add(address.text().c_str());
}

}  // namespace

bool model::is_gpu(ggml_backend_dev_t device) {
  const auto type = ggml_backend_dev_type(device);
  return type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU;
}

bool model::is_remote_device(ggml_backend_dev_t device) {
  return std::string_view(ggml_backend_dev_name(device)).starts_with("RPC");
}

bool model::is_local_gpu(ggml_backend_dev_t device) {
  return is_gpu(device) && !is_remote_device(device);
}

ggml_backend_reg_t model::rpc_back_end() {
  load_back_ends();
  ggml_backend_reg_t rpc = ggml_backend_reg_by_name("RPC");
  if (rpc == nullptr) {
    throw SystemError(
        "ggml's RPC back end is not installed here, which workers need; install its package (Debian: "
        "libggml0-backend-rpc)");
  }
  return rpc;
}

void add_workers(const std::vector<std::string>& addresses) {
  Workers& all = workers();
  const std::lock_guard one_at_a_time(all.adding);
  std::vector<WorkerAddress> wanted;
  for (const std::string& text : addresses) wanted.push_back(model::parse_worker_address(text));
  for (const WorkerAddress& address : wanted) {
    model::rpc_back_end();
    ggml_set_abort_callback(on_abort);
    // One that this process computes with already has no ear for a greeting.
    if (!model::is_connected(address)) model::greet_worker(address, patience);
    const std::vector<WorkerAddress> known = known_workers();
    if (std::ranges::find(known, address) != known.end()) continue;
    {
      const std::lock_guard lock(all.mutex);
      all.known.push_back(address);
    }
    ggml_backend_reg_t devices = add_server(address);
    if (devices == nullptr) {
      const std::lock_guard lock(all.mutex);
      all.known.pop_back();
      throw SystemError("the worker at " + address.text() + " lends no device");
    }
    ggml_backend_register(devices);
  }
}

void model::notice_silent_workers() {
  for (const WorkerAddress& address : known_workers()) notice_silence(address);
}

std::vector<std::string> model::remote_and_local_devices() {
  load_back_ends();
  std::vector<ggml_backend_dev_t> devices;
  for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    if (ggml_backend_dev_t device = ggml_backend_dev_get(i); is_gpu(device)) devices.push_back(device);
  }
  std::ranges::stable_partition(devices, is_remote_device);
  std::vector<std::string> names;
  for (ggml_backend_dev_t device : devices) names.emplace_back(ggml_backend_dev_name(device));
  return names;
}

void on_worker_lost(WorkerLost lost) {
  const std::lock_guard lock(workers().mutex);
  workers().lost = std::move(lost);
}

}  // namespace lanerope
