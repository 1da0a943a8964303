// SPDX-License-Identifier: Apache-2.0
// What a model's own chat template writes for an answer with calls is read as those calls, in each family:
// the templates are those of llama.cpp's repository, which script/lib/fetch-jinja brings.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "lanerope/tool_calls.h"
#include "server/reasoning_splitter.h"
#include "text/chat_template.h"

namespace lanerope::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto tools =
    R"([{"type":"function","function":{"name":"weather","description":"The weather.","parameters":{"type":"object",
       "properties":{"city":{"type":"string","description":"Where."},"days":{"type":"integer"}},"required":["city"]}}}])";

struct Family {
  std::string file;
  ToolStyle style;
  std::string thinks = {};  // the mark that begins it
};

std::ostream& operator<<(std::ostream& out, const Family& family) {
  return out << family.file;
}

class TemplateCalls : public testing::TestWithParam<Family> {};

// What is behind the common beginning of the prompt for the answer and the conversation that holds it.
std::string answer_of(const text::ChatTemplate& chat) {
  std::vector<Message> messages = {{.role = "user", .content = "Is it warm in Paris?"}};
  // Some templates write calls and leave it to the user to tell of the tools.
  const std::string_view told = chat.capabilities().tools ? tools : "";
  std::string prompt = chat.render(messages, {.tools = told});
  if (text::thinking_behind(prompt, chat.style().thinking) == Thinking::opened)
    prompt.resize(prompt.rfind(chat.style().thinking.begin));
  messages.push_back(
      {.role = "assistant",
       .tool_calls = {{.id = "abcdefghi", .name = "weather", .arguments = R"({"city":"Paris","days":2})"}}});
  const std::string whole = chat.render(messages, {.add_generation_prompt = false, .tools = told});
  const auto [at, ignored] = std::ranges::mismatch(whole, prompt);
  return {at, whole.end()};
}

TEST_P(TemplateCalls, AreReadAsTheyAreWritten) {
  std::ifstream file(std::string(LANEROPE_TEMPLATES) + "/" + GetParam().file);
  if (!file) GTEST_SKIP() << "the templates are not there";
  std::ostringstream source;
  source << file.rdbuf();
  const text::ChatTemplate chat({.name = GetParam().file, .jinja = source.str()},
                                {.bos = "<s>", .eos = "</s>"});
  EXPECT_EQ(chat.style().tools, GetParam().style);
  EXPECT_EQ(chat.style().thinking.begin, GetParam().thinks);
  const std::string answer = answer_of(chat);
  ReasoningSplitter splitter(ReasoningSplitter::Mode::maybe);
  if (!GetParam().thinks.empty())
    splitter = ReasoningSplitter(ReasoningSplitter::Mode::maybe, chat.style().thinking);
  const std::string said = splitter.push(answer).content + splitter.finish().content;
  ToolCallParser parser(chat.style().tools,
                        {{"weather", Json::parse(tools)[0]["function"]["parameters"].dump()}});
  std::vector<ToolCall> calls = parser.push(said).calls;
  for (const ToolCall& call : parser.finish().calls) calls.push_back(call);
  ASSERT_EQ(calls.size(), 1U) << answer;
  EXPECT_EQ(calls[0].name, "weather");
  EXPECT_EQ(Json::parse(calls[0].arguments), Json::parse(R"({"city":"Paris","days":2})"));
}

INSTANTIATE_TEST_SUITE_P(
    Families, TemplateCalls,
    testing::Values(Family{"Qwen-Qwen2.5-7B-Instruct.jinja", ToolStyle::hermes},
                    Family{"Qwen-Qwen3-0.6B.jinja", ToolStyle::hermes, "<think>"},
                    Family{"NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use.jinja", ToolStyle::hermes},
                    Family{"NousResearch-Hermes-3-Llama-3.1-8B-tool_use.jinja", ToolStyle::hermes},
                    Family{"ibm-granite-granite-4.0.jinja", ToolStyle::hermes},
                    Family{"Qwen3-Coder.jinja", ToolStyle::qwen_xml},
                    Family{"Qwen3.5-4B.jinja", ToolStyle::qwen_xml, "<think>"},
                    Family{"NVIDIA-Nemotron-3-Nano-30B-A3B-BF16.jinja", ToolStyle::qwen_xml, "<think>"},
                    Family{"meta-llama-Llama-3.1-8B-Instruct.jinja", ToolStyle::llama},
                    Family{"meta-llama-Llama-3.2-3B-Instruct.jinja", ToolStyle::llama},
                    Family{"meta-llama-Llama-3.3-70B-Instruct.jinja", ToolStyle::llama},
                    Family{"mistralai-Mistral-Nemo-Instruct-2407.jinja", ToolStyle::mistral_list},
                    Family{"Mistral-Small-3.2-24B-Instruct-2506.jinja", ToolStyle::mistral},
                    Family{"mistralai-Ministral-3-14B-Reasoning-2512.jinja", ToolStyle::mistral, "[THINK]"},
                    Family{"unsloth-mistral-Devstral-Small-2507.jinja", ToolStyle::mistral},
                    Family{"deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja", ToolStyle::deepseek, "<think>"},
                    Family{"llama-cpp-deepseek-r1.jinja", ToolStyle::deepseek, "<think>"},
                    Family{"deepseek-ai-DeepSeek-V3.1.jinja", ToolStyle::deepseek_v31, "<think>"},
                    Family{"openai-gpt-oss-120b.jinja", ToolStyle::harmony,
                           "<|channel|>analysis<|message|>"}),
    [](const auto& of) {
      std::string name = of.param.file;
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
      return name;
    });

}  // namespace
}  // namespace lanerope::server
