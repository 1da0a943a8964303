// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_code.h"

#include <CLI/CLI.hpp>
#include <new>

#include "cli/output.h"
#include "hub/watch.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

int code_of(const std::exception& error) {
  if (dynamic_cast<const OutputClosed*>(&error) != nullptr) return exit_closed_pipe;
  if (dynamic_cast<const hub::Stopped*>(&error) != nullptr) return exit_interrupted;
  if (dynamic_cast<const InvalidRequest*>(&error) != nullptr) return exit_invalid_request;
  if (dynamic_cast<const CLI::ParseError*>(&error) != nullptr) return exit_invalid_request;
  if (dynamic_cast<const BadFile*>(&error) != nullptr) return exit_bad_file;
  if (dynamic_cast<const DoesNotFit*>(&error) != nullptr) return exit_does_not_fit;
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return exit_does_not_fit;
  if (dynamic_cast<const SystemError*>(&error) != nullptr) return exit_system_error;
  return exit_failed;
}

// Messages quote files and arguments, which may hold line breaks and terminal controls.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

Failure describe_failure(const std::exception& error) {
  const int code = code_of(error);
  if (code == exit_closed_pipe || code == exit_interrupted) return {code, {}};
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return {code, "the memory does not suffice; ask for fewer lanes, a smaller budget or a smaller model"};
  }
  return {code, one_line(error.what())};
}

}  // namespace lanerope::cli
