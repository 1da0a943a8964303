// SPDX-License-Identifier: Apache-2.0
// Servers of the Model Context Protocol over stdio: a small one, written in shell, and what can go wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "lanerope/errors.h"
#include "lanerope/tool.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

using testing::HasSubstr;

// Its messages are those of the protocol's specification. It logs what it reads to $LOG.
constexpr auto script = R"sh(
say() { printf '%s\n' "$1"; }
while IFS= read -r line; do
  printf '%s\n' "$line" >>"$LOG"
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  case $line in
  *'"initialize"'*) say '{"jsonrpc":"2.0","id":'$id',"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"t","version":"1"}}}' ;;
  *'"cursor":"2"'*) say '{"jsonrpc":"2.0","id":'$id',"result":{"tools":[{"name":"die","inputSchema":{"type":"object"}},{"name":"slow","inputSchema":{"type":"object"}}]}}' ;;
  *'"tools/list"'*) say '{"jsonrpc":"2.0","id":'$id',"result":{"nextCursor":"2","tools":[{"name":"add","description":"Adds.","inputSchema":{"type":"object","properties":{"a":{"type":"integer"}}}},{"name":"bad","inputSchema":{"type":"object"}}]}}' ;;
  *'"name":"add"'*)
    say '{"jsonrpc":"2.0","id":99,"method":"ping"}'
    say 'no JSON at all'
    say '{"jsonrpc":"2.0","method":"notifications/message","params":{}}'
    say '{"jsonrpc":"2.0","id":'$id',"result":{"content":[{"type":"text","text":"5"},{"type":"image","data":"","mimeType":"image/png"},{"type":"text","text":"é"}]}}' ;;
  *'"name":"bad"'*) say '{"jsonrpc":"2.0","id":'$id',"result":{"isError":true,"content":[{"type":"text","text":"the sum is too long"}]}}' ;;
  *'"name":"none"'*) say '{"jsonrpc":"2.0","id":'$id',"error":{"code":-32602,"message":"no such tool"}}' ;;
  *'"name":"die"'*) exit 3 ;;
  esac
done
)sh";

