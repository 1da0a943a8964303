// SPDX-License-Identifier: Apache-2.0
#include "answers/units.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <vector>

#include "answers/characters.h"

namespace lanerope::answers {

namespace {

struct Known {
  std::string_view name;
  std::string_view measures;
  int power;
  long top;
  long bottom;
};

// Names of two letters and more without their plural "s".
constexpr std::array known_units = {
    Known{"m", "length", 1, 1, 1},
    Known{"meter", "length", 1, 1, 1},
    Known{"metre", "length", 1, 1, 1},
    Known{"dm", "length", 1, 1, 10},
    Known{"cm", "length", 1, 1, 100},
    Known{"centimeter", "length", 1, 1, 100},
    Known{"centimetre", "length", 1, 1, 100},
    Known{"mm", "length", 1, 1, 1000},
    Known{"millimeter", "length", 1, 1, 1000},
    Known{"nm", "length", 1, 1, 1000000000},
    Known{"km", "length", 1, 1000, 1},
    Known{"kilometer", "length", 1, 1000, 1},
    Known{"kilometre", "length", 1, 1000, 1},
    Known{"in", "length", 1, 127, 5000},
    Known{"inch", "length", 1, 127, 5000},
    Known{"ft", "length", 1, 381, 1250},
    Known{"foot", "length", 1, 381, 1250},
    Known{"yd", "length", 1, 1143, 1250},
    Known{"yard", "length", 1, 1143, 1250},
    Known{"mi", "length", 1, 201168, 125},
    Known{"mile", "length", 1, 201168, 125},
    Known{"l", "length", 3, 1, 1000},
    Known{"liter", "length", 3, 1, 1000},
    Known{"litre", "length", 3, 1, 1000},
    Known{"ml", "length", 3, 1, 1000000},
    Known{"milliliter", "length", 3, 1, 1000000},
    Known{"cl", "length", 3, 1, 100000},
    Known{"g", "mass", 1, 1, 1000},
    Known{"gram", "mass", 1, 1, 1000},
    Known{"kg", "mass", 1, 1, 1},
    Known{"kilogram", "mass", 1, 1, 1},
    Known{"mg", "mass", 1, 1, 1000000},
    Known{"lb", "mass", 1, 45359237, 100000000},
    Known{"pound", "mass", 1, 45359237, 100000000},
    Known{"oz", "mass", 1, 45359237, 1600000000},
    Known{"ounce", "mass", 1, 45359237, 1600000000},
    Known{"s", "time", 1, 1, 1},
    Known{"sec", "time", 1, 1, 1},
    Known{"second", "time", 1, 1, 1},
    Known{"ms", "time", 1, 1, 1000},
    Known{"min", "time", 1, 60, 1},
    Known{"minute", "time", 1, 60, 1},
    Known{"h", "time", 1, 3600, 1},
    Known{"hr", "time", 1, 3600, 1},
    Known{"hour", "time", 1, 3600, 1},
    Known{"day", "time", 1, 86400, 1},
    Known{"week", "time", 1, 604800, 1},
    Known{"month", "months", 1, 1, 1},
    Known{"yr", "months", 1, 12, 1},
    Known{"year", "months", 1, 12, 1},
    Known{"dollar", "dollar", 1, 1, 1},
    Known{"usd", "dollar", 1, 1, 1},
    Known{"cent", "dollar", 1, 1, 100},
    Known{"buck", "dollar", 1, 1, 1},
    Known{"euro", "euro", 1, 1, 1},
    Known{"eur", "euro", 1, 1, 1},
    Known{"gbp", "sterling", 1, 1, 1},
    Known{"yuan", "yuan", 1, 1, 1},
    Known{"degree", "degree", 1, 1, 1},
    Known{"deg", "degree", 1, 1, 1},
    Known{"rad", "radian", 1, 1, 1},
    Known{"radian", "radian", 1, 1, 1},
    Known{"hz", "time", -1, 1, 1},
    Known{"khz", "time", -1, 1000, 1},
    Known{"mhz", "time", -1, 1000000, 1},
    Known{"kj", "J", 1, 1000, 1},
    Known{"ev", "eV", 1, 1, 1},
    Known{"kev", "eV", 1, 1000, 1},
    Known{"kw", "W", 1, 1000, 1},
    Known{"pa", "Pa", 1, 1, 1},
    Known{"kpa", "Pa", 1, 1000, 1},
    Known{"mol", "mol", 1, 1, 1},
    Known{"mole", "mol", 1, 1, 1},
    Known{"joule", "J", 1, 1, 1},
    Known{"newton", "N", 1, 1, 1},
    Known{"watt", "W", 1, 1, 1},
    Known{"volt", "V", 1, 1, 1},
    Known{"kn", "N", 1, 1000, 1},
    Known{"ohm", "ohm", 1, 1, 1},
    Known{"am", "am", 1, 1, 1},
    Known{"pm", "pm", 1, 1, 1},
    Known{"dozen", "dozen", 1, 1, 1},
};

std::string singular(std::string_view word) {
  if (word == "feet") return "foot";
  if (word == "inches") return "inch";
  if (word.size() > 3 && word.ends_with("ches")) word.remove_suffix(2);
  if (word.size() > 2 && word.ends_with('s') && !word.ends_with("ss")) word.remove_suffix(1);
  return std::string(word);
}

const Known* find_known(std::string_view word) {
  // The case tells kelvin and newton from lengths and times, of single letters.
  if (word.size() == 1 && word != "L" && std::isupper(static_cast<unsigned char>(word[0])) != 0)
    return nullptr;
  const std::string name = lower(word);
  const auto named = [](std::string_view wanted) {
    const auto* found = std::ranges::find(known_units, wanted, &Known::name);
    return found == known_units.end() ? nullptr : found;
  };
  const Known* found = named(name);
  return found != nullptr ? found : named(singular(name));
}

struct Piece {
  std::string word;
  int power;
};

// Words with their powers: "km/h", "m s^-2", "square feet", "miles per hour".
std::vector<Piece> pieces_of(std::string_view text) {
  std::vector<Piece> pieces;
  int sign = 1;
  int next_power = 1;
  size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '/') sign = -1;
    if (c == '^') {
      ++at;
      const bool minus = at < text.size() && text[at] == '-';
      if (minus) ++at;
      if (!pieces.empty() && at < text.size() && text[at] >= '0' && text[at] <= '9')
        pieces.back().power *= (minus ? -1 : 1) * (text[at] - '0');
      ++at;
      continue;
    }
    const auto in_word = [](char w) {
      return std::isalpha(static_cast<unsigned char>(w)) != 0 || (w & 0x80) != 0;
    };
    if (!in_word(c)) {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (at < text.size() && in_word(text[at])) ++at;
    const std::string word(text.substr(begin, at - begin));
    const std::string low = lower(word);
    if (low == "per") {
      sign = -1;
    } else if (low == "square" || low == "sq" || low == "cubic" || low == "cu") {
      next_power = low.starts_with('s') ? 2 : 3;
    } else if (low == "mph") {
      pieces.insert(pieces.end(), {{"mile", 1}, {"h", -1}});
    } else if (low == "kph" || low == "kmh") {
      pieces.insert(pieces.end(), {{"km", 1}, {"h", -1}});
    } else {
      pieces.push_back({.word = word, .power = sign * next_power});
      next_power = 1;
    }
  }
  return pieces;
}

}  // namespace

