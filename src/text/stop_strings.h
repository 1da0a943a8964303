// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::text {

// Ends a stream of text before the first stop string in it. Does not depend on how the text is cut into
// pieces: the stop string that is complete first ends the text, and of several that end at the same byte the
// longest.
class StopStrings {
 public:
  // Throws InvalidRequest for a stop string that is empty or not UTF-8.
  explicit StopStrings(std::vector<std::string> stops);

  struct Result {
    std::string text;  // may be shown now; what could be the beginning of a stop string is held back
    std::optional<size_t> stopped;  // index of the stop string that was found; the text ends before it
  };
  // Not to be called after one has been found. Pieces of whole characters give pieces of whole characters.
  Result push(std::string_view piece);

  // At the end of the stream: what was held back.
  std::string flush();
  bool holds() const { return !held_.empty(); }  // something back

 private:
  // Knuth, Morris, Pratt: how much of the stop string the end of the stream matches.
  struct Matcher {
    std::string stop;
    std::vector<size_t> fallback;  // [stop.size()] longest proper border of each prefix
    size_t matched = 0;

    void advance(char byte);
  };

  std::vector<Matcher> matchers_;
  std::string held_;
};

}  // namespace lanerope::text
