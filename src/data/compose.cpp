// SPDX-License-Identifier: Apache-2.0
#include "data/compose.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>

namespace lanerope {

template <>
std::span<const Named<data::Ask>> names() {
  static constexpr Named<data::Ask> all[] = {
      {data::Ask::answers, "answers"},       {data::Ask::sum, "sum"},     {data::Ask::largest, "largest"},
      {data::Ask::difference, "difference"}, {data::Ask::chain, "chain"}, {data::Ask::plain, "plain"},
  };
  return all;
}

template <>
std::span<const Named<data::Part>> names() {
  static constexpr Named<data::Part> all[] = {
      {data::Part::all, "all"}, {data::Part::train, "train"}, {data::Part::dev, "dev"}};
  return all;
}

}  // namespace lanerope

namespace lanerope::data {

namespace {

// {k} is the number of problems, {i} that of one, {q} its question.
struct Wording {
  std::string_view head;
  std::string_view item;
  std::string_view tail;  // where all answers are wanted
};
constexpr std::array wordings = {
    Wording{"Solve each of these problems.\n\n", "Problem {i}: {q}",
            "\n\nEnd with all the answers in order: #### (answer 1, answer 2, ...)"},
    Wording{"Here are {k} problems. Solve them all.\n\n", "Problem {i}: {q}",
            "\n\nAt the end write one line with every answer: #### (first, second, ...)"},
    Wording{"", "Problem {i}: {q}",
            "\n\nSolve all {k} problems. Finish with #### and the answers in order, in parentheses."},
    Wording{"I have {k} questions.\n\n", "{i}. {q}",
            "\n\nPlease answer all of them, and list the answers at the end as #### (a, b, ...)."},
    Wording{"Answer every question below.\n\n", "({i}) {q}",
            "\n\nClose with a line that starts with #### and gives all answers in parentheses, separated by "
            "commas."},
    Wording{"Work through these {k} tasks:\n\n", "Task {i}: {q}",
            "\n\nYour last line must be #### followed by the list of the {k} answers in parentheses."},
};

// A problem as it stands, and with what people put behind one.
constexpr std::array<std::string_view, 3> plain_wordings = {
    "{q}",
    "{q}\n\nThink step by step and give the final answer in \\boxed{}.",
    "{q} Explain how you get there.",
};

std::string filled(std::string_view text, std::string_view place, std::string_view value) {
  std::string result(text);
  for (size_t at = result.find(place); at != std::string::npos; at = result.find(place, at + value.size()))
    result.replace(at, place.size(), value);
  return result;
}

std::string_view tail_of(Ask ask, const Wording& wording) {
  switch (ask) {
    case Ask::sum:
      return "\n\nAdd up all {k} answers, and end with #### and their sum.";
    case Ask::largest:
      return "\n\nWhich of the {k} answers is the largest? End with #### and that number.";
    case Ask::difference:
      return "\n\nHow much larger is the largest of the {k} answers than the smallest? End with #### and the "
             "difference.";
    case Ask::answers:
    case Ask::chain:
    case Ask::plain:
      break;
  }
  return wording.tail;
}

// A whole number of at most six digits that stands alone in a question.
struct FoundNumber {
  size_t begin;
  size_t size;
  int64_t value;
};
std::vector<FoundNumber> whole_numbers_in(const std::string& text) {
  const auto digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  std::vector<FoundNumber> found;
  for (size_t at = 0; at < text.size();) {
    if (!digit(at)) {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (digit(at)) ++at;
    const bool after_space = begin > 0 && text[begin - 1] == ' ';
    const bool before_end =
        at == text.size() || text[at] == ' ' || ((text[at] == ',' || text[at] == '.') && !digit(at + 1));
    if (!after_space || !before_end || at - begin > 6) continue;
    FoundNumber number{begin, at - begin, 0};
    std::from_chars(text.data() + begin, text.data() + at, number.value);
    if (number.value > 1) found.push_back(number);
  }
  return found;
}

// Puts N in place of a number of `problem`, and says what N is.
std::optional<std::string> link(KnownProblem& problem, size_t before, int64_t answer_before,
                                RandomStream& random) {
  const std::vector<FoundNumber> numbers = whole_numbers_in(problem.question);
  if (numbers.empty()) return std::nullopt;
  const FoundNumber number = random.pick(numbers);
  const int64_t more = number.value - answer_before;
  problem.question.replace(number.begin, number.size, "N");
  std::string is = "the answer to Problem " + std::to_string(before);
  if (more != 0) is += (more > 0 ? " plus " : " minus ") + std::to_string(std::abs(more));
  problem.question = "Let N be " + is + ". " + problem.question;
  std::string worked = "N is " + std::to_string(answer_before);
  if (more != 0)
    worked +=
        (more > 0 ? " + " : " - ") + std::to_string(std::abs(more)) + " = " + std::to_string(number.value);
  return worked + ".";
}

}  // namespace

const size_t n_wordings = wordings.size();
const size_t n_plain_wordings = plain_wordings.size();

std::optional<int64_t> whole_answer(const KnownProblem& problem) {
  const std::string& text = problem.answer;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.size() > 15) return std::nullopt;
  return value;
}

std::optional<Composition> compose(std::vector<KnownProblem> problems, Ask ask, RandomStream& random) {
  assert(ask != Ask::plain || problems.size() == 1);
  Composition composition{.problems = std::move(problems), .ask = ask};
  composition.wording = random.below(ask == Ask::plain ? n_plain_wordings : n_wordings);
  if (ask == Ask::answers || ask == Ask::plain) return composition;
  for (const KnownProblem& problem : composition.problems) {
    if (!whole_answer(problem)) return std::nullopt;
  }
  if (ask != Ask::chain) return composition;
  composition.wording %= 3;  // those that call a problem "Problem 1", as links do
  composition.links.emplace_back();
  for (size_t i = 1; i < composition.problems.size(); ++i) {
    const auto made = link(composition.problems[i], i, *whole_answer(composition.problems[i - 1]), random);
    if (!made) return std::nullopt;
    composition.links.push_back(*made);
  }
  return composition;
}

std::string question_of(const Composition& composition) {
  if (composition.ask == Ask::plain)
    return filled(plain_wordings[composition.wording], "{q}", composition.problems[0].question);
  const Wording& wording = wordings[composition.wording];
  const std::string k = std::to_string(composition.problems.size());
  std::string text = filled(wording.head, "{k}", k);
  for (size_t i = 0; i < composition.problems.size(); ++i) {
    if (i > 0) text += "\n\n";
    text +=
        filled(filled(wording.item, "{i}", std::to_string(i + 1)), "{q}", composition.problems[i].question);
  }
  return text + filled(tail_of(composition.ask, wording), "{k}", k);
}

std::vector<std::string> parts_of(const Composition& composition) {
  std::vector<std::string> parts;
  if (composition.problems.size() < 2) return parts;
  if (composition.ask != Ask::answers && composition.ask != Ask::chain) return parts;
  for (const KnownProblem& problem : composition.problems) parts.push_back(problem.answer);
  return parts;
}

std::string answer_of(const Composition& composition) {
  const std::vector<KnownProblem>& problems = composition.problems;
  if (const std::vector<std::string> parts = parts_of(composition); !parts.empty()) {
    std::string list;
    for (const std::string& part : parts) list += (list.empty() ? "(" : ", ") + part;
    return list + ")";
  }
  if (problems.size() == 1) return problems[0].answer;
  std::vector<int64_t> values;
  for (const KnownProblem& problem : problems) values.push_back(*whole_answer(problem));
  const auto [least, largest] = std::ranges::minmax(values);
  if (composition.ask == Ask::largest) return std::to_string(largest);
  if (composition.ask == Ask::difference) return std::to_string(largest - least);
  int64_t sum = 0;
  for (const int64_t value : values) sum += value;
  return std::to_string(sum);
}

}  // namespace lanerope::data
