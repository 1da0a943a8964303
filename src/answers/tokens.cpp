// SPDX-License-Identifier: Apache-2.0
#include "answers/tokens.h"

#include <algorithm>
#include <array>

#include "answers/characters.h"
#include "answers/units.h"

namespace lanerope::answers {

namespace {

constexpr size_t most_tokens = 800;

// Names that need no backslash.
constexpr std::array<std::string_view, 30> plain_commands = {
    "sqrt", "sin",  "cos",    "tan",    "cot",    "sec",  "csc",  "ln",    "log",      "lg",
    "exp",  "pi",   "arcsin", "arccos", "arctan", "asin", "acos", "atan",  "infinity", "inf",
    "sinh", "cosh", "tanh",   "binom",  "cup",    "cap",  "min",  "infty", "theta",    "max"};

constexpr std::array<std::string_view, 18> two_letter_words = {"is", "of", "no", "in", "to", "if",
                                                               "at", "by", "we", "it", "on", "an",
                                                               "am", "pm", "he", "or", "so", "as"};

class Lexer {
 public:
  Lexer(std::string_view text, Commas commas) : text_(text), commas_(commas) {}

  std::optional<std::vector<Token>> tokens() {
    while (at_ < text_.size() && tokens_.size() < most_tokens) {
      if (!next()) return std::nullopt;
    }
    if (at_ < text_.size() || !upright_.empty()) return std::nullopt;
    return std::move(tokens_);
  }

 private:
  bool digit_at(size_t i) const { return i < text_.size() && is_digit(text_[i]); }
  bool letter_at(size_t i) const { return i < text_.size() && is_letter(text_[i]); }
  bool upright() const { return !upright_.empty() && upright_.back(); }

  void push(TokenKind kind, std::string text) {
    tokens_.push_back({.kind = kind, .text = std::move(text), .spaced = spaced_, .upright = upright()});
    spaced_ = false;
  }

  bool next() {
    const char c = text_[at_];
    if (c == ' ') {
      spaced_ = true;
      ++at_;
      return true;
    }
    if (is_digit(c) || (c == '.' && digit_at(at_ + 1))) return number();
    if (is_letter(c)) return letters();
    if (c == '\\') return command();
    if ((c & 0x80) != 0) return foreign_word();
    return symbol();
  }

  bool thousands_follow() const {
    if (commas_ != Commas::thousands || at_ >= text_.size()) return false;
    if (text_[at_] != ',' && text_[at_] != ' ' && !text_.substr(at_).starts_with("{,}")) return false;
    const size_t digits = text_[at_] == '{' ? at_ + 3 : at_ + 1;
    const bool three = digit_at(digits) && digit_at(digits + 1) && digit_at(digits + 2);
    if (!three || digit_at(digits + 3)) return false;
    // "1 234" is one number, "1 234/500" a mixed one.
    return text_[at_] != ' ' || !text_.substr(digits + 3).starts_with('/');
  }

