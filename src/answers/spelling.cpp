// SPDX-License-Identifier: Apache-2.0
#include "answers/spelling.h"

#include <algorithm>
#include <array>

#include "answers/characters.h"
#include "answers/unicode_spelling.h"

namespace lanerope::answers {

namespace {

struct Command {
  std::string_view name;
  std::string_view spelling;
};

// By name, without the backslash. What is not here stays as it is.
constexpr std::array commands = {
    Command{"!", ""},
    Command{"#", "#"},
    Command{"$", "\\usd "},
    Command{"%", "%"},
    Command{"&", " and "},
    Command{"(", ""},
    Command{")", ""},
    Command{",", " "},
    Command{":", " "},
    Command{";", " "},
    Command{">", " "},
    Command{"Big", ""},
    Command{"Bigg", ""},
    Command{"Biggl", ""},
    Command{"Biggr", ""},
    Command{"Bigl", ""},
    Command{"Bigr", ""},
    Command{"Bbb", "\\mathbb"},
    Command{"[", ""},
    Command{"]", ""},
    Command{"_", " "},
    Command{"angle", " "},
    Command{"approxeq", "\\approx "},
    Command{"arccos", "\\acos "},
    Command{"arcsin", "\\asin "},
    Command{"arctan", "\\atan "},
    Command{"ast", "*"},
    Command{"bar", "\\overline"},
    Command{"bf", " "},
    Command{"bfseries", " "},
    Command{"big", ""},
    Command{"bigg", ""},
    Command{"bigcup", "\\cup "},
    Command{"biggl", ""},
    Command{"biggr", ""},
    Command{"bigl", ""},
    Command{"bigr", ""},
    Command{"bmod", "\\mod "},
    Command{"boldsymbol", ""},
    Command{"boxed", ""},
    Command{"cdot", "*"},
    Command{"cdots", "..."},
    Command{"cfrac", "\\frac"},
    Command{"colon", ":"},
    Command{"cong", "\\approx "},
    Command{"dbinom", "\\binom"},
    Command{"degree", "^{\\circ}"},
    Command{"dfrac", "\\frac"},
    Command{"displaystyle", " "},
    Command{"div", "/"},
    Command{"dots", "..."},
    Command{"emph", "\\text"},
    Command{"euro", "\\eur "},
    Command{"fbox", ""},
    Command{"ge", ">="},
    Command{"geq", ">="},
    Command{"geqslant", ">="},
    Command{"gt", ">"},
    Command{"it", " "},
    Command{"langle", "("},
    Command{"lbrace", "\\{"},
    Command{"lbrack", "["},
    Command{"ldots", "..."},
    Command{"le", "<="},
    Command{"left", ""},
    Command{"leq", "<="},
    Command{"leqslant", "<="},
    Command{"limits", ""},
    Command{"lt", "<"},
    Command{"lvert", "|"},
    Command{"mathbf", "\\text"},
    Command{"mathit", "\\text"},
    Command{"mathrm", "\\text"},
    Command{"mathsf", "\\text"},
    Command{"mbox", "\\text"},
    Command{"mid", "|"},
    Command{"middle", ""},
    Command{"ne", "!="},
    Command{"neq", "!="},
    Command{"nobreakspace", " "},
    Command{"nolimits", ""},
    Command{"operatorname", "\\text"},
    Command{"overrightarrow", ""},
    Command{"pounds", "\\gbp "},
    Command{"prime", "'"},
    Command{"qquad", " "},
    Command{"quad", " "},
    Command{"rangle", ")"},
    Command{"rbrace", "\\}"},
    Command{"rbrack", "]"},
    Command{"right", ""},
    Command{"rm", " "},
    Command{"rvert", "|"},
    Command{"sf", " "},
    Command{"simeq", "\\approx "},
    Command{"tbinom", "\\binom"},
    Command{"textbf", "\\text"},
    Command{"textdollar", "\\usd "},
    Command{"textit", "\\text"},
    Command{"textnormal", "\\text"},
    Command{"textrm", "\\text"},
    Command{"textsf", "\\text"},
    Command{"textstyle", " "},
    Command{"texttt", "\\text"},
    Command{"tfrac", "\\frac"},
    Command{"thinspace", " "},
    Command{"times", "*"},
    Command{"triangle", " "},
    Command{"varnothing", "\\emptyset "},
    Command{"varphi", "\\phi "},
    Command{"vec", ""},
    Command{"vert", "|"},
    Command{"widehat", ""},
};

// Their argument is no part of the answer.
constexpr std::array<std::string_view, 5> dropped = {"hspace", "label", "phantom", "tag", "vspace"};

// "\frac" escaped once too often is "\\frac"; in a matrix two backslashes end a row.
bool rows_in(std::string_view text) {
  return text.find("\\begin") != std::string_view::npos && text.find("\\\\begin") == std::string_view::npos;
}

class Speller {
 public:
  explicit Speller(std::string_view text)
      : rest_(text), has_rows_(rows_in(text)), lone_dollar_(count_delimiters(text) % 2 == 1) {}

  std::string spell() {
    while (!rest_.empty()) next();
    while (result_.ends_with(' ')) result_.pop_back();
    return std::move(result_);
  }

 private:
  static size_t count_delimiters(std::string_view text) {
    size_t count = 0;
    for (size_t i = 0; i < text.size(); ++i) count += text[i] == '$' && (i == 0 || text[i - 1] != '\\');
    return count;
  }

