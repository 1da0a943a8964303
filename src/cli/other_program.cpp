// SPDX-License-Identifier: Apache-2.0
#include "cli/other_program.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "lanerope/errors.h"

namespace lanerope::cli {

void become_program(const std::string& program, std::vector<std::string> arguments,
                    const std::string& missing) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  std::string file = (self.parent_path() / program).string();
  if (error || !std::filesystem::exists(file)) file = program;
  arguments.insert(arguments.begin(), file);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  execvp(file.c_str(), pointers.data());
  throw SystemError(missing);
}

}  // namespace lanerope::cli
