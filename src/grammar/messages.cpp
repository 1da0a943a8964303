// SPDX-License-Identifier: Apache-2.0
// Compiled into the library xgrammar, which calls the two functions at the end (cmake/XGrammar.cmake).
#include "grammar/messages.h"

#include <stdexcept>

namespace lanerope::grammar {

namespace {

thread_local MessageCollector* listening = nullptr;

}  // namespace

MessageCollector::MessageCollector() : outer_(listening) {
  listening = this;
}

MessageCollector::~MessageCollector() {
  listening = outer_;
}

void MessageCollector::take(const std::string& message) {
  if (first_.empty()) first_ = message;
}

}  // namespace lanerope::grammar

namespace xgrammar {

[[noreturn]] void LogFatalImpl(const std::string& file, int line, const std::string& message);
void LogMessageImpl(const std::string& file, int line, int level, const std::string& message);

void LogFatalImpl(const std::string& /*file*/, int /*line*/, const std::string& message) {
  throw std::runtime_error(message);
}

void LogMessageImpl(const std::string& /*file*/, int /*line*/, int level, const std::string& message) {
  constexpr int warning = 2;
  if (level >= warning && lanerope::grammar::listening != nullptr)
    lanerope::grammar::listening->take(message);
}

}  // namespace xgrammar
