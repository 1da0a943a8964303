// SPDX-License-Identifier: Apache-2.0
#include "eval/solved_problems.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "eval/question_file.h"

namespace lanerope::eval {

using Json = nlohmann::json;

std::vector<SolvedProblem> read_solved(const std::string& file, const data::LaneWriting& writing) {
  std::vector<SolvedProblem> all;
  std::map<std::string, size_t> known;
  for (const EvalQuestion& question : read_questions(file, {})) {
    const auto [place, fresh] = known.try_emplace(question.text, all.size());
    if (fresh) all.push_back({.problem = {.question = question.text, .answer = question.truth}});
    SolvedProblem& solved = all[place->second];
    const Json lanes = question.row.value("lanes", Json::array());
    const Json labels = question.row.value("labels", Json::array());
    if (!lanes.is_array() || !labels.is_array() || lanes.size() != labels.size()) continue;
    for (size_t i = 0; i < lanes.size(); ++i) {
      if (!lanes[i].is_string() || !labels[i].is_boolean()) continue;
      ++solved.samples;
      if (!labels[i].get<bool>()) continue;
      ++solved.right;
      std::string text = lanes[i].get<std::string>();
      text.erase(text.find_last_not_of(" \t\r\n") + 1);
      text.erase(0, std::min(text.find_first_not_of(" \t\r\n"), text.size()));
      std::vector<std::string>& solutions = solved.problem.solutions;
      if (data::is_fit(text, writing) && std::ranges::find(solutions, text) == solutions.end())
        solutions.push_back(text);
    }
  }
  return all;
}

}  // namespace lanerope::eval
