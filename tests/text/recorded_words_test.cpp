// SPDX-License-Identifier: Apache-2.0
// Words as llama.cpp and Hugging Face's tokenizers cut them, recorded by script/lib/record-pre-tokenizers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "text/pre_tokenizer.h"

namespace lanerope::text {
namespace {

using Json = nlohmann::json;

Json recorded(const std::string& file) {
  std::ifstream stream(std::string(LANEROPE_TEST_DATA) + "/" + file);
  return Json::parse(stream);
}

std::vector<std::string> words(PreTokenizerKind kind, const std::string& text) {
  const PreTokenizer pre_tokenizer(kind);
  const auto views = pre_tokenizer.split(text);
  return {views.begin(), views.end()};
}

// llama.cpp runs the expressions of these models in another way than their own files have them: without the
// case of letters that are not ASCII's, without marks, without white space that is not ASCII's. lanerope cuts
// as the models were trained, so each text is cut as llama.cpp does or as the model's file says, which this
// names.
std::string own_record(PreTokenizerKind kind) {
  switch (kind) {
    case PreTokenizerKind::gpt_4o:
    case PreTokenizerKind::granite_97m:
      return "gpt-4o";
    case PreTokenizerKind::tekken:
      return "tekken";
    case PreTokenizerKind::kimi_k2:
      return "kimi-k2";
    case PreTokenizerKind::tiny_aya:
      return "tiny_aya";
    case PreTokenizerKind::youtu:
      return "youtu";
    case PreTokenizerKind::superbpe:
      return "superbpe";
    case PreTokenizerKind::deepseek_llm:  // whose class of East Asian characters is the same
    case PreTokenizerKind::deepseek_coder:
      return "deepseek-coder";
    default:
      return {};
  }
}

TEST(RecordedWords, AreThoseOfLlamaCppForEveryName) {
  const Json record = recorded("llama_words.json");
  const Json own = recorded("tokenizers_words.json");
  ASSERT_EQ(record["names"].size(), 91U);
  for (const auto& [name, kept] : record["names"].items()) {
    const auto kind = parse_pre_tokenizer(name);
    ASSERT_TRUE(kind) << name;
    for (size_t i = 0; i < record["texts"].size(); ++i) {
      const auto text = record["texts"][i].get<std::string>();
      const std::string exception = own_record(*kind);
      if (!exception.empty() &&
          words(*kind, text) == own["names"][exception][i].get<std::vector<std::string>>()) {
        continue;
      }
      EXPECT_EQ(words(*kind, text), kept["words"][i].get<std::vector<std::string>>()) << name << ": " << text;
    }
    const PreTokenizerTraits found = traits(*kind);
    EXPECT_EQ(found.whole_words, kept["whole_words"].get<bool>()) << name;
    EXPECT_EQ(found.add_bos, kept["add_bos"].get<bool>()) << name;
    EXPECT_EQ(found.bytes_mapped, kept["bytes_mapped"].get<bool>()) << name;
    EXPECT_EQ(found.marks_spaces, kept["marks_spaces"].get<bool>()) << name;
  }
}

TEST(RecordedWords, AreThoseOfTheModelsOwnFiles) {
  const Json record = recorded("tokenizers_words.json");
  for (const auto& [name, kept] : record["names"].items()) {
    for (size_t i = 0; i < record["texts"].size(); ++i) {
      const auto text = record["texts"][i].get<std::string>();
      EXPECT_EQ(words(parse_pre_tokenizer(name).value(), text), kept[i].get<std::vector<std::string>>())
          << name << ": " << text;
    }
  }
}

TEST(RecordedWords, EveryNameIsRecorded) {
  std::set<std::string> names;
  for (const std::string& name : pre_tokenizer_names()) names.insert(name);
  names.erase("default");  // where none is named, which has no record of its own
  const Json record = recorded("llama_words.json");
  for (const std::string& name : names) EXPECT_TRUE(record["names"].contains(name)) << name;
}

}  // namespace
}  // namespace lanerope::text
