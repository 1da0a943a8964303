// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <string>

namespace lanerope::server {

// A connection whose requests must arrive as a whole within a time, however slowly their bytes drip:
// cpp-httplib's own time-out begins anew with every byte.
class DeadlineStream : public httplib::Stream {
 public:
  using Clock = std::chrono::steady_clock;
  struct Times {
    std::chrono::milliseconds request{0};
    std::chrono::milliseconds write{0};
  };
  DeadlineStream(int descriptor, Times times) : socket_(descriptor), times_(times) {}

  // Waits for the first byte of the next request, whose time begins then. False if none comes.
  bool await_request(std::chrono::milliseconds patience);

  bool is_readable() const override;
  bool is_writable() const override;  // false once the peer is gone
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  int socket() const override { return socket_; }

 private:
  bool wait_for(short what, std::chrono::milliseconds patience) const;

  int socket_;
  Times times_;
  Clock::time_point deadline_;
  std::array<char, 16384> buffer_{};
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace lanerope::server
