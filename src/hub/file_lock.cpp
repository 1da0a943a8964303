// SPDX-License-Identifier: Apache-2.0
#include "hub/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

bool taken_by_another(int descriptor) {
  return flock(descriptor, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR);
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& file, const std::function<void()>& busy,
                   const std::function<void()>& poll) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  descriptor_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0)
    throw SystemError(file.string() + " cannot be written (" + std::strerror(errno) +
                      "); check the permissions of the directory, or name another in HF_HOME");
  if (!taken_by_another(descriptor_)) return;
  try {
    busy();
    do {
      poll();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    } while (taken_by_another(descriptor_));
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

FileLock::~FileLock() {
  close(descriptor_);
}

bool FileLock::is_held(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool held = taken_by_another(descriptor);
  close(descriptor);
  return held;
}

}  // namespace lanerope::hub
