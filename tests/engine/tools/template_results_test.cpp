// SPDX-License-Identifier: Apache-2.0
// What a model's own chat template writes around the results of tools, in each family: the templates are
// those of llama.cpp's repository, which script/lib/fetch-jinja brings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "engine/tools/tool_forms.h"

namespace lanerope::engine {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

struct Family {
  std::string file;
  std::string ends = {};     // what the model writes behind a call, with which its turn is over
  std::string goes_on = {};  // what it is given at the end
};

std::ostream& operator<<(std::ostream& out, const Family& family) {
  return out << family.file;
}

class TemplateResults : public testing::TestWithParam<Family> {};

TEST_P(TemplateResults, StandBetweenTheEndOfTheCallAndTheNextAnswer) {
  std::ifstream file(std::string(LANEROPE_TEMPLATES) + "/" + GetParam().file);
  if (!file) GTEST_SKIP() << "the templates are not there";
  std::ostringstream source;
  source << file.rdbuf();
  const text::ChatTemplate chat({.name = GetParam().file, .jinja = source.str()},
                                {.bos = "<s>", .eos = "</s>"});
  const std::vector<Tool> tools = {builtin_tool("calculator")};
  const std::optional<ToolTexts> texts = tool_texts(chat, tools, "calculator");
  ASSERT_TRUE(texts.has_value());
  EXPECT_THAT(texts->before, testing::StartsWith(GetParam().ends));
  EXPECT_THAT(texts->before, Not(HasSubstr("\"arguments\""))) << "the call itself is the lane's";
  EXPECT_THAT(texts->after, EndsWith(GetParam().goes_on));
  EXPECT_FALSE(texts->between.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Families, TemplateResults,
    testing::Values(
        Family{"Qwen-Qwen2.5-7B-Instruct.jinja", "<|im_end|>\n<|im_start|>user\n<tool_response>\n",
               "<|im_start|>assistant\n"},
        Family{"Qwen-Qwen3-0.6B.jinja", "<|im_end|>\n<|im_start|>user\n<tool_response>\n",
               "<|im_start|>assistant\n"},
        Family{"NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use.jinja", "", "<|im_start|>assistant\n"},
        Family{"NousResearch-Hermes-3-Llama-3.1-8B-tool_use.jinja", "", "<|im_start|>assistant\n"},
        Family{"ibm-granite-granite-4.0.jinja", "", "assistant<|end_of_role|>"},
        Family{"Qwen3-Coder.jinja", "", "<|im_start|>assistant\n"},
        Family{"meta-llama-Llama-3.1-8B-Instruct.jinja", "<|eot_id|><|start_header_id|>ipython",
               "assistant<|end_header_id|>\n\n"},
        Family{"meta-llama-Llama-3.2-3B-Instruct.jinja", "<|eot_id|><|start_header_id|>ipython",
               "assistant<|end_header_id|>\n\n"},
        Family{"mistralai-Mistral-Nemo-Instruct-2407.jinja", "</s>[TOOL_RESULTS]", "[/TOOL_RESULTS]"},
        Family{"Mistral-Small-3.2-24B-Instruct-2506.jinja", "</s>[TOOL_RESULTS]", "[/TOOL_RESULTS]"},
        Family{"llama-cpp-deepseek-r1.jinja", "", ""},
        Family{"openai-gpt-oss-120b.jinja", "<|call|>", "<|start|>assistant"}),
    [](const auto& of) {
      std::string name = of.param.file;
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
      return name;
    });

}  // namespace
}  // namespace lanerope::engine
