// SPDX-License-Identifier: Apache-2.0
#include "train/files/whole_file.h"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <system_error>

#include "lanerope/errors.h"

namespace lanerope::train {

std::string read_whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad()) {
    throw SystemError(path + " cannot be read; check that it exists and that you may read it");
  }
  return bytes;
}

void write_whole_file(const std::string& path, std::string_view bytes) {
  const std::string partial = path + ".part";
  std::ofstream file(partial, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file && std::rename(partial.c_str(), path.c_str()) == 0) return;
  const int reason = errno;
  std::remove(partial.c_str());
  throw SystemError(path + " cannot be written: " + std::generic_category().message(reason) +
                    "; free some space or write elsewhere");
}

}  // namespace lanerope::train
