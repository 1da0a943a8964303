// SPDX-License-Identifier: Apache-2.0
#include "lanerope/answers.h"

#include "bindings.h"
#include "convert.h"

namespace lanerope::python {

namespace {

nb::object found(const std::string& text, bool ended) {
  std::optional<FoundAnswer> answer;
  {
    const nb::gil_scoped_release release;
    answer = find_answer(text, ended);
  }
  return answer ? to_text(answer->text) : nb::none();
}

bool same(const std::string& given, const std::string& truth) {
  const nb::gil_scoped_release release;
  return same_answer(given, truth);
}

nb::list listed(const std::string& answer, size_t count) {
  nb::list all;
  for (const std::string& one : listed_answers(answer, count)) all.append(to_text(one));
  return all;
}

}  // namespace

void bind_answers(nb::module_& module) {
  module.def("find_answer", &found, nb::arg("text"), nb::arg("ended") = true,
             nb::sig("def find_answer(text: str, ended: bool = True) -> str | None"),
             "The answer that a text gives: any where it came to its end (``ended``), else only one that it "
             "marks, as "
             "``\\boxed{}`` does. None where it gives none.");
  module.def("same_answer", &same, nb::arg("given"), nb::arg("truth"),
             "Whether an answer says what the truth says: exactly where both are exact, a decimal by its own "
             "precision.");
  module.def(
      "listed_answers", &listed, nb::arg("answer"), nb::arg("count"),
      nb::sig("def listed_answers(answer: str, count: int) -> list[str]"),
      "The ``count`` answers that one answer lists, as in ``(5, 7)``; none where it lists another number "
      "of them.");
}

}  // namespace lanerope::python