class Mcp : public testing::Test {
 protected:
  static std::string written(const std::string& text, const std::string& ending) {
    const std::string path = support::new_file(ending);
    std::ofstream(path) << text;
    return path;
  }
  // A configuration of servers of these names, which all are the script.
  std::string config(const std::vector<std::string>& names) {
    const std::string server = written(script, ".sh");
    nlohmann::json servers;
    for (const std::string& name : names)
      servers[name] = {{"command", "sh"}, {"args", {server}}, {"env", {{"LOG", log}}}};
    return written(nlohmann::json{{"mcpServers", servers}}.dump(), ".json");
  }
  std::string logged() const {
    std::ifstream file(log);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static std::string failure(const Tool& tool, const std::stop_token& stop = {}) {
    try {
      return "no failure but " + tool.run("{}", stop);
    } catch (const SystemError& error) {
      return error.what();
    }
  }
  const std::string log = support::new_file(".log");
};

TEST_F(Mcp, AServerIsGreetedAndItsToolsAreListed) {
  const std::vector<Tool> tools = mcp_tools(config({"sums"}));
  ASSERT_EQ(tools.size(), 4U);
  EXPECT_EQ(tools[0].name, "add");
  EXPECT_EQ(tools[0].description, "Adds.");
  EXPECT_EQ(tools[0].parameters, R"({"type":"object","properties":{"a":{"type":"integer"}}})");
  EXPECT_EQ(tools[3].name, "slow") << "of the second page";
  EXPECT_THAT(
      logged(),
      HasSubstr(
          R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"lanerope","version":)"));
  EXPECT_THAT(logged(), HasSubstr(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"));
}

TEST_F(Mcp, ACallGivesTheTextOfItsResult) {
  const std::vector<Tool> tools = mcp_tools(config({"sums"}));
  EXPECT_EQ(tools[0].run(R"({"a":2})", {}), "5\n[image]\né");
  EXPECT_THAT(logged(), HasSubstr(R"("method":"tools/call","params":{"name":"add","arguments":{"a":2}}})"));
  EXPECT_EQ(tools[0].run("{}", {}), "5\n[image]\né");
  EXPECT_THAT(logged(), HasSubstr(R"({"jsonrpc":"2.0","id":99,"result":{}})"))
      << "it was asked whether it is there";
}

TEST_F(Mcp, ACallThatFailsSaysWhy) {
  const std::vector<Tool> tools = mcp_tools(config({"sums"}));
  EXPECT_EQ(failure(tools[1]), "the sum is too long");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(failure(tools[3], stop.get_token()), "the MCP server sums took too long");
  EXPECT_EQ(tools[0].run("{}", {}), "5\n[image]\né") << "it goes on";
  EXPECT_THAT(logged(), HasSubstr(R"("method":"notifications/cancelled","params":{"requestId":)"));
}

TEST_F(Mcp, AServerThatEndsIsStartedAgainOnce) {
  const std::vector<Tool> tools = mcp_tools(config({"sums"}));
  EXPECT_EQ(failure(tools[2]), "the MCP server sums ended");
  EXPECT_EQ(tools[0].run("{}", {}), "5\n[image]\né");
  EXPECT_EQ(failure(tools[2]), "the MCP server sums ended");
  EXPECT_EQ(failure(tools[0]), "the MCP server sums has ended twice and is not started again");
}

TEST_F(Mcp, ToolsOfTwoServersHaveNamesOfTheirOwn) {
  const std::vector<Tool> tools = mcp_tools(config({"one", "two"}));
  ASSERT_EQ(tools.size(), 8U);
  EXPECT_EQ(tools[0].name, "one-add");
  EXPECT_EQ(tools[4].name, "two-add");
  EXPECT_EQ(tools[4].run("{}", {}), "5\n[image]\né");
}

TEST_F(Mcp, AServerRunsInItsFolder) {
  const std::string server = written(script, ".sh");
  const std::filesystem::path file(log);
  const nlohmann::json here = {{"command", "sh"},
                               {"args", {server}},
                               {"env", {{"LOG", file.filename().string()}}},
                               {"cwd", file.parent_path().string()},
                               {"type", "stdio"},
                               {"disabled", false}};
  EXPECT_EQ(mcp_tools(written(nlohmann::json{{"mcpServers", {{"sums", here}}}}.dump(), ".json")).size(), 4U);
  EXPECT_THAT(logged(), HasSubstr("initialize")) << "its log's name has no folder";
}

TEST_F(Mcp, AServerThatIsDisabledIsNotStarted) {
  nlohmann::json servers = {
      {"on", {{"command", "sh"}, {"args", {written(script, ".sh")}}, {"env", {{"LOG", log}}}}},
      {"off", {{"url", "http://x"}, {"disabled", true}}}};
  const auto file = [&] { return written(nlohmann::json{{"mcpServers", servers}}.dump(), ".json"); };
  const std::vector<Tool> tools = mcp_tools(file());
  ASSERT_EQ(tools.size(), 4U);
  EXPECT_EQ(tools[0].name, "add") << "no other server has it";
  servers.erase("on");
  EXPECT_THROW(mcp_tools(file()), BadFile) << "no server is left";
}

TEST_F(Mcp, AKeyThatIsNotHonouredIsRefusedByName) {
  try {
    mcp_tools(written(R"({"mcpServers":{"a":{"command":"x","envFile":".env"}}})", ".json"));
    FAIL() << "it was passed over";
  } catch (const BadFile& error) {
    EXPECT_THAT(error.what(),
                HasSubstr(R"(has a server a with "envFile", which lanerope does not know; it must be)"));
  }
}

TEST_F(Mcp, AFileThatIsNoneIsRefused) {
  EXPECT_THROW(mcp_tools("/no/such/file.json"), SystemError);
  EXPECT_THROW(mcp_tools("/tmp"), SystemError) << "a folder";
  for (const char* text :
       {"", "[]", "{}", R"({"mcpServers":[]})", R"({"mcpServers":{"a":{}}})",
        R"({"mcpServers":{"a":{"url":"http://x"}}})", R"({"mcpServers":{"a":{"command":"x","args":"y"}}})",
        R"({"mcpServers":{"a":{"command":"x","args":[1]}}})", R"({"mcpServers":{}})",
        R"({"mcpServers":{"a":[]}})", R"({"mcpServers":{"a":{"command":"x","disabled":"yes"}}})",
        R"({"mcpServers":{"a":{"command":"x","cwd":1}}})"})
    EXPECT_THROW(mcp_tools(written(text, ".json")), BadFile) << text;
  EXPECT_THROW(mcp_tools(written(R"({"mcpServers":{"a":{"command":"/no/such/program"}}})", ".json")),
               SystemError);
  EXPECT_THROW(mcp_tools(written(R"({"mcpServers":{"a":{"command":"true"}}})", ".json")), SystemError)
      << "it ends before it answers";
}

}  // namespace
}  // namespace lanerope::engine
