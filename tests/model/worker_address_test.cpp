// SPDX-License-Identifier: Apache-2.0
#include "model/worker_address.h"

#include <arpa/inet.h>
#include <ggml-rpc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lanerope/errors.h"
#include "lanerope/workers.h"

namespace lanerope::model {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// What stands in for a worker: takes one connection on a free port and does as it is told with it.
class Listener {
 public:
  explicit Listener(const std::function<void(int)>& act) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in where = {};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(where);
    bind(fd_, reinterpret_cast<sockaddr*>(&where), sizeof(where));
    listen(fd_, 1);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&where), &size);
    port_ = ntohs(where.sin_port);
    thread_ = std::thread([this, act] {
      const int client = accept(fd_, nullptr, nullptr);
      if (client >= 0) act(client);
      close(client);
    });
  }
  ~Listener() {
    shutdown(fd_, SHUT_RDWR);  // where nobody came
    thread_.join();
    close(fd_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  WorkerAddress address() const { return {.host = "127.0.0.1", .port = port_}; }

 private:
  int fd_;
  int port_ = 0;
  std::thread thread_;
};

void read_hello(int client) {
  std::array<char, 33> hello;  // a command, the size in eight bytes, 24 bytes
  size_t got = 0;
  while (got < hello.size()) {
    const ssize_t n = recv(client, &hello[got], hello.size() - got, 0);
    if (n <= 0) return;
    got += static_cast<size_t>(n);
  }
}

// Answers as a worker of that version does, and waits until the client has left.
void answer(int client, uint8_t major, uint8_t minor) {
  read_hello(client);
  const uint64_t size = 28;
  std::array<uint8_t, sizeof(size) + size> bytes = {};
  std::memcpy(bytes.data(), &size, sizeof(size));
  bytes[sizeof(size)] = major;
  bytes[sizeof(size) + 1] = minor;
  send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  char rest = 0;
  recv(client, &rest, 1, 0);
}

std::string refusal(const WorkerAddress& address, std::chrono::milliseconds patience = 20s) {
  try {
    greet_worker(address, patience);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(WorkerAddresses, AreAHostAndAPort) {
  EXPECT_EQ(parse_worker_address("10.8.0.2:50052"), (WorkerAddress{.host = "10.8.0.2", .port = 50052}));
  EXPECT_EQ(parse_worker_address("attic:1").text(), "attic:1");
  for (const char* text : {"", ":50052", "attic", "attic:", "attic:0", "attic:65536", "attic:1x", "attic:-1",
                           "[::1]:50052", "two words:1", "http://attic:1"})
    EXPECT_THROW(parse_worker_address(text), InvalidRequest) << text;
}

TEST(Greeting, IsTakenByAWorkerOfThisVersion) {
  const Listener worker([](int client) { answer(client, RPC_PROTO_MAJOR_VERSION, RPC_PROTO_MINOR_VERSION); });
  EXPECT_EQ(refusal(worker.address()), "");
}

TEST(Greeting, NamesTheVersionsWhereTheyDiffer) {
  const Listener worker([](int client) { answer(client, RPC_PROTO_MAJOR_VERSION - 1, 3); });
  EXPECT_THAT(refusal(worker.address()), HasSubstr(std::to_string(RPC_PROTO_MAJOR_VERSION - 1) + ".3"));
  const Listener again([](int client) { answer(client, RPC_PROTO_MAJOR_VERSION + 1, 0); });
  EXPECT_THROW(greet_worker(again.address(), 20s), InvalidRequest) << "waiting would not help";
}

TEST(Greeting, FindsNobodyWhereNobodyListens) {
  WorkerAddress address;
  {
    const Listener gone([](int) {});
    address = gone.address();
  }
  EXPECT_FALSE(takes_connections(address, 20s));
  EXPECT_THAT(refusal(address), HasSubstr("nobody answers at 127.0.0.1:"));
  EXPECT_THROW(greet_worker(address, 20s), WorkerAway);
  EXPECT_THAT(refusal({.host = "no.such.machine.invalid", .port = 1}), HasSubstr("no machine is known"));
}

TEST(Greeting, SaysThatAWorkerMayBeTakenWhereItIsSilent) {
  const Listener busy([](int client) {
    read_hello(client);
    char end = 0;
    recv(client, &end, 1, 0);
  });
  EXPECT_THAT(refusal(busy.address(), 50ms), HasSubstr("one program at a time"));
}

TEST(Greeting, SaysThatSomethingElseListens) {
  const Listener closes([](int client) { read_hello(client); });
  EXPECT_THAT(refusal(closes.address()), HasSubstr("does not answer as a worker does"));
  const Listener web([](int client) {
    read_hello(client);
    constexpr std::string_view page = "HTTP/1.1 400 Bad Request\r\n\r\n";
    send(client, page.data(), page.size(), MSG_NOSIGNAL);
  });
  EXPECT_THAT(refusal(web.address()), HasSubstr("does not answer as a worker does"));
}

TEST(Connections, AreKnownByTheirOtherEnd) {
  const Listener worker([](int client) {
    char end = 0;
    recv(client, &end, 1, 0);
  });
  const WorkerAddress address = worker.address();
  EXPECT_FALSE(is_connected(address));
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where = {};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<uint16_t>(address.port));
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof(where)), 0);
  EXPECT_TRUE(is_connected(address));
  notice_silence(address);
  int alive = 0;
  socklen_t size = sizeof(alive);
  getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &alive, &size);
  EXPECT_EQ(alive, 1);
  close(fd);
}

}  // namespace
}  // namespace lanerope::model
