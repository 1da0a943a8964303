// SPDX-License-Identifier: Apache-2.0
// Two answers with a zero byte between; both together are also a text that an answer is looked for in.
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "answers/equal.h"
#include "answers/extract.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace lanerope::answers;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const std::string_view a = text.substr(0, text.find('\0'));
  const std::string_view b = text.substr(a.size() < text.size() ? a.size() + 1 : a.size());

  const std::clock_t start = std::clock();
  if (!answers_equal(a, a) || answers_equal(a, b) != answers_equal(b, a)) std::abort();
  for (const AnswerKind kind : {AnswerKind::choice, AnswerKind::yes_no, AnswerKind::exact})
    answers_equal(a, b, kind);

  const auto found = find_answer(text);
  if (found && found->text.empty()) std::abort();
  find_settled_answer(text);
  // Ten milliseconds a pair; sanitizers take their share.
  if (std::clock() - start > 2 * CLOCKS_PER_SEC) std::abort();
  return 0;
}
