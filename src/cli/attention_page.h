// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "lanerope/measure.h"
#include "lanerope/result.h"

namespace lanerope::cli {

// One run, as --attention shows it.
struct AttentionReport {
  AttentionRecord record;
  std::string model;
  std::string coupling;
  // [lane][token], as text; may be half a character.
  std::vector<std::vector<std::string>> pieces;
  std::shared_ptr<const GroupResult> result;
};

// Every share, rounded to four digits.
void write_attention_json(const AttentionReport& report, std::ostream& out);

struct PageLimits {
  size_t bytes = 20'000'000;  // of shares, as text
};

// A page that needs nothing but itself. Where the shares would take more than the limit only every k-th step
// is shown; returns k.
int32_t write_attention_page(const AttentionReport& report, std::ostream& out, const PageLimits& limits = {});

}  // namespace lanerope::cli
