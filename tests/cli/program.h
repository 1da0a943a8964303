// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lanerope::cli {

struct Call {
  std::vector<std::string> arguments;
  std::string input = {};        // standard input
  std::string output_file = {};  // where standard output goes instead
};

struct Outcome {
  int status = -1;  // as a shell reports it: 128 + the signal for a program that was killed
  std::string out;
  std::string err;
};

// Runs the lanerope that was built with these tests.
Outcome run_program(const Call& call);

struct TerminalCall {
  std::vector<std::string> arguments;
  int columns = 100;
  int rows = 30;
  std::string type_after = {};  // once this was written to the terminal ...
  std::string typed = {};       // ... these keys are pressed
};

// The same in a terminal of its own; `out` is all that was written to it.
Outcome run_in_terminal(const TerminalCall& call);

// Paths of the models that the tests use.
std::string tiny_model();
std::string other_model();    // of another shape
std::string experts_model();  // qwen3moe
std::string adapter();        // for tiny_model()

// A file name in a directory of this process that nothing else uses; removed at exit.
std::string temporary(const std::string& name);
void write_file(const std::string& file, const std::string& text);
std::string file_text(const std::string& file);

std::vector<nlohmann::json> json_lines(const std::string& text);

}  // namespace lanerope::cli
