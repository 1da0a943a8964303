// SPDX-License-Identifier: Apache-2.0
#include "model/worker_address.h"

#include <fcntl.h>
#include <ggml-rpc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>

#include "lanerope/errors.h"
#include "lanerope/workers.h"

namespace lanerope::model {

namespace {

using Clock = std::chrono::steady_clock;

// The first words of ggml's protocol, which no version of it may change: a command of one byte, the size of
// what follows in eight bytes, and what the client is able to do.
constexpr uint8_t hello_command = 14;
constexpr size_t hello_size = 24;
constexpr size_t largest_answer = 256;

class Socket {
 public:
  Socket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return fd_; }

  // Waits for it to be ready for `what`.
  bool ready(short what, Clock::time_point deadline) const {
    pollfd entry = {.fd = fd_, .events = what, .revents = 0};
    int count = 0;
    do {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      count = poll(&entry, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    } while (count < 0 && errno == EINTR);
    return count > 0;
  }

 private:
  int fd_;
};

std::optional<sockaddr_in> resolve(const WorkerAddress& address) {
  addrinfo hints = {};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.host.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
  sockaddr_in result = {};
  std::memcpy(&result, found->ai_addr, sizeof(result));
  freeaddrinfo(found);
  result.sin_port = htons(static_cast<uint16_t>(address.port));
  return result;
}

bool connect_to(const Socket& socket, const sockaddr_in& where, Clock::time_point deadline) {
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0) return true;
  if (errno != EINPROGRESS || !socket.ready(POLLOUT, deadline)) return false;
  int error = 0;
  socklen_t size = sizeof(error);
  return getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

enum class Heard { all, silence, end };

Heard receive(const Socket& socket, std::span<uint8_t> bytes, Clock::time_point deadline) {
  while (!bytes.empty()) {
    if (!socket.ready(POLLIN, deadline)) return Heard::silence;
    const ssize_t n = recv(socket.get(), bytes.data(), bytes.size(), 0);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return Heard::end;
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return Heard::all;
}

bool send_hello(const Socket& socket) {
  std::array<uint8_t, 1 + sizeof(uint64_t) + hello_size> hello = {hello_command};
  const uint64_t size = hello_size;
  std::memcpy(&hello[1], &size, sizeof(size));
  return send(socket.get(), hello.data(), hello.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(hello.size());
}

WorkerAway no_worker(const WorkerAddress& address) {
  return WorkerAway(
      "what listens at " + address.text() +
      " does not answer as a worker does: start \"lanerope rpc-worker\" there, with the ggml of this "
      "machine");
}

// Calls `act` with each socket of this process whose other end is at `where`.
void each_connection(const sockaddr_in& where, const std::function<void(int)>& act) {
  const auto limit = static_cast<int>(std::clamp<int64_t>(sysconf(_SC_OPEN_MAX), 256, 65536));
  for (int fd = 3; fd < limit; ++fd) {
    sockaddr_in peer = {};
    socklen_t size = sizeof(peer);
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || peer.sin_family != AF_INET)
      continue;
    if (peer.sin_addr.s_addr == where.sin_addr.s_addr && peer.sin_port == where.sin_port) act(fd);
  }
}

}  // namespace

WorkerAddress parse_worker_address(const std::string& text) {
  const size_t colon = text.find(':');
  WorkerAddress address{.host = text.substr(0, colon)};
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  const bool whole = error == std::errc() && end == port.data() + port.size();
  const bool clean = std::ranges::all_of(address.host, [](unsigned char c) { return c > ' ' && c < 0x7f; });
  if (address.host.empty() || !clean || !whole || address.port < 1 || address.port > 65535) {
    throw InvalidRequest(
        "\"" + text +
        "\" is not the address of a worker; write host:port, such as 192.168.1.20:50052 (ggml speaks "
        "IPv4 only)");
  }
  return address;
}

bool takes_connections(const WorkerAddress& address, std::chrono::milliseconds patience) {
  const std::optional<sockaddr_in> where = resolve(address);
  const Socket socket;
  return where && connect_to(socket, *where, Clock::now() + patience);
}

void greet_worker(const WorkerAddress& address, std::chrono::milliseconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
  const std::optional<sockaddr_in> where = resolve(address);
  if (!where) throw WorkerAway("no machine is known by the name \"" + address.host + "\" of a worker");
  const Socket socket;
  if (!connect_to(socket, *where, deadline)) {
    throw WorkerAway("nobody answers at " + address.text() +
                     "; start \"lanerope rpc-worker\" there, or correct --rpc");
  }
  if (!send_hello(socket)) throw no_worker(address);
  uint64_t size = 0;
  std::array<uint8_t, largest_answer> answer = {};
  Heard heard = receive(socket, {reinterpret_cast<uint8_t*>(&size), sizeof(size)}, deadline);
  if (heard == Heard::all && (size < 3 || size > answer.size())) heard = Heard::end;
  if (heard == Heard::all) heard = receive(socket, std::span(answer).first(size), deadline);
  if (heard == Heard::silence) {
    throw WorkerAway("the worker at " + address.text() +
                     " does not answer; it serves one program at a time, and another may have it");
  }
  if (heard == Heard::end) throw no_worker(address);
  if (answer[0] != RPC_PROTO_MAJOR_VERSION || answer[1] > RPC_PROTO_MINOR_VERSION) {
    throw InvalidRequest("the worker at " + address.text() + " speaks version " + std::to_string(answer[0]) +
                         "." + std::to_string(answer[1]) + " of ggml's RPC, and this program " +
                         std::to_string(RPC_PROTO_MAJOR_VERSION) + "." +
                         std::to_string(RPC_PROTO_MINOR_VERSION) +
                         "; install the same ggml on both machines");
  }
}

bool is_connected(const WorkerAddress& address) {
  bool connected = false;
  if (const auto where = resolve(address)) each_connection(*where, [&](int) { connected = true; });
  return connected;
}

void notice_silence(const WorkerAddress& address) {
  const std::optional<sockaddr_in> where = resolve(address);
  if (!where) return;
  each_connection(*where, [](int fd) {
    const auto set = [fd](int level, int option, int value) {
      setsockopt(fd, level, option, &value, sizeof(value));
    };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 10);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, 50'000);
  });
}

}  // namespace lanerope::model
