// SPDX-License-Identifier: Apache-2.0
#include "server/deadline_stream.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace lanerope::server {

namespace {

using Describe = int (*)(int, sockaddr*, socklen_t*);

void describe(int socket, Describe name_of, std::string& ip, int& port) {
  sockaddr_storage address = {};
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  char host[NI_MAXHOST];
  char service[NI_MAXSERV];
  if (name_of(socket, generic, &length) != 0) return;
  if (::getnameinfo(generic, length, host, sizeof host, service, sizeof service,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return;
  }
  ip = host;
  port = std::atoi(service);
}

}  // namespace

bool DeadlineStream::wait_for(short what, std::chrono::milliseconds patience) const {
  pollfd entry{.fd = socket_, .events = what, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, static_cast<int>(std::max<int64_t>(patience.count(), 0)));
  } while (ready < 0 && errno == EINTR);
  return ready > 0 && (entry.revents & (what | POLLHUP | POLLERR)) != 0;
}

bool DeadlineStream::await_request(std::chrono::milliseconds patience) {
  if (begin_ == end_ && !wait_for(POLLIN, patience)) return false;
  deadline_ = Clock::now() + times_.request;
  return true;
}

bool DeadlineStream::is_readable() const {
  return begin_ < end_ || wait_for(POLLIN, std::chrono::milliseconds(0));
}

bool DeadlineStream::is_writable() const {
  char byte = 0;
  const ssize_t seen = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (seen == 0 || (seen < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return false;
  return wait_for(POLLOUT, times_.write);
}

ssize_t DeadlineStream::read(char* to, size_t size) {
  if (begin_ == end_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now());
    if (left.count() <= 0 || !wait_for(POLLIN, left)) return -1;
    ssize_t got = 0;
    do {
      got = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return got;
    begin_ = 0;
    end_ = static_cast<size_t>(got);
  }
  const size_t count = std::min(size, end_ - begin_);
  std::memcpy(to, buffer_.data() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t DeadlineStream::write(const char* from, size_t size) {
  if (!wait_for(POLLOUT, times_.write)) return -1;
  ssize_t sent = 0;
  do {
    sent = ::send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
  return sent;
}

void DeadlineStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  describe(socket_, ::getpeername, ip, port);
}

void DeadlineStream::get_local_ip_and_port(std::string& ip, int& port) const {
  describe(socket_, ::getsockname, ip, port);
}

}  // namespace lanerope::server
