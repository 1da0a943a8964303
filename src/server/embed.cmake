# SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=FILE -DFUNCTION=NAME -DASSETS="path|type|file;..." -P embed.cmake: writes the files as a C++ source that defines
# a function of page_assets.h.
set(arrays "")
set(entries "")
set(index 0)
foreach(asset IN LISTS ASSETS)
  string(REPLACE "|" ";" fields "${asset}")
  list(GET fields 0 path)
  list(GET fields 1 type)
  list(GET fields 2 file)
  string(REPLACE "," ";" type "${type}")
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "constexpr unsigned char file_${index}[] = {\n${bytes}};\n\n")
  string(APPEND entries "    {\"${path}\", \"${type}\", text(file_${index})},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE "${OUTPUT}" "// Made by src/server/embed.cmake.
#include \"server/page_assets.h\"

namespace lanerope::server {

namespace {

${arrays}template <size_t N>
[[maybe_unused]] std::string_view text(const unsigned char (&bytes)[N]) {
  return {reinterpret_cast<const char*>(bytes), N};
}

}  // namespace

std::vector<PageAsset> ${FUNCTION}() {
  return {
${entries}  };
}

}  // namespace lanerope::server
")
