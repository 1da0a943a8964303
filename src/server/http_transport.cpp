// SPDX-License-Identifier: Apache-2.0
#include "server/http_transport.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lanerope/errors.h"
#include "server/deadline_stream.h"

namespace lanerope::server {

namespace {

constexpr int backlog = 512;
constexpr size_t requests_per_connection = 1000;
constexpr std::chrono::milliseconds turn{100};  // of waiting: an idle connection holds up no server that ends
constexpr std::chrono::milliseconds patience{2000};  // with a client that was refused and goes on sending

thread_local bool closes_after_reply = false;

class PlainServer : public httplib::Server {
 public:
  explicit PlainServer(const TransportOptions& options) : options_(options) {}

 private:
  bool process_and_close_socket(socket_t descriptor) override {
    DeadlineStream stream(descriptor, {.request = options_.request_time, .write = options_.write_time});
    std::string remote_address;
    std::string local_address;
    int remote_port = 0;
    int local_port = 0;
    stream.get_remote_ip_and_port(remote_address, remote_port);
    stream.get_local_ip_and_port(local_address, local_port);
    bool good = true;
    bool closed = false;
    closes_after_reply = false;
    for (size_t count = 1; good && !closed && await_request(stream); ++count) {
      good = process_request(stream, remote_address, remote_port, local_address, local_port,
                             /*close_connection=*/count >= requests_per_connection, closed, nullptr) &&
             !closes_after_reply;
    }
    ::shutdown(descriptor, SHUT_WR);
    read_rest(descriptor, good ? std::chrono::milliseconds(0) : patience);
    ::close(descriptor);
    return good;
  }

  // What the client still sends: a connection that is closed with bytes that nobody read is reset, and a
  // refusal is lost with it. No more of it than a body may have.
  void read_rest(int descriptor, std::chrono::milliseconds for_so_long) const {
    std::array<char, 16384> rest{};
    size_t left = options_.most_body + rest.size();
    const auto end = std::chrono::steady_clock::now() + for_so_long;
    do {
      pollfd entry{.fd = descriptor, .events = POLLIN, .revents = 0};
      if (::poll(&entry, 1, static_cast<int>(std::min(turn, for_so_long).count())) <= 0) continue;
      const ssize_t got = ::recv(descriptor, rest.data(), rest.size(), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return;
      left -= std::min(left, static_cast<size_t>(std::max<ssize_t>(got, 0)));
    } while (left > 0 && svr_sock_ != INVALID_SOCKET && std::chrono::steady_clock::now() < end);
  }

  bool await_request(DeadlineStream& stream) const {
    for (auto left = options_.idle_time; left.count() > 0; left -= turn) {
      if (svr_sock_ == INVALID_SOCKET) return false;
      if (stream.await_request(turn)) return true;
    }
    return false;
  }

  TransportOptions options_;
};

// Without SO_REUSEPORT, which cpp-httplib sets: a second server on a port that is taken must fail.
void reuse_address(socket_t descriptor) {
  const int yes = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

}  // namespace

std::unique_ptr<httplib::Server> make_http_server(const TransportOptions& options) {
  std::unique_ptr<httplib::Server> server;
  if (options.certificate.empty() && options.key.empty()) {
    server = std::make_unique<PlainServer>(options);
  } else {
    server = std::make_unique<httplib::SSLServer>(options.certificate.c_str(), options.key.c_str());
  }
  if (!server->is_valid()) {
    throw SystemError("TLS could not be set up with certificate " + options.certificate + " and key " +
                      options.key + "; both must be PEM files that belong together");
  }
  server->new_task_queue = [options] {
    return new httplib::ThreadPool(options.threads, options.most_pending);
  };
  server->set_payload_max_length(options.most_body);
  server->set_read_timeout(std::chrono::seconds(5));
  server->set_write_timeout(options.write_time);
  // Over TLS cpp-httplib has the connection in its hands, and close_after_reply() cannot end it.
  const bool plain = dynamic_cast<PlainServer*>(server.get()) != nullptr;
  server->set_keep_alive_max_count(plain ? requests_per_connection : 1);
  server->set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(options.idle_time).count());
  server->set_tcp_nodelay(true);
  return server;
}

void close_after_reply(httplib::Response& response) {
  closes_after_reply = true;
  response.set_header("Connection", "close");
}

int bind_http_server(httplib::Server& server, const std::string& host, int port) {
  int descriptor = -1;
  server.set_socket_options([&descriptor](socket_t made) {
    reuse_address(made);
    descriptor = made;
  });
  const int bound = port == 0 ? server.bind_to_any_port(host) : server.bind_to_port(host, port) ? port : -1;
  if (bound <= 0) {
    throw SystemError("cannot listen on " + host + ":" + std::to_string(port) +
                      "; the port may be taken (choose another with --port), or the address not be one "
                      "of this machine");
  }
  ::listen(descriptor, backlog);  // cpp-httplib asks for five
  server.set_socket_options(reuse_address);
  return bound;
}

}  // namespace lanerope::server
