// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "data/trace.h"
#include "toy/word_problem.h"

namespace lanerope::toy {

inline constexpr int32_t max_trace_lanes = 64;

// Solves the problem in `n_lanes` lanes and returns what they write; docs/made-task.md shows the format. One
// lane writes a chain of thought over all parts. Several lanes share the parts, and are simulated step by
// step: a lane copies another's total once the token behind it stands at an earlier step, and waits until
// then. Throws InvalidRequest unless 1 <= n_lanes <= max_trace_lanes.
std::vector<std::string> write_lanes(const WordProblem& problem, int32_t n_lanes);

// The same with question and answer.
data::Trace make_trace(const WordProblem& problem, int32_t n_lanes);

// The same for lanes that do not see one another and a second stage that reads them: each of several lanes
// ends with the sum of its own parts, and the second stage, told `told`, adds these up. One lane needs none.
data::Trace make_second_stage_trace(const WordProblem& problem, int32_t n_lanes, const std::string& told);

// The problem alone, without lanes. Its other key "parts" says how many it has.
data::Trace make_problem_line(const WordProblem& problem);

}  // namespace lanerope::toy
