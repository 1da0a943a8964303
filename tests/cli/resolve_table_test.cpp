// SPDX-License-Identifier: Apache-2.0
// What every front end makes of every field that bears on couplings, tags and budgets, for a model without
// lanes, an adapter and a base that were trained with them. resolve_table.txt was written by the code of
// seven places that this one place replaced; LANEROPE_WRITE_TABLE=FILE writes it anew, for the day on which a
// difference is meant.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/cli/resolve_table.h"

namespace lanerope::cli {
namespace {

const std::vector<TableCase>& cases() {
  static const std::vector<TableCase> all = {
      {"run", ""},
      {"run", "-n 1"},
      {"run", "-n 3 -b 40"},
      {"run", "--raw"},
      {"run", "--system Brief."},
      {"run", "--coupling independent"},
      {"run", "--coupling independent --tag T{k}"},
      {"run", "--coupling lanerope"},
      {"run", "--coupling groupthink --stride 7"},
      {"run", "--coupling hogwild --window 5"},
      {"run", "--init gt"},
      {"run", "--init ntk --stride 90 -n 8"},
      {"run", "--init ntk-by-parts -b 33"},
      {"run", "--coupling hogwild --init gt"},
      {"run", "--stride 12"},
      {"run", "--visibility strict"},
      {"run", "--visibility strict --force-coupling"},
      {"run", "--visibility strict --coupling independent"},
      {"run", "--topology ring --prompt-lane first"},
      {"run", "--tag #{k}{k}"},
      {"run", "--lane-text a --lane-text bc -n 3"},
      {"run", "--lane-text a --lane-text bc -n 1"},
      {"run", "-b 100000"},
      {"run", "--consensus 2 --select logprob"},
      {"run", "--verifier cat"},
      {"server", R"({"prompt": "Hello"})"},
      {"server", R"({"messages": [{"role": "user", "content": "Hello"}], "n": 3})"},
      {"server",
       R"({"messages": [{"role": "system", "content": "Brief."}, {"role": "user", "content": "Hello"}]})"},
      {"server", R"({"prompt": [72, 73, 74], "n": 2})"},
      {"server", R"({"prompt": "Hello", "n": 3, "max_tokens": 9})"},
      {"server", R"({"prompt": "Hello", "n": 2, "max_tokens": 100000})"},
      {"server", R"({"prompt": "Hello", "n": 40})"},
      {"server", R"({"prompt": "Hello", "n": 2, "max_tokens": 9, "lanes": {"coupling": "lanerope"}})"},
      {"server", R"({"prompt": "Hello", "n": 2, "lanes": {"coupling": "independent"}})"},
      {"server", R"({"prompt": "Hello", "n": 2, "lanes": {"coupling": "groupthink", "stride": 7}})"},
      {"server",
       R"({"prompt": "Hello", "n": 2, "lanes": {"coupling": "hogwild", "window": 5, "topology": "ring"}})"},
      {"server", R"({"prompt": "Hello", "n": 2, "lanes": {"init": "gt"}})"},
      {"server", R"({"prompt": "Hello", "n": 8, "lanes": {"init": "ntk", "stride": 90}})"},
      {"server", R"({"prompt": "Hello", "n": 2, "lanes": {"stride": 12}})"},
      {"server", R"({"prompt": "Hello", "n": 2, "lanes": {"visibility": "strict"}})"},
      {"server", R"({"prompt": "Hello", "n": 2, "lanes": {"visibility": "strict", "force": true}})"},
      {"server", R"({"prompt": "Hello", "n": 2, "lanes": {"coupling": "lanerope", "prompt_lane": "first"}})"},
      {"server", R"({"prompt": "Hello", "n": 2, "max_tokens": 5, "lanes": {"tag": "#{k}{k}"}})"},
      {"server", R"({"prompt": "Hello", "n": 3, "lanes": {"text": ["a", "bc"]}})"},
      {"server", R"({"prompt": "Hello", "n": 2, "lanes": {"coupling": "lanerope", "reserve": 20}})"},
      {"server", R"({"prompt": "Hello", "n": 2, "lora": [{"id": 0, "scale": 0}]})"},
      {"server", R"({"prompt": "Hello", "n": 2, "lanes": {"select": "verifier"}})"},
      {"server", R"({"prompt": "Hello", "n": 2, "lanes": {"select": "first", "consensus": 2}})"},
      {"server", R"({"prompt": ""})"},
      {"eval", "independent"},
      {"eval", "lanerope"},
      {"eval", "closed"},
      {"eval", "groupthink"},
      {"eval", "hogwild"},
      {"eval", "independent:n=4"},
      {"eval", "mine:n=2,coupling=independent"},
      {"eval", "mine:n=2,init=gt,stride=5"},
      {"eval", "mine:n=3,tag=x{k}"},
      {"eval", "lanerope:n=2,temp=1.5"},
      {"eval", "lanerope:n=8,init=ntk"},
  };
  return all;
}

std::string table() {
  std::string text;
  for (const TableModel& model : table_models()) {
    for (const TableCase& row : cases()) {
      text += std::string(row.front_end) + " | " + model.name + " | " + row.said + " | " +
              resolved_line(row, *model.model) + "\n";
    }
  }
  return text;
}

TEST(ResolveTable, IsAsItWas) {
  const std::string now = table();
  if (const char* file = std::getenv("LANEROPE_WRITE_TABLE"); file != nullptr) std::ofstream(file) << now;
  std::ifstream stream(LANEROPE_RESOLVE_TABLE);
  ASSERT_TRUE(stream) << "no " << LANEROPE_RESOLVE_TABLE;
  std::istringstream lines(now);
  std::string expected;
  std::string line;
  while (std::getline(stream, expected)) {
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(line, expected);
  }
  EXPECT_FALSE(std::getline(lines, line)) << "rows that the table does not have";
}

}  // namespace
}  // namespace lanerope::cli
