// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lanerope::kernels {

// What a router says of some rows.
struct RouterScores {
  const float* data = nullptr;  // [n_expert, n_rows]
  int64_t n_rows = 0;
  int64_t row_stride = 0;  // floats from a row to the next
};

// To which experts rows go: a column is a row at one of its experts, and columns lie in the order of the
// experts, so that each one that is needed is read once for all of its rows. What a row's choices and shares
// are depends on its own scores alone.
class ExpertRouting {
 public:
  // Columns [first, first + n) are those of one expert.
  struct Group {
    int32_t expert = 0;
    int32_t first = 0;
    int32_t n = 0;
  };

  ExpertRouting(int32_t n_expert, int32_t n_used);

  // The n_used greatest scores of each row, of equal ones the first, and the soft-max of these.
  void route(const RouterScores& scores);

  int32_t n_used() const { return n_used_; }
  int64_t n_columns() const { return static_cast<int64_t>(rows_.size()); }
  std::span<const Group> groups() const { return groups_; }  // those with columns, in the order of experts
  std::span<const int32_t> rows() const { return rows_; }    // [n_columns] whose row each column is
  std::span<const float> shares() const { return shares_; }  // [n_used, n_rows]
  // [n_used, n_rows], a row's greatest score first.
  std::span<const int32_t> columns() const { return columns_; }

 private:
  int32_t n_expert_;
  int32_t n_used_;
  std::vector<Group> groups_;
  std::vector<int32_t> rows_;
  std::vector<int32_t> columns_;
  std::vector<float> shares_;
  std::vector<int32_t> chosen_;  // [n_used, n_rows] experts
  std::vector<int32_t> next_;    // [n_expert] column
};

}  // namespace lanerope::kernels
