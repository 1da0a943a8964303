// SPDX-License-Identifier: Apache-2.0
#include "toy/trace_checker.h"

#include <cassert>
#include <charconv>
#include <vector>

#include "toy/lane_reader.h"
#include "toy/question_reader.h"

namespace lanerope::toy {

namespace {

int64_t value_of(const ToldPart& part) {
  return part.factor * part.other_factor + part.added - part.removed;
}

std::string number_text(int64_t number) {
  return std::to_string(number);
}

class TraceChecker {
 public:
  TraceChecker(const data::Trace& trace, const std::vector<ToldPart>& parts) : parts_(parts) {
    for (size_t m = 0; m < trace.lanes.size(); ++m) lanes_.emplace_back(trace.lanes[m], m);
    for (const LaneReader& lane : lanes_) written_.push_back(lane.totals());
    held_.resize(lanes_.size());
  }

  // In phases over all lanes, so that a fault is told where it arises and not where it is copied.
  void check(int64_t answer, const std::optional<data::SecondStageTrace>& second_stage) {
    for (size_t m = 0; m < lanes_.size(); ++m) check_own_parts(m);
    if (second_stage) {
      for (size_t m = 0; m < lanes_.size(); ++m) {
        check_sum(m);
        if (!lanes_[m].at_end()) lanes_[m].refuse("goes on behind its sum, which the second stage reads");
      }
      return check_second_stage(second_stage->written, answer);
    }
    if (lanes_.size() > 1) {
      for (size_t m = 0; m < lanes_.size(); ++m) check_sum(m);
      check_combination();
    }
    for (LaneReader& lane : lanes_) {
      if (lanes_.size() > 1) lane.take("\n");
      lane.take("####");
      lane.take(" ");
      lane.take_number(answer, "the answer");
      if (!lane.at_end()) lane.refuse("goes on behind the answer");
    }
  }

 private:
  void check_own_parts(size_t m) {
    int64_t sum = 0;
    bool first = true;
    for (size_t part = m; part < parts_.size(); part += lanes_.size()) {
      check_part(lanes_[m], part);
      const int64_t value = value_of(parts_[part]);
      if (!first) {
        lanes_[m].take("+");
        lanes_[m].take_number(sum, "the running total");
        lanes_[m].take("=");
        lanes_[m].take_number(sum + value, number_text(value) + "+" + number_text(sum));
      }
      lanes_[m].take("\n");
      sum += value;
      first = false;
    }
    held_[m] = sum;
  }

  void check_part(LaneReader& lane, size_t index) {
    const ToldPart& part = parts_[index];
    const std::string label = number_text(static_cast<int64_t>(index) + 1);
    lane.take_number(static_cast<int64_t>(index) + 1, "the label of its next part");
    lane.take(":");
    lane.take_number(part.factor, "the first number of part " + label);
    lane.take("*");
    lane.take_number(part.other_factor, "the second number of part " + label);
    const int64_t ones = part.factor % 10;
    const int64_t product = part.factor * part.other_factor;
    lane.take("=");
    lane.take_number((part.factor - ones) * part.other_factor,
                     number_text(part.factor - ones) + "*" + number_text(part.other_factor));
    lane.take("+");
    lane.take_number(ones * part.other_factor, number_text(ones) + "*" + number_text(part.other_factor));
    lane.take("=");
    lane.take_number(product, number_text(part.factor) + "*" + number_text(part.other_factor));
    if (part.added == 0 && part.removed == 0) return;
    lane.take(part.added > 0 ? "+" : "-");
    lane.take_number(part.added + part.removed, "the third number of part " + label);
    lane.take("=");
    lane.take_number(value_of(part), "part " + label);
  }

  void check_sum(size_t m) {
    lanes_[m].take("sum");
    lanes_[m].take(" ");
    lanes_[m].take_number(held_[m], "the sum of its own parts");
  }

  // Numbered in messages as one more lane.
  void check_second_stage(std::string_view written, int64_t answer) {
    LaneReader lane(written, lanes_.size());
    int64_t total = 0;
    for (size_t m = 0; m < held_.size(); ++m) {
      const std::string number = number_text(static_cast<int64_t>(m) + 1);
      if (m > 0) lane.take("+");
      lane.take("<lane" + number + ">");
      lane.take_number(held_[m], "the sum of lane " + number);
      total += held_[m];
      if (m == 0) continue;
      lane.take("=");
      lane.take_number(total, number_text(total - held_[m]) + "+" + number_text(held_[m]));
    }
    lane.take("\n");
    lane.take("####");
    lane.take(" ");
    lane.take_number(answer, "the answer");
    if (!lane.at_end()) lane.refuse("goes on behind the answer");
  }

