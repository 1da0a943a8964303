// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/lane.h"

namespace lanerope::engine {

// A thread that makes the masks of lanes with a format while the model computes. It begins with the first
// lane that it is given.
class MaskWorker {
 public:
  MaskWorker() = default;
  ~MaskWorker();
  MaskWorker(const MaskWorker&) = delete;
  MaskWorker& operator=(const MaskWorker&) = delete;

  // Begins with these; nobody else touches them until wait() returns.
  void start(std::vector<Lane*> lanes);
  void wait();

 private:
  void run();

  std::thread thread_ = {};
  std::mutex mutex_ = {};
  std::condition_variable changed_ = {};
  std::vector<Lane*> lanes_ = {};
  bool busy_ = false;
  bool over_ = false;
};

}  // namespace lanerope::engine
