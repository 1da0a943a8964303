// SPDX-License-Identifier: Apache-2.0
#include "engine/tools/mcp_server.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "lanerope/errors.h"
#include "lanerope/model.h"

namespace lanerope::engine {

namespace {

using Json = McpServer::Json;
using Clock = std::chrono::steady_clock;

constexpr auto protocol = "2025-06-18";
constexpr size_t longest_line = 16 << 20;           // bytes
constexpr int look_again = 50;                      // milliseconds
constexpr int most_pages = 100;                     // of a list of tools
constexpr int no_such_method = -32601;              // JSON-RPC's number
constexpr std::chrono::milliseconds to_leave{500};  // for it to end once nothing more comes
constexpr std::chrono::seconds to_write{10};        // for it to take a line

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const Json& object, const char* key) {
  const auto value = object.find(key);
  return value != object.end() && value->is_string() ? value->get<std::string>() : "";
}

// Texts one below the other; of what is no text its kind alone, since a lane reads text.
std::string content_of(const Json& result) {
  std::string text;
  const auto content = result.find("content");
  if (content != result.end() && content->is_array()) {
    for (const Json& part : *content) {
      if (!part.is_object()) continue;
      const std::string type = text_of(part, "type");
      text += (text.empty() ? "" : "\n") + (type == "text" ? text_of(part, "text") : "[" + type + "]");
    }
  }
  if (text.empty() && result.contains("structuredContent")) text = dumped(result["structuredContent"]);
  return text;
}

}  // namespace

McpServer::McpServer(std::string name, ChildProgram program, double timeout)
    : name_(std::move(name)), program_(std::move(program)), timeout_(timeout) {
  start();
  initialize();
}

McpServer::~McpServer() {
  leave();
}

void McpServer::fail(const std::string& what) const {
  throw SystemError("the MCP server " + name_ + " " + what);
}

void McpServer::start() {
  {
    const std::scoped_lock lock(writing_, mutex_);
    child_ = std::make_unique<ChildProcess>(program_);
    alive_ = child_->running();
  }
  if (!child_->running()) fail("could not be started");
  reader_ = std::jthread([this](const std::stop_token& stop) { read(stop); });
}

void McpServer::leave() {
  if (reader_.joinable()) {
    reader_.request_stop();
    reader_.join();
  }
  const std::scoped_lock lock(writing_);
  if (child_ == nullptr || !child_->running()) return;
  child_->to().close();
  int status = 0;
  const Clock::time_point deadline = Clock::now() + to_leave;
  if (!child_->wait([deadline] { return Clock::now() >= deadline; }, status)) child_->kill();
}

void McpServer::initialize() {
  request_in_time("initialize", {{"protocolVersion", protocol},
                                 {"capabilities", Json::object()},
                                 {"clientInfo", {{"name", "lanerope"}, {"version", version()}}}});
  send({{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}});
}

