// SPDX-License-Identifier: Apache-2.0
#include "cli/serve_workers.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/start_again.h"
#include "lanerope/workers.h"

namespace lanerope::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto between_tries = 2s;
constexpr auto for_replies = 3s;

// Until it is so, or for as long as that.
void wait_for(std::chrono::milliseconds patience, const std::function<bool()>& so) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!so() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(20ms);
}

// On the thread of ggml's that noticed; the engine's waits for it and will for ever. ggml keeps a connection
// for as long as anything of the model's is alive, and what is stuck cannot be destroyed, so there is no way
// back within this process.
void end_and_start_again(server::Server& server, const std::string& sentence) {
  print_note("lanerope: error: " + sentence + "; starting again");
  server.abandon(sentence + "; the server starts again and waits for it");
  static std::atomic<bool> stopped = false;
  std::thread([&server] {
    server.stop();  // once the replies that are being written are
    stopped = true;
  }).detach();
  wait_for(for_replies, [] { return stopped.load(); });
  if (InterruptGuard::interrupted()) InterruptGuard::leave(exit_system_error);
  start_again();
}

}  // namespace

std::shared_ptr<const Model> load_with_workers(const ModelFlags& flags, server::Server& server) {
  if (flags.placement.workers.empty()) return load_model(flags);
  on_worker_lost([&server](const std::string& sentence) { end_and_start_again(server, sentence); });
  std::string said;
  while (!InterruptGuard::interrupted()) {
    try {
      return load_model(flags);
    } catch (const WorkerAway& away) {
      const std::string sentence = std::string(away.what()) + "; trying again";
      if (sentence != said) print_note("lanerope: " + sentence);
      said = sentence;
      server.set_reason(sentence);
    }
    wait_for(between_tries, InterruptGuard::interrupted);
  }
  return nullptr;
}

}  // namespace lanerope::cli
