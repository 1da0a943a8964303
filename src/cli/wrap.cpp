// SPDX-License-Identifier: Apache-2.0
#include "cli/wrap.h"

#include <algorithm>
#include <ftxui/screen/string.hpp>

#include "cli/output.h"

namespace lanerope::cli {

namespace {

// Enough of the end of `text` to fill the lines, starting at a character.
std::string_view enough(std::string_view text, WrapSize size) {
  constexpr size_t bytes_per_cell = 4;
  const size_t most = static_cast<size_t>(size.width) * (size.lines + 1) * bytes_per_cell;
  if (text.size() <= most) return text;
  text.remove_prefix(text.size() - most);
  while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xc0) == 0x80) text.remove_prefix(1);
  return text;
}

void wrap_line(std::string_view line, int width, std::vector<std::string>& out) {
  std::string current;
  int cells = 0;
  size_t space = std::string::npos;  // behind the last space of `current`
  for (const std::string& glyph : ftxui::Utf8ToGlyphs(std::string(line))) {
    const int glyph_cells = ftxui::string_width(glyph);
    if (cells + glyph_cells > width) {
      const bool at_space = space != std::string::npos && glyph != " ";
      const std::string rest = at_space ? current.substr(space) : "";
      out.push_back(at_space ? current.substr(0, space) : current);
      current = rest;
      cells = ftxui::string_width(rest);
      space = std::string::npos;
      if (glyph == " ") continue;
    }
    current += glyph;
    cells += glyph_cells;
    if (glyph == " ") space = current.size();
  }
  out.push_back(current);
}

}  // namespace

std::vector<std::string> wrap_tail(std::string_view text, WrapSize size) {
  size.width = std::max(size.width, 2);
  size.lines = std::max(size.lines, 1);
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::string clean = without_controls(enough(text, size));
  std::replace(clean.begin(), clean.end(), '\t', ' ');
  std::vector<std::string> lines;
  size_t start = 0;
  while (start <= clean.size()) {
    const size_t end = std::min(clean.find('\n', start), clean.size());
    wrap_line(std::string_view(clean).substr(start, end - start), size.width, lines);
    start = end + 1;
  }
  const auto extra = static_cast<std::ptrdiff_t>(lines.size()) - size.lines;
  if (extra > 0) lines.erase(lines.begin(), lines.begin() + extra);
  return lines;
}

std::string fit(std::string_view text, int width) {
  std::string clean = without_controls(text);
  std::replace(clean.begin(), clean.end(), '\n', ' ');
  if (ftxui::string_width(clean) <= width) return clean;
  std::string cut;
  int cells = 0;
  for (const std::string& glyph : ftxui::Utf8ToGlyphs(clean)) {
    cells += ftxui::string_width(glyph);
    if (cells > width - 1) break;
    cut += glyph;
  }
  return cut + "…";
}

}  // namespace lanerope::cli
