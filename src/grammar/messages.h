// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace lanerope::grammar {

// Collects what xgrammar says on this thread while it lives: mostly that it leaves something of a schema out.
// Nothing is printed, here or outside of a collector.
class MessageCollector {
 public:
  MessageCollector();
  ~MessageCollector();
  MessageCollector(const MessageCollector&) = delete;
  MessageCollector& operator=(const MessageCollector&) = delete;

  const std::string& first() const { return first_; }  // empty: nothing was said
  void take(const std::string& message);

 private:
  std::string first_ = {};
  MessageCollector* outer_;
};

}  // namespace lanerope::grammar
