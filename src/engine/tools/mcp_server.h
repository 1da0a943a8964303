// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "engine/child_process.h"
#include "lanerope/tool.h"

namespace lanerope::engine {

// A server of the Model Context Protocol (2025-06-18) over stdio: a process that is asked in lines of
// JSON-RPC, by many threads at once. Where it ends it is started again, once.
class McpServer {
 public:
  using Json = nlohmann::ordered_json;

  // Starts it. Throws SystemError where it does not answer within so many seconds, here as elsewhere.
  McpServer(std::string name, ChildProgram program, double timeout = 30);
  ~McpServer();
  McpServer(const McpServer&) = delete;
  McpServer& operator=(const McpServer&) = delete;

  const std::string& name() const { return name_; }
  // What it offers; `run` is not set.
  std::vector<Tool> tools();
  // The text of the result. Throws SystemError with the tool's own message where it reports an error.
  std::string call(const std::string& tool, const std::string& arguments, const std::stop_token& stop);

 private:
  void start();
  void initialize();
  void leave();
  void read(const std::stop_token& stop);
  void take(const std::string& line);
  bool send(const Json& message);
  Json request(const std::string& method, const Json& parameters, const std::stop_token& stop);
  Json request_in_time(const std::string& method, const Json& parameters);
  [[noreturn]] void fail(const std::string& what) const;

  std::string name_;
  ChildProgram program_;
  double timeout_;
  std::mutex starting_;  // who starts it again
  bool started_again_ = false;
  std::mutex mutex_;  // of what follows
  std::condition_variable_any answered_;
  std::map<int64_t, std::optional<Json>> answers_;  // by the request's number; nothing yet
  int64_t next_ = 1;
  bool alive_ = false;
  std::mutex writing_;
  std::unique_ptr<ChildProcess> child_;
  std::jthread reader_;
};

}  // namespace lanerope::engine
