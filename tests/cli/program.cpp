// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/program.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace lanerope::cli {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void become_program(const std::vector<std::string>& arguments) {
  std::vector<char*> argv = {const_cast<char*>("lanerope")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(LANEROPE_PROGRAM, argv.data());
  _exit(127);
}

int wait_status(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

const fs::path& temporary_directory() {
  struct Directory {
    fs::path path;
    Directory() {
      std::string name = fs::temp_directory_path() / "lanerope-test-XXXXXX";
      if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
      path = name;
    }
    ~Directory() { fs::remove_all(path); }
  };
  static const Directory directory;
  return directory.path;
}

void redirect(const std::string& file, int flags, int to) {
  const int descriptor = open(file.c_str(), flags, 0600);
  if (descriptor < 0 || dup2(descriptor, to) < 0) _exit(126);
}

}  // namespace

Outcome run_program(const Call& call) {
  const std::string in = temporary("in");
  const std::string out = call.output_file.empty() ? temporary("out") : call.output_file;
  const std::string err = temporary("err");
  write_file(in, call.input);
  const pid_t child = fork();
  if (child == 0) {
    redirect(in, O_RDONLY, STDIN_FILENO);
    redirect(out, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(err, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    become_program(call.arguments);
  }
  Outcome outcome;
  outcome.status = wait_status(child);
  if (call.output_file.empty()) outcome.out = file_text(out);
  outcome.err = file_text(err);
  return outcome;
}

Outcome run_in_terminal(const TerminalCall& call) {
  winsize size = {};
  size.ws_col = static_cast<unsigned short>(call.columns);
  size.ws_row = static_cast<unsigned short>(call.rows);
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    setenv("TERM", "xterm-256color", 1);
    become_program(call.arguments);
  }
  Outcome outcome;
  bool typed = call.typed.empty();
  char buffer[4096];
  ssize_t n = 0;
  while ((n = read(terminal, buffer, sizeof buffer)) > 0) {
    outcome.out.append(buffer, static_cast<size_t>(n));
    if (!typed && outcome.out.find(call.type_after) != std::string::npos) {
      typed = write(terminal, call.typed.data(), call.typed.size()) > 0;
    }
  }
  outcome.status = wait_status(child);
  close(terminal);
  return outcome;
}

std::string tiny_model() {
  return LANEROPE_TEST_MODELS "/tiny.gguf";
}
std::string other_model() {
  return LANEROPE_TEST_MODELS "/other.gguf";
}
std::string experts_model() {
  return LANEROPE_TEST_MODELS "/experts.gguf";
}
std::string adapter() {
  return LANEROPE_TEST_MODELS "/adapter.gguf";
}

std::string temporary(const std::string& name) {
  return temporary_directory() / name;
}

void write_file(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

std::string file_text(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<nlohmann::json> json_lines(const std::string& text) {
  std::vector<nlohmann::json> values;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) values.push_back(nlohmann::json::parse(line));
  return values;
}

}  // namespace lanerope::cli
