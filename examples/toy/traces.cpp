// SPDX-License-Identifier: Apache-2.0
#include "toy/traces.h"

#include <bit>
#include <string_view>

#include "lanerope/errors.h"

namespace lanerope::toy {

namespace {

// A lane as it writes. The lane's tag was fed at step 0, so the token written next stands at step
// tokens_ + 1. Every digit is a token of its own, and so is every word given to write().
class LaneWriter {
 public:
  void write(std::string_view token) {
    text_ += token;
    ++tokens_;
  }

  void write_number(int64_t number) {
    const std::string digits = std::to_string(number);
    text_ += digits;
    tokens_ += static_cast<int64_t>(digits.size());
  }

  // The step of the token written last.
  int64_t step() const { return tokens_; }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
  int64_t tokens_ = 0;
};

// A total that other lanes copy.
struct WrittenTotal {
  int64_t value = 0;
  int64_t last_step = 0;  // of its last digit

  // The first step at which another lane may go on with it: a reader must see the token behind the last digit
  // to know that no more digits follow, and sees only what stood at earlier steps.
  int64_t readable_at() const { return last_step + 2; }
};

// "1:28*3=60+24=84+26=110\n", with "+682=977" before the line break if the lane has a running total.
void write_part(LaneWriter& lane, const WordProblem& problem, size_t index, int64_t* running) {
  const Part& part = problem.parts[index];
  lane.write_number(static_cast<int64_t>(index) + 1);
  lane.write(":");
  lane.write_number(part.first);
  lane.write("*");
  lane.write_number(part.second);
  lane.write("=");
  lane.write_number(part.first / 10 * 10 * part.second);
  lane.write("+");
  lane.write_number(part.first % 10 * part.second);
  lane.write("=");
  lane.write_number(part.first * part.second);
  if (part.third != 0) {
    lane.write(part.third > 0 ? "+" : "-");
    lane.write_number(part.third > 0 ? part.third : -part.third);
    lane.write("=");
    lane.write_number(part.value());
  }
  if (running != nullptr) {
    lane.write("+");
    lane.write_number(*running);
    lane.write("=");
    lane.write_number(*running + part.value());
  }
  lane.write("\n");
}

// The parts of lane `index` of `stride` lanes. Returns their sum.
int64_t write_own_parts(LaneWriter& lane, const WordProblem& problem, size_t index, size_t stride) {
  int64_t running = 0;
  for (size_t part = index; part < problem.parts.size(); part += stride) {
    write_part(lane, problem, part, part == index ? nullptr : &running);
    running += problem.parts[part].value();
  }
  return running;
}

void write_answer(LaneWriter& lane, int64_t total) {
  lane.write("####");
  lane.write(" ");
  lane.write_number(total);
}

// Waits for lane `other`'s total, adds it to `own` and returns the new total.
WrittenTotal write_addition(LaneWriter& lane, int64_t own, size_t other, const WrittenTotal& total) {
  while (lane.step() + 1 < total.readable_at()) lane.write(" wait");
  lane.write("+");
  lane.write("<lane" + std::to_string(other + 1) + ">");
  lane.write_number(total.value);
  lane.write("=");
  lane.write_number(own + total.value);
  return {.value = own + total.value, .last_step = lane.step()};
}

// In round r each lane adds what the lane 2^r away had after the round before, so all have the grand total
// after log2(N) rounds.
void combine_by_doubling(std::vector<LaneWriter>& lanes, std::vector<WrittenTotal>& totals) {
  for (size_t distance = 1; distance < lanes.size(); distance *= 2) {
    std::vector<WrittenTotal> next;
    for (size_t m = 0; m < lanes.size(); ++m) {
      const size_t partner = m ^ distance;
      next.push_back(write_addition(lanes[m], totals[m].value, partner, totals[partner]));
    }
    totals = next;
  }
}

// Each lane adds the own sums of the lanes after it, in turn.
void combine_in_turn(std::vector<LaneWriter>& lanes, std::vector<WrittenTotal>& totals) {
  const std::vector<WrittenTotal> own = totals;
  for (size_t m = 0; m < lanes.size(); ++m) {
    for (size_t ahead = 1; ahead < lanes.size(); ++ahead) {
      const size_t other = (m + ahead) % lanes.size();
      totals[m] = write_addition(lanes[m], totals[m].value, other, own[other]);
    }
  }
}

// Lanes that have written their own parts, and what these come to.
struct OwnParts {
  std::vector<LaneWriter> lanes = {};
  std::vector<WrittenTotal> totals = {};  // [lanes]
};

OwnParts write_all_parts(const WordProblem& problem, int32_t n_lanes) {
  if (n_lanes < 1 || n_lanes > max_trace_lanes) {
    throw InvalidRequest("a trace cannot have " + std::to_string(n_lanes) + " lanes; ask for 1 to " +
                         std::to_string(max_trace_lanes));
  }
  OwnParts own{.lanes = std::vector<LaneWriter>(static_cast<size_t>(n_lanes))};
  for (size_t m = 0; m < own.lanes.size(); ++m) {
    LaneWriter& lane = own.lanes[m];
    const int64_t sum = write_own_parts(lane, problem, m, own.lanes.size());
    if (n_lanes > 1) {
      lane.write("sum");
      lane.write(" ");
      lane.write_number(sum);
    }
    own.totals.push_back({.value = sum, .last_step = lane.step()});
  }
  return own;
}

// "<lane1>85+<lane2>130=215+<lane3>76=291\n#### 291"
std::string add_up(const std::vector<WrittenTotal>& totals) {
  LaneWriter lane;
  int64_t total = 0;
  for (size_t m = 0; m < totals.size(); ++m) {
    if (m > 0) lane.write("+");
    lane.write("<lane" + std::to_string(m + 1) + ">");
    lane.write_number(totals[m].value);
    total += totals[m].value;
    if (m == 0) continue;
    lane.write("=");
    lane.write_number(total);
  }
  lane.write("\n");
  write_answer(lane, total);
  return lane.text();
}

}  // namespace

std::vector<std::string> write_lanes(const WordProblem& problem, int32_t n_lanes) {
  auto [lanes, totals] = write_all_parts(problem, n_lanes);
  if (std::has_single_bit(lanes.size())) {
    combine_by_doubling(lanes, totals);
  } else {
    combine_in_turn(lanes, totals);
  }
  std::vector<std::string> texts;
  for (size_t m = 0; m < lanes.size(); ++m) {
    if (lanes.size() > 1) lanes[m].write("\n");
    write_answer(lanes[m], totals[m].value);
    texts.push_back(lanes[m].text());
  }
  return texts;
}

data::Trace make_problem_line(const WordProblem& problem) {
  return {.question = problem.question,
          .answer = std::to_string(problem.total()),
          .other = {{.key = "parts", .json = std::to_string(problem.parts.size())}}};
}

data::Trace make_trace(const WordProblem& problem, int32_t n_lanes) {
  data::Trace trace = make_problem_line(problem);
  trace.lanes = write_lanes(problem, n_lanes);
  return trace;
}

data::Trace make_second_stage_trace(const WordProblem& problem, int32_t n_lanes, const std::string& told) {
  if (n_lanes == 1) return make_trace(problem, 1);
  const OwnParts own = write_all_parts(problem, n_lanes);
  data::Trace trace = make_problem_line(problem);
  for (const LaneWriter& lane : own.lanes) trace.lanes.push_back(lane.text());
  trace.second_stage = {.told = told, .written = add_up(own.totals)};
  return trace;
}

}  // namespace lanerope::toy
