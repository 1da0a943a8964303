// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "cli/attention_page.h"

namespace lanerope::cli {

// Where `run --attention FILE` writes: FILE.html is the page alone; FILE.json has the page beside it; any
// other name is JSON alone. The files are opened at once and written later; both throw SystemError, for a
// full disk too.
class AttentionFile {
 public:
  explicit AttentionFile(const std::string& file);

  // Returns sentences about what was written, for a person.
  std::vector<std::string> write(const AttentionReport& report);

 private:
  std::string json_file_;
  std::string page_file_;
  std::ofstream json_;
  std::ofstream page_;
};

}  // namespace lanerope::cli
