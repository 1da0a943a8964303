// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>

namespace lanerope::hub {

// Held from construction to destruction, by one process or thread at a time; the system lets go of it when a
// process dies. It is flock(2) on a file that stays, which the hub's own library uses too.
class FileLock {
 public:
  // Waits until it is free: `busy` is called once before the wait, and `poll` some times a second during it,
  // whose exceptions end it. Throws SystemError where the file cannot be made. A file system without locks
  // locks nothing.
  FileLock(const std::filesystem::path& file, const std::function<void()>& busy,
           const std::function<void()>& poll);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // Whether somebody holds it now.
  static bool is_held(const std::filesystem::path& file);

 private:
  int descriptor_ = -1;
};

}  // namespace lanerope::hub
