// SPDX-License-Identifier: Apache-2.0
// Two answers with a zero byte between; both together are also a text that an answer is looked for in.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "answers/equal.h"
#include "answers/extract.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace lanerope::answers;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const std::string_view a = text.substr(0, text.find('\0'));
  const std::string_view b = text.substr(a.size() < text.size() ? a.size() + 1 : a.size());

  const auto start = std::chrono::steady_clock::now();
  if (!answers_equal(a, a) || answers_equal(a, b) != answers_equal(b, a)) std::abort();
  for (const AnswerKind kind : {AnswerKind::choice, AnswerKind::yes_no, AnswerKind::exact})
    answers_equal(a, b, kind);

  const auto found = find_answer(text);
  if (found && found->text.empty()) std::abort();
  find_settled_answer(text);
  // Ten milliseconds a pair; sanitizers and the machine's other work take their share.
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (seconds.count() > 2) std::abort();
  return 0;
}
