// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/model.h"

namespace lanerope::cli {

// One row of the golden table: what a front end is told, and for which model.
struct TableCase {
  std::string_view front_end;  // run, server or eval
  std::string said;            // options, a JSON body, or an arm
};

// The models of the table: untrained, an adapter trained with lanes, a base trained with lanes.
struct TableModel {
  std::string name;
  std::shared_ptr<const Model> model;
};

std::vector<TableModel> table_models();

// What the front end's request is resolved to, in one line; or the sentence of the refusal.
std::string resolved_line(const TableCase& row, const Model& model);

}  // namespace lanerope::cli
