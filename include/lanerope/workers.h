// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lanerope/errors.h"

namespace lanerope {

// Devices of other machines: ggml's RPC, a protocol without authentication and without encryption. A worker
// lends devices to one program at a time (`lanerope rpc-worker`, serve_worker).

// Nobody answers at a worker's address; later somebody may.
struct WorkerAway : SystemError {
  using SystemError::SystemError;
};

// Makes the devices of the workers at these addresses, "host:port", known by the names RPC0, RPC1, ... in
// this order; those that are known stay what they are. Throws InvalidRequest for what is no address or a
// worker of another version, WorkerAway, and SystemError where ggml's RPC back end is not installed.
void add_workers(const std::vector<std::string>& addresses);

// ggml's client cannot go on without a worker that it computes with: what it does then ends the process.
// Before that it calls this, from whichever thread noticed, with a sentence that names the worker; others are
// stuck in their step. Without one the sentence goes to standard error. Programs ignore SIGPIPE, or that ends
// them first.
using WorkerLost = std::function<void(const std::string& sentence)>;
void on_worker_lost(WorkerLost lost);

// What a worker lends, and where it listens.
struct WorkerOptions {
  std::string host = "127.0.0.1";  // an IPv4 address of this machine, or "localhost"
  int port = 50052;                // 0: any free one
  std::vector<std::string> devices =
      {};               // of device_names(); empty: all but the CPU, or the CPU where it is alone
  int32_t threads = 0;  // of the CPU; 0: all cores
};

struct WorkerReady {
  std::string address = {};
  std::vector<std::string> devices = {};
};

// Lends the devices to one program after the other, until the process ends. `ready` is called once it
// listens, on another thread, with what became of the options. Throws InvalidRequest for a host or device
// that is not there, and SystemError.
void serve_worker(const WorkerOptions& options, const std::function<void(const WorkerReady&)>& ready);

}  // namespace lanerope
