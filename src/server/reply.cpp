// SPDX-License-Identifier: Apache-2.0
#include "server/reply.h"

namespace lanerope::server {

namespace {

// A comment that keeps proxies and clients from giving up while a group waits for its turn.
constexpr std::chrono::seconds heartbeat{10};

bool put(httplib::DataSink& sink, const std::string& text) {
  return text.empty() || sink.write(text.data(), text.size());
}

// Adds everything that has happened by now, as one piece: a burst of lanes is one packet.
void gather(const EventStream& stream, GroupSet::Happening happened, std::string& text) {
  while (true) {
    text += stream.write(happened);
    if (stream.groups->finished()) {
      if (stream.closing) text += stream.closing();
      return;
    }
    std::optional<GroupSet::Happening> more = stream.groups->next(std::chrono::milliseconds(0));
    if (!more) return;
    happened = std::move(*more);
  }
}

// Whether the client took all of it.
bool pump(const EventStream& stream, httplib::DataSink& sink) {
  if (!put(sink, stream.opening)) return false;
  auto last_sent = std::chrono::steady_clock::now();
  while (!stream.groups->finished()) {
    std::optional<GroupSet::Happening> happened = stream.groups->next(watch_interval);
    if (happened) {
      std::string text;
      try {
        gather(stream, std::move(*happened), text);
      } catch (...) {
        put(sink, text);  // what came before is the client's
        throw;
      }
      if (!put(sink, text)) return false;
      if (!text.empty()) last_sent = std::chrono::steady_clock::now();
    }
    if (!sink.is_writable()) return false;
    if (std::chrono::steady_clock::now() - last_sent > heartbeat) {
      if (!put(sink, ": waiting\n\n")) return false;
      last_sent = std::chrono::steady_clock::now();
    }
  }
  return true;
}

}  // namespace

void send_json(httplib::Response& response, const Json& json, int status) {
  response.status = status;
  response.set_content(to_text(json), "application/json");
}

void send_error(httplib::Response& response, const ErrorReply& error) {
  if (error.retry_after > 0) response.set_header("Retry-After", std::to_string(error.retry_after));
  send_json(response, error.body, error.status);
}

std::string sse(std::string_view name, const Json& data) {
  std::string text;
  if (!name.empty()) text = "event: " + std::string(name) + "\n";
  return text + "data: " + to_text(data) + "\n\n";
}

void stream_events(httplib::Response& response, EventStream stream) {
  response.set_header("Cache-Control", "no-cache");
  response.set_header("X-Accel-Buffering", "no");  // nginx would hold the tokens back
  auto shared = std::make_shared<EventStream>(std::move(stream));
  response.set_chunked_content_provider("text/event-stream", [shared](size_t, httplib::DataSink& sink) {
    bool whole = false;
    try {
      whole = pump(*shared, sink);
    } catch (...) {
      const ErrorReply error = describe_error(std::current_exception());
      whole = put(sink, shared->failure ? shared->failure(error) : sse("", error.body));
    }
    shared->groups.reset();
    if (whole) sink.done();
    return whole;
  });
}

bool await_groups(const httplib::Request& request, GroupSet& groups,
                  const std::function<void(const GroupSet::Happening&)>& take) {
  auto last_look = std::chrono::steady_clock::now();
  while (!groups.finished()) {
    if (const auto happened = groups.next(watch_interval)) take(*happened);
    const auto now = std::chrono::steady_clock::now();
    if (now - last_look < watch_interval) continue;
    last_look = now;
    if (request.is_connection_closed()) return false;
  }
  return true;
}

}  // namespace lanerope::server