void McpServer::read(const std::stop_token& stop) {
  std::string unread;
  std::array<char, 4096> buffer;
  while (!stop.stop_requested()) {
    pollfd waits{.fd = child_->from().get(), .events = POLLIN, .revents = 0};
    if (poll(&waits, 1, look_again) <= 0 || waits.revents == 0) continue;
    const ssize_t got = ::read(child_->from().get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    unread.append(buffer.data(), static_cast<size_t>(got));
    for (size_t end = unread.find('\n'); end != std::string::npos; end = unread.find('\n')) {
      take(unread.substr(0, end));
      unread.erase(0, end + 1);
    }
    if (unread.size() > longest_line) break;
  }
  {
    const std::scoped_lock lock(mutex_);
    alive_ = false;
  }
  answered_.notify_all();
}

// An answer, or something that the server asks for, of which this client has nothing but its being there.
void McpServer::take(const std::string& line) {
  const Json message = Json::parse(line, nullptr, false);
  if (!message.is_object()) return;
  const auto id = message.find("id");
  if (message.contains("method")) {
    if (id == message.end()) return;
    Json reply = {{"jsonrpc", "2.0"}, {"id", *id}};
    if (text_of(message, "method") == "ping") {
      reply["result"] = Json::object();
    } else {
      reply["error"] = {{"code", no_such_method}, {"message", "lanerope does not offer this"}};
    }
    send(reply);
    return;
  }
  if (id == message.end() || !id->is_number_integer()) return;
  {
    const std::scoped_lock lock(mutex_);
    const auto asked = answers_.find(id->get<int64_t>());
    if (asked == answers_.end()) return;  // nobody waits for it any more
    asked->second = message;
  }
  answered_.notify_all();
}

bool McpServer::send(const Json& message) {
  const std::scoped_lock lock(writing_);
  const NoPipeSignal no_signal;
  const std::string line = dumped(message) + "\n";
  std::string_view rest = line;
  const Clock::time_point deadline = Clock::now() + to_write;
  while (!rest.empty()) {
    const ssize_t written = write(child_->to().get(), rest.data(), rest.size());
    if (written > 0) rest.remove_prefix(static_cast<size_t>(written));
    if (written >= 0) continue;
    if (errno != EAGAIN && errno != EINTR) return false;
    if (Clock::now() >= deadline) return false;
    pollfd waits{.fd = child_->to().get(), .events = POLLOUT, .revents = 0};
    poll(&waits, 1, look_again);
  }
  return true;
}

Json McpServer::request(const std::string& method, const Json& parameters, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const int64_t id = next_++;
  answers_[id];
  lock.unlock();
  const bool sent = send({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", parameters}});
  lock.lock();
  if (sent) answered_.wait(lock, stop, [&] { return answers_[id].has_value() || !alive_; });
  const std::optional<Json> answer = std::move(answers_[id]);
  answers_.erase(id);
  const bool alive = alive_;
  lock.unlock();
  if (answer) {
    const auto error = answer->find("error");
    if (error != answer->end() && error->is_object()) {
      const std::string why = text_of(*error, "message");
      fail("refused: " + (why.empty() ? dumped(*error) : why));
    }
    const auto result = answer->find("result");
    return result != answer->end() && result->is_object() ? *result : Json::object();
  }
  if (!alive || !sent) fail("ended");
  send({{"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", id}}}});
  fail("took too long");
}

// For what nobody outside bounds the time of.
Json McpServer::request_in_time(const std::string& method, const Json& parameters) {
  std::stop_source late;
  std::mutex mutex;
  std::condition_variable_any over;
  std::jthread clock([&](const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    over.wait_for(lock, stop, std::chrono::duration<double>(timeout_), [] { return false; });
    if (!stop.stop_requested()) late.request_stop();
  });
  return request(method, parameters, late.get_token());
}

std::vector<Tool> McpServer::tools() {
  std::vector<Tool> tools;
  Json parameters = Json::object();
  for (int page = 0; page < most_pages; ++page) {
    const Json result = request_in_time("tools/list", parameters);
    const auto list = result.find("tools");
    if (list == result.end() || !list->is_array()) fail("lists no tools");
    for (const Json& entry : *list) {
      if (!entry.is_object() || text_of(entry, "name").empty()) fail("lists a tool without a name");
      Tool tool{.name = text_of(entry, "name"), .description = text_of(entry, "description")};
      if (entry.contains("inputSchema") && entry["inputSchema"].is_object())
        tool.parameters = dumped(entry["inputSchema"]);
      tools.push_back(std::move(tool));
    }
    const std::string next = text_of(result, "nextCursor");
    if (next.empty()) break;
    parameters = {{"cursor", next}};
  }
  return tools;
}

std::string McpServer::call(const std::string& tool, const std::string& arguments,
                            const std::stop_token& stop) {
  {
    const std::scoped_lock starting(starting_);
    std::unique_lock lock(mutex_);
    if (!alive_) {
      if (started_again_) fail("has ended twice and is not started again");
      started_again_ = true;
      lock.unlock();
      leave();
      start();
      initialize();
    }
  }
  const Json given = Json::parse(arguments, nullptr, false);
  const Json result = request(
      "tools/call", {{"name", tool}, {"arguments", given.is_object() ? given : Json::object()}}, stop);
  const std::string text = content_of(result);
  const auto error = result.find("isError");
  if (error != result.end() && error->is_boolean() && error->get<bool>())
    throw SystemError(text.empty() ? tool + " failed" : text);
  return text;
}

}  // namespace lanerope::engine
