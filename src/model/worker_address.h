// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace lanerope::model {

// Where one of ggml's RPC workers listens. ggml speaks IPv4 only.
struct WorkerAddress {
  std::string host = {};
  int port = 0;

  std::string text() const { return host + ":" + std::to_string(port); }
  friend bool operator==(const WorkerAddress&, const WorkerAddress&) = default;
};

// Throws InvalidRequest for a text that is not "host:port".
WorkerAddress parse_worker_address(const std::string& text);

// Whether something takes connections there.
bool takes_connections(const WorkerAddress& address, std::chrono::milliseconds patience);

// Says hello as ggml's client does, which would end the process where the answer is none or a wrong one, and
// leaves again. Throws WorkerAway where nobody answers in time and InvalidRequest where what answers is of
// another version of the protocol.
void greet_worker(const WorkerAddress& address, std::chrono::milliseconds patience);

// Whether this process is connected with the worker.
bool is_connected(const WorkerAddress& address);

// From now on a worker whose machine is silently gone is noticed within a minute, on all connections that
// this process has with it: ggml's client waits for ever.
void notice_silence(const WorkerAddress& address);

}  // namespace lanerope::model