  void append(std::string_view text) {
    for (const char c : text) {
      if (is_space(c) && (result_.empty() || result_.back() == ' ')) continue;
      result_ += is_space(c) ? ' ' : c;
    }
  }

  void next() {
    const char c = rest_.front();
    if (c == '\\') return command();
    if ((c & 0x80) != 0) {
      const UnicodeSpelling unicode = unicode_spelling(rest_);
      append(unicode.spelling);
      rest_.remove_prefix(unicode.bytes);
      return;
    }
    if (c == '{' && (rest_.starts_with("{,}") || rest_.starts_with("{, }"))) {
      // A comma of thousands, whatever space is around it.
      if (result_.ends_with(' ')) result_.pop_back();
      rest_.remove_prefix(rest_.find('}') + 1);
      return append("{,}");
    }
    rest_.remove_prefix(1);
    if (c == '$') return dollar();
    if (c == '*' && rest_.starts_with('*')) return stars();
    if (c == '~') return append(" ");
    if (c == '`' || c == '"') return;
    append({&c, 1});
  }

  // Where it has no partner and a number follows, it is money.
  void dollar() {
    const size_t word = std::min(rest_.find_first_not_of(' '), rest_.size());
    const bool number = word < rest_.size() && (is_digit(rest_[word]) || rest_[word] == '.');
    if (lone_dollar_ && number) append("\\usd ");
    lone_dollar_ = lone_dollar_ && !number;
  }

  // "**" between two operands is a power, as in Python; around words it is bold.
  void stars() {
    rest_.remove_prefix(1);
    const bool left =
        !result_.empty() && (is_letter(result_.back()) || is_digit(result_.back()) || result_.back() == ')');
    const bool right = !rest_.empty() && (is_letter(rest_.front()) || is_digit(rest_.front()) ||
                                          rest_.front() == '(' || rest_.front() == '-');
    if (left && right) append("^");
  }

  void command() {
    rest_.remove_prefix(1);
    if (rest_.starts_with('\\')) {
      const bool escaped_twice = !has_rows_ && rest_.size() > 1 && !is_space(rest_[1]);
      if (escaped_twice) return;  // the second backslash is the command's
      rest_.remove_prefix(1);
      drop_row_distance();
      return append("\\\\ ");
    }
    size_t length = 0;
    while (length < rest_.size() && is_letter(rest_[length])) ++length;
    if (length == 0) length = std::min<size_t>(rest_.size(), 1);
    const std::string_view name = rest_.substr(0, length);
    rest_.remove_prefix(length);
    if (name.empty()) return;
    if (std::ranges::find(dropped, name) != dropped.end()) return drop_argument();
    if (is_space(name.front())) return append(" ");
    const auto* found = std::ranges::find(commands, name, &Command::name);
    if (found == commands.end()) {
      append("\\");
      append(name);
      // A letter that follows must not join the name.
      if (is_letter(name.back()) && rest_.starts_with(' ')) append(" ");
      return;
    }
    append(found->spelling);
    if ((name == "left" || name == "right") && rest_.starts_with('.')) rest_.remove_prefix(1);
  }

  // Of "\\[4pt]".
  void drop_row_distance() {
    const size_t close = rest_.starts_with('[') ? rest_.find(']') : std::string_view::npos;
    constexpr size_t longest = 8;
    if (close > longest) return;
    const std::string_view distance = rest_.substr(1, close - 1);
    if (distance.ends_with("pt") || distance.ends_with("em") || distance.ends_with("ex") ||
        distance.ends_with("mm"))
      rest_.remove_prefix(close + 1);
  }

  void drop_argument() {
    if (rest_.starts_with('*')) rest_.remove_prefix(1);
    if (!rest_.starts_with('{')) return;
    rest_.remove_prefix(std::min(rest_.find('}'), rest_.size() - 1) + 1);
  }

  std::string_view rest_;
  bool has_rows_;
  bool lone_dollar_;
  std::string result_;
};

// The length of the tag that a text begins with; 0 where there is none: "a < b" has none.
size_t tag_length(std::string_view text) {
  constexpr size_t longest = 40;
  size_t at = 1;
  while (at < text.size() && (text[at] == '/' || text[at] == '|')) ++at;
  const size_t name = at;
  while (at < text.size() && at < longest &&
         (is_letter(text[at]) || is_digit(text[at]) || text[at] == '_' || text[at] == '-' ||
          text[at] == ' ' || text[at] == '|' || text[at] == '/'))
    ++at;
  const bool closed = at < text.size() && text[at] == '>';
  const bool named = at > name + 1 && is_letter(text[name]) && is_letter(text[name + 1]);
  const bool one_letter = at == name + 1 && (name > 1 || text[name] == 'b');
  return closed && (named || one_letter) ? at + 1 : 0;
}

}  // namespace

std::string without_tags(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t next = std::min(text.find('<', at), text.size());
    result += text.substr(at, next - at);
    at = next;
    if (at == text.size()) break;
    const size_t tag = tag_length(text.substr(at));
    if (tag == 0) result += text[at];
    if (tag > 0 && !result.empty() && !is_space(result.back())) result += ' ';
    at += std::max<size_t>(tag, 1);
  }
  return result;
}

std::string spelled(std::string_view text) {
  if (text.find('<') == std::string_view::npos) return Speller(text).spell();
  const std::string bare = without_tags(text);
  return Speller(bare).spell();
}

}  // namespace lanerope::answers
