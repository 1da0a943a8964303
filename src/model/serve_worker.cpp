// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <ggml-rpc.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

#include "lanerope/devices.h"
#include "lanerope/workers.h"
#include "model/device.h"
#include "model/worker_address.h"
#include "model/workers.h"

namespace lanerope {

namespace {

using model::WorkerAddress;
using namespace std::chrono_literals;

// ggml says neither which port it got nor why it cannot have one, so that is found out before it is asked.
WorkerAddress free_address(const WorkerOptions& options) {
  WorkerAddress address{.host = options.host == "localhost" ? "127.0.0.1" : options.host,
                        .port = options.port};
  sockaddr_in where = {};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<uint16_t>(options.port));
  if (inet_pton(AF_INET, address.host.c_str(), &where.sin_addr) != 1) {
    throw InvalidRequest(
        "\"" + options.host +
        "\" is not an IPv4 address, which is what ggml's RPC listens on; name one of this machine's, "
        "such as 127.0.0.1");
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  socklen_t size = sizeof(where);
  const bool free = bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof(where)) == 0 && listen(fd, 1) == 0 &&
                    getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (!free) throw SystemError("a worker cannot listen on " + address.text() + ": " + std::strerror(error));
  address.port = ntohs(where.sin_port);
  return address;
}

ggml_backend_dev_t device_of(const std::string& name) {
  if (name == "cpu") return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  ggml_backend_dev_t device = ggml_backend_dev_by_name(name.c_str());
  if (device != nullptr && ggml_backend_dev_type(device) != GGML_BACKEND_DEVICE_TYPE_CPU) return device;
  std::string known;
  for (const std::string& other : device_names()) known += (known.empty() ? "" : ", ") + other;
  throw InvalidRequest("there is no device \"" + name + "\" to lend here; ggml found: " + known);
}

std::vector<std::string> lent_devices(const WorkerOptions& options) {
  if (!options.devices.empty()) return options.devices;
  std::vector<std::string> names;
  for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    if (model::is_gpu(ggml_backend_dev_get(i)))
      names.emplace_back(ggml_backend_dev_name(ggml_backend_dev_get(i)));
  }
  if (names.empty()) names.emplace_back("cpu");
  return names;
}

}  // namespace

void serve_worker(const WorkerOptions& options, const std::function<void(const WorkerReady&)>& ready) {
  ggml_backend_reg_t rpc = model::rpc_back_end();
  const auto start = reinterpret_cast<decltype(&ggml_backend_rpc_start_server)>(
      ggml_backend_reg_get_proc_address(rpc, "ggml_backend_rpc_start_server"));
  if (start == nullptr)
    throw SystemError("ggml's RPC back end here cannot lend devices; install ggml 0.27 or newer");
  const std::vector<std::string> names = lent_devices(options);
  std::vector<ggml_backend_dev_t> devices;
  for (const std::string& name : names) devices.push_back(device_of(name));
  const WorkerAddress address = free_address(options);
  const size_t threads = options.threads > 0 ? static_cast<size_t>(options.threads)
                                             : std::max(1U, std::thread::hardware_concurrency());
  // In place of a trace: what a client asks for may be nothing that the device can do.
  ggml_set_abort_callback(
      [](const char* message) { std::fprintf(stderr, "error: the worker ends: %s\n", message); });
  std::atomic<bool> ended = false;
  std::thread announces([&] {
    for (int tries = 0; tries < 100 && !ended && !model::takes_connections(address, 20ms); ++tries)
      std::this_thread::sleep_for(10ms);
    if (!ended && ready) ready({.address = address.text(), .devices = names});
  });
  start(address.text().c_str(), nullptr, threads, devices.size(), devices.data());
  ended = true;
  announces.join();
  throw SystemError("the worker at " + address.text() +
                    " cannot listen, or a device of it cannot be started");
}

}  // namespace lanerope