bool is_unit_name(std::string_view word) {
  return word.size() >= 2 && (find_known(word) != nullptr || word == "mph" || word == "kph" || word == "kmh");
}

bool is_unit_letter(std::string_view letter) {
  constexpr std::string_view letters = "mgshlLKNJWVATCF";
  return letter.size() == 1 && letters.find(letter) != std::string_view::npos;
}

Unit unit_of(std::string_view text) {
  const std::vector<Piece> pieces = pieces_of(text);
  std::map<std::string, int> powers;
  Unit unit;
  for (const Piece& piece : pieces) {
    const Known* known = find_known(piece.word);
    // "red apples", "bottles of milk": the noun alone names it.
    const bool letter = piece.word.size() == 1;
    if (known == nullptr && !letter) {
      const std::string head = singular(lower(pieces.back().word));
      return {.measures = head == "unit" ? std::string() : head, .size = Rational(1)};
    }
    powers[known != nullptr ? std::string(known->measures) : piece.word] +=
        known != nullptr ? piece.power * known->power : piece.power;
    if (known == nullptr) continue;
    const Rational size(known->top, known->bottom);
    for (int i = 0; i < std::min(std::abs(piece.power), 9); ++i) {
      unit.size = piece.power > 0 ? Rational(unit.size * size) : Rational(unit.size / size);
    }
  }
  for (const auto& [name, power] : powers) {
    if (power != 0) unit.measures += name + std::to_string(power);
  }
  return unit;
}

}  // namespace lanerope::answers
