// SPDX-License-Identifier: Apache-2.0
#include "data/mixture.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "lanerope/errors.h"

namespace lanerope::data {

namespace {

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Mixture Mixture::parse(std::string_view text, const Limits& limits) {
  const auto refuse = [&](const std::string& why) {
    throw InvalidRequest(std::string(limits.what) + " does not take '" + std::string(text) + "': " + why +
                         "; write a number, a range as in 2-8, or weights as in 1:0.5,4:0.5");
  };
  const auto read_value = [&](std::string_view digits) {
    int32_t value = 0;
    if (!read_number(digits, value)) refuse("'" + std::string(digits) + "' is not a whole number");
    if (value < limits.least || value > limits.largest) {
      refuse(std::to_string(value) + " is not within " + std::to_string(limits.least) + " to " +
             std::to_string(limits.largest));
    }
    return value;
  };

  Mixture mixture;
  const size_t dash = text.find('-');
  if (text.find_first_of(":,") == std::string_view::npos) {
    const int32_t first = read_value(text.substr(0, dash));
    const int32_t last = dash == std::string_view::npos ? first : read_value(text.substr(dash + 1));
    if (first > last) refuse("the range ends before it starts");
    for (int32_t value = first; value <= last; ++value) mixture.entries_.push_back({.value = value});
    return mixture;
  }
  mixture.counts_ = true;
  double sum = 0;
  for (std::string_view rest = text; true;) {
    const size_t comma = rest.find(',');
    const std::string_view entry = rest.substr(0, comma);
    const size_t colon = entry.find(':');
    if (colon == std::string_view::npos) refuse("'" + std::string(entry) + "' has no weight");
    const std::string_view weight_text = entry.substr(colon + 1);
    double weight = 0;
    if (!read_number(weight_text, weight) || !std::isfinite(weight) || weight < 0 || weight > 1e12) {
      refuse("'" + std::string(weight_text) + "' is not a weight");
    }
    int64_t count = 0;
    mixture.counts_ = mixture.counts_ && read_number(weight_text, count);
    mixture.entries_.push_back({.value = read_value(entry.substr(0, colon)), .weight = weight});
    sum += weight;
    if (comma == std::string_view::npos) break;
    rest = rest.substr(comma + 1);
  }
  if (sum <= 0) refuse("all weights are 0");
  return mixture;
}

int32_t Mixture::draw(RandomStream& random) const {
  double sum = 0;
  for (const Entry& entry : entries_) sum += entry.weight;
  double left = random.unit() * sum;
  for (const Entry& entry : entries_) {
    if (left < entry.weight) return entry.value;
    left -= entry.weight;
  }
  // Rounding may leave a rest behind the last weight.
  for (size_t i = entries_.size(); i > 0; --i) {
    if (entries_[i - 1].weight > 0) return entries_[i - 1].value;
  }
  return entries_.back().value;
}

int32_t Mixture::largest() const {
  return std::ranges::max(entries_, {}, &Entry::value).value;
}

int64_t Mixture::total_count() const {
  int64_t total = 0;
  if (counts_) {
    for (const Entry& entry : entries_) total += static_cast<int64_t>(entry.weight);
  }
  return total;
}

std::vector<int32_t> Mixture::shuffled_counts(RandomStream& random) const {
  std::vector<int32_t> values;
  for (const Entry& entry : entries_) {
    if (counts_) values.insert(values.end(), static_cast<size_t>(entry.weight), entry.value);
  }
  random.shuffle(std::span(values));
  return values;
}

}  // namespace lanerope::data
