// SPDX-License-Identifier: Apache-2.0
#include "hub/known_digest.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "hub/cache.h"
#include "hub/digest.h"
#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

namespace fs = std::filesystem;

constexpr size_t most_remembered = 1000;

// What changes when a file's bytes do.
std::string identity_of(const fs::path& file) {
  struct stat facts = {};
  if (stat(file.c_str(), &facts) != 0)
    throw SystemError(file.string() + " cannot be read; check that it exists and that you may read it");
  std::ostringstream text;
  text << facts.st_dev << ' ' << facts.st_ino << ' ' << facts.st_size << ' ' << facts.st_mtim.tv_sec << ' '
       << facts.st_mtim.tv_nsec;
  return text.str();
}

// A link into the blobs of the hub's cache names the digest of what it leads to.
std::string in_name(const fs::path& file) {
  std::error_code error;
  const fs::path target = fs::read_symlink(file, error);
  const std::string name = target.filename();
  const bool blob = !error && name.size() == 64 && is_oid(name) && target.parent_path().filename() == "blobs";
  return blob ? name : std::string();
}

std::vector<std::string> remembered(const fs::path& memory) {
  std::vector<std::string> lines;
  std::ifstream stream(memory);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Lines "SHA256 IDENTITY", the newest last. A memory that cannot be written is done without.
void remember(const fs::path& memory, const std::string& line) {
  std::vector<std::string> lines = remembered(memory);
  if (lines.size() >= most_remembered) lines.erase(lines.begin(), lines.begin() + most_remembered / 2);
  lines.push_back(line);
  std::error_code ignored;
  fs::create_directories(memory.parent_path(), ignored);
  const fs::path fresh = memory.string() + "." + std::to_string(getpid());
  std::ofstream stream(fresh);
  for (const std::string& each : lines) stream << each << '\n';
  stream.close();
  fs::rename(fresh, memory, ignored);
}

}  // namespace

std::string sha256_of(const fs::path& file, const Settings& settings) {
  if (std::string digest = in_name(file); !digest.empty()) return digest;
  const std::string identity = identity_of(file);
  for (const std::string& line : remembered(settings.digests)) {
    if (line.size() > 65 && line.substr(65) == identity) return line.substr(0, 64);
  }
  std::string digest = digest_file(file.string()).sha256;
  remember(settings.digests, digest + " " + identity);
  return digest;
}

}  // namespace lanerope::hub
