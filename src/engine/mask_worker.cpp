// SPDX-License-Identifier: Apache-2.0
#include "engine/mask_worker.h"

#include <exception>
#include <utility>

namespace lanerope::engine {

MaskWorker::~MaskWorker() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void MaskWorker::start(std::vector<Lane*> lanes) {
  if (lanes.empty()) return;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  {
    const std::lock_guard lock(mutex_);
    lanes_ = std::move(lanes);
    busy_ = true;
  }
  changed_.notify_all();
}

void MaskWorker::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
}

void MaskWorker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return busy_ || over_; });
    if (over_) return;
    const std::vector<Lane*> lanes = std::exchange(lanes_, {});
    lock.unlock();
    for (Lane* lane : lanes) {
      try {
        lane->make_mask();
      } catch (const std::exception&) {  // it is made again where it is used, and fails there
        continue;
      }
    }
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace lanerope::engine
