// SPDX-License-Identifier: Apache-2.0
#include "text/stop_strings.h"

#include <algorithm>
#include <utility>

#include "lanerope/errors.h"
#include "text/utf8.h"

namespace lanerope::text {

StopStrings::StopStrings(std::vector<std::string> stops) {
  for (std::string& stop : stops) {
    if (stop.empty()) throw InvalidRequest("a stop string is empty; leave it out");
    if (!is_utf8(stop)) throw InvalidRequest("the stop string " + quoted(stop) + " is not UTF-8; correct it");
    std::vector<size_t> fallback(stop.size(), 0);
    for (size_t i = 1, border = 0; i < stop.size(); ++i) {
      while (border > 0 && stop[i] != stop[border]) border = fallback[border - 1];
      if (stop[i] == stop[border]) ++border;
      fallback[i] = border;
    }
    matchers_.push_back({.stop = std::move(stop), .fallback = std::move(fallback)});
  }
}

void StopStrings::Matcher::advance(char byte) {
  while (matched > 0 && byte != stop[matched]) matched = fallback[matched - 1];
  if (byte == stop[matched]) ++matched;
}

StopStrings::Result StopStrings::push(std::string_view piece) {
  for (size_t i = 0; i < piece.size(); ++i) {
    std::optional<size_t> found;
    for (size_t k = 0; k < matchers_.size(); ++k) {
      Matcher& matcher = matchers_[k];
      matcher.advance(piece[i]);
      const bool complete = matcher.matched == matcher.stop.size();
      if (complete && (!found || matcher.matched > matchers_[*found].matched)) found = k;
    }
    if (found) {
      held_ += piece.substr(0, i + 1);
      held_.resize(held_.size() - matchers_[*found].stop.size());
      return {.text = std::exchange(held_, {}), .stopped = found};
    }
  }
  held_ += piece;
  size_t hold = 0;
  for (const Matcher& matcher : matchers_) hold = std::max(hold, matcher.matched);
  std::string text = held_.substr(0, held_.size() - hold);
  held_.erase(0, text.size());
  return {.text = std::move(text), .stopped = std::nullopt};
}

std::string StopStrings::flush() {
  for (Matcher& matcher : matchers_) matcher.matched = 0;
  return std::exchange(held_, {});
}

}  // namespace lanerope::text