  void check_combination() {
    const size_t n = lanes_.size();
    size_t rounds = 0;
    while (size_t{1} << rounds < n) ++rounds;
    if (size_t{1} << rounds == n) {
      for (size_t round = 0; round < rounds; ++round) {
        const size_t block = size_t{1} << round;
        for (size_t m = 0; m < n; ++m) {
          check_addition(m, m / block % 2 == 0 ? m + block : m - block, round);
        }
      }
      return;
    }
    for (size_t m = 0; m < n; ++m) {
      for (size_t ahead = 1; ahead < n; ++ahead) check_addition(m, (m + ahead) % n, 0);
    }
  }

  // Lane m waits for total number `which` of lane `other`, copies it and adds it to its own.
  void check_addition(size_t m, size_t other, size_t which) {
    LaneReader& lane = lanes_[m];
    const std::string other_name = "lane " + number_text(static_cast<int64_t>(other) + 1);
    if (which >= written_[other].size()) lane.refuse("needs a total that " + other_name + " never writes");
    const ReadTotal total = written_[other][which];
    while (lane.at(" wait")) {
      if (lanes_[other].readable(total.last_digit, lane.step())) {
        lane.refuse("waits although the total " + number_text(total.value) + " of " + other_name +
                    " is readable");
      }
      lane.take(" wait");
    }
    const bool readable = lanes_[other].readable(total.last_digit, lane.step());
    if (!readable && !lane.at("+")) lane.take(" wait");
    if (!readable) {
      lane.refuse("goes on before the total " + number_text(total.value) + " of " + other_name +
                  " is readable");
    }
    lane.take("+");
    lane.take("<lane" + number_text(static_cast<int64_t>(other) + 1) + ">");
    lane.take_number(total.value, "the total of " + other_name);
    lane.take("=");
    lane.take_number(held_[m] + total.value, number_text(held_[m]) + "+" + number_text(total.value));
    held_[m] += total.value;
  }

  const std::vector<ToldPart>& parts_;
  std::vector<LaneReader> lanes_;
  std::vector<std::vector<ReadTotal>> written_;  // [lanes], of each lane all totals that it writes
  std::vector<int64_t> held_;                    // [lanes], the total that each lane has reached
};

// The digits behind the last "####" of a lane that a model wrote; empty if there are none.
std::string final_number(const std::string& lane) {
  const size_t mark = lane.rfind("####");
  std::string digits;
  for (size_t i = mark == std::string::npos ? lane.size() : mark + 4; i < lane.size(); ++i) {
    const char c = lane[i];
    if (c == ' ' || c == ',') continue;
    if (c < '0' || c > '9') break;
    digits += c;
  }
  return digits;
}

void check_labels(const data::Trace& trace) {
  assert(trace.labels.size() == trace.lanes.size());
  for (size_t m = 0; m < trace.lanes.size(); ++m) {
    const std::string number = final_number(trace.lanes[m]);
    if (trace.labels[m] && !number.empty() && number != trace.answer) {
      throw TraceFault("lane " + number_text(static_cast<int64_t>(m) + 1) +
                       " is labelled right and ends with " + number + " where the answer is " + trace.answer);
    }
  }
}

void check_trace(const data::Trace& trace) {
  if (!trace.labels.empty()) return check_labels(trace);
  const std::vector<ToldPart> parts = read_question(trace.question);
  int64_t answer = 0;
  for (const ToldPart& part : parts) answer += value_of(part);
  if (trace.answer != number_text(answer)) {
    throw TraceFault("the answer is given as " + trace.answer + " where the question comes to " +
                     number_text(answer));
  }
  for (const data::OtherKey& other : trace.other) {
    if (other.key != "parts" || other.json == std::to_string(parts.size())) continue;
    throw TraceFault("parts is " + other.json + " where the question has " + std::to_string(parts.size()));
  }
  if (!trace.lanes.empty()) TraceChecker(trace, parts).check(answer, trace.second_stage);
}

}  // namespace

std::optional<std::string> find_fault(const data::Trace& trace) {
  try {
    check_trace(trace);
  } catch (const TraceFault& fault) {
    return fault.what();
  }
  return std::nullopt;
}

}  // namespace lanerope::toy