  std::string digits() {
    const size_t begin = at_;
    while (digit_at(at_)) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  bool number() {
    // "1,00" is no list.
    const bool behind_comma = !spaced_ && !tokens_.empty() && tokens_.back().text == ",";
    std::string value = digits();
    if (behind_comma && value.size() > 1 && value.front() == '0') return false;
    const bool groups = !value.empty() && value.size() <= 3 && value.front() != '0';
    while (groups && thousands_follow()) {
      at_ += text_[at_] == '{' ? 3 : 1;
      value += digits();
    }
    const std::string_view rest = text_.substr(at_);
    const bool repeats =
        rest.starts_with(".\\overline") || rest.starts_with(".\\dot") || rest.starts_with(".(");
    if (at_ < text_.size() && text_[at_] == '.' && (digit_at(at_ + 1) || repeats)) {
      ++at_;
      value += '.' + digits();
      push(TokenKind::number, value);
      tokens_.back().repeat = repeating(value);
    } else {
      push(TokenKind::number, value);
    }
    tokens_.back().exponent = exponent();
    return true;
  }

  // "\overline{3}", "\dot{3}" or "(3)" behind a decimal; "..." behind one that ends in the same digit twice.
  std::string repeating(std::string_view value) {
    std::string_view rest = text_.substr(at_);
    size_t length = 0;
    for (const std::string_view mark : {"\\overline{", "\\dot{", "("}) {
      if (!rest.starts_with(mark)) continue;
      const size_t begin = mark.size();
      size_t end = begin;
      while (end < rest.size() && is_digit(rest[end])) ++end;
      const char close = mark == "(" ? ')' : '}';
      if (end == begin || end >= rest.size() || rest[end] != close) continue;
      length = end + 1;
      std::string part(rest.substr(begin, end - begin));
      at_ += length;
      // "\dot{1}4\dot{2}": from the first dot to the second.
      if (mark == "\\dot{") part += until_second_dot();
      return part;
    }
    const size_t size = value.size();
    const bool goes_on = rest.starts_with("...") && size >= 2 && value[size - 1] == value[size - 2];
    if (!goes_on) return {};
    at_ += 3;
    return std::string(1, value.back());
  }

  std::string until_second_dot() {
    const std::string_view rest = text_.substr(at_);
    const size_t dot = rest.find("\\dot{");
    if (dot == std::string_view::npos || !std::ranges::all_of(rest.substr(0, dot), is_digit)) return {};
    const std::string_view last = rest.substr(dot + 5);
    if (last.size() < 2 || !is_digit(last[0]) || last[1] != '}') return {};
    at_ += dot + 7;
    return std::string(rest.substr(0, dot)) + last[0];
  }

  std::string exponent() {
    if (at_ >= text_.size() || (text_[at_] != 'e' && text_[at_] != 'E')) return {};
    size_t end = at_ + 1;
    if (end < text_.size() && (text_[end] == '-' || text_[end] == '+')) ++end;
    const size_t begin = end;
    while (digit_at(end)) ++end;
    if (end == begin || letter_at(end)) return {};
    std::string result(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end;
    if (result.starts_with('+')) result.erase(0, 1);
    return result;
  }

  bool letters() {
    const size_t begin = at_;
    while (letter_at(at_) ||
           (at_ > begin && text_.substr(at_).starts_with('-') && upright() && letter_at(at_ + 1)))
      ++at_;
    const std::string_view run = text_.substr(begin, at_ - begin);
    const std::string low = lower(run);
    if (low == "and" || low == "or") {
      push(TokenKind::symbol, low);
    } else if (std::ranges::find(plain_commands, low) != plain_commands.end()) {
      push(TokenKind::command, command_name(low));
    } else if (upright() || is_word(run, begin)) {
      push(TokenKind::word, std::string(run));
    } else {
      for (const char c : run) push(TokenKind::letter, std::string(1, c));
    }
    return true;
  }

  static std::string command_name(std::string_view name) {
    if (name == "infinity" || name == "inf") return "infty";
    if (name.starts_with("arc")) return "a" + std::string(name.substr(3));
    return std::string(name);
  }

  // "dollars" is a word, "xyz" behind a digit a product.
  bool is_word(std::string_view run, size_t begin) const {
    const bool behind_operand =
        !tokens_.empty() &&
        (tokens_.back().kind == TokenKind::number || tokens_.back().text == ")" ||
         tokens_.back().text == "}" || tokens_.back().text == "/" || tokens_.back().text == "pi");
    if (run.size() >= 2 && behind_operand && is_unit_name(run)) return true;
    if (run.size() >= 4) return true;
    if (run.size() == 2) return std::ranges::find(two_letter_words, lower(run)) != two_letter_words.end();
    const bool tight_before = begin > 0 && text_[begin - 1] != ' ' && text_[begin - 1] != '(';
    const bool tight_behind =
        at_ < text_.size() && text_[at_] != ' ' && text_[at_] != ')' && text_[at_] != ',';
    return run.size() == 3 && !tight_before && !tight_behind;
  }

  // A run of characters beyond ASCII, such as Chinese.
  bool foreign_word() {
    const size_t begin = at_;
    while (at_ < text_.size() && (text_[at_] & 0x80) != 0) ++at_;
    push(TokenKind::word, std::string(text_.substr(begin, at_ - begin)));
    return true;
  }

  bool command() {
    ++at_;
    const size_t begin = at_;
    while (letter_at(at_)) ++at_;
    if (at_ == begin) return backslashed_symbol();
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (name != "text") {
      push(TokenKind::command, command_name(name));
      return true;
    }
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    if (at_ < text_.size() && text_[at_] == '{') {
      ++at_;
      upright_.push_back(true);
      wrappers_.push_back(upright_.size());
    }
    return true;
  }

  bool backslashed_symbol() {
    if (at_ >= text_.size()) return false;
    const char c = text_[at_++];
    if (c != '{' && c != '}' && c != '\\' && c != '|') return false;
    push(TokenKind::symbol, c == '|' ? "|" : std::string("\\") + c);
    return true;
  }

  bool symbol() {
    constexpr std::string_view known = "+-*/^_()[]{},;:=<>|!%'&.?#";
    for (const std::string_view two : {"<=", ">=", "!=", "=="}) {
      if (!text_.substr(at_).starts_with(two)) continue;
      at_ += 2;
      push(TokenKind::symbol, two == "==" ? "=" : std::string(two));
      return true;
    }
    if (text_.substr(at_).starts_with("...")) {
      at_ += 3;
      push(TokenKind::symbol, "...");
      return true;
    }
    const char c = text_[at_];
    if (known.find(c) == std::string_view::npos) return false;
    ++at_;
    if (c == '{') upright_.push_back(upright());
    if (c == '}') {
      if (upright_.empty()) return false;
      const bool wrapper = !wrappers_.empty() && wrappers_.back() == upright_.size();
      if (wrapper) wrappers_.pop_back();
      upright_.pop_back();
      if (wrapper) {
        spaced_ = true;
        return true;
      }
    }
    push(TokenKind::symbol, std::string(1, c));
    return true;
  }

  std::string_view text_;
  Commas commas_;
  size_t at_ = 0;
  bool spaced_ = false;
  std::vector<bool> upright_;     // one for each open brace
  std::vector<size_t> wrappers_;  // the depths at which a \text began
  std::vector<Token> tokens_;
};

}  // namespace

std::optional<std::vector<Token>> tokens_of(std::string_view spelled, Commas commas) {
  return Lexer(spelled, commas).tokens();
}

}  // namespace lanerope::answers
