// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "lanerope/workers.h"

namespace lanerope::cli {

namespace {

constexpr auto footer =
    "Examples:\n"
    "  lanerope rpc-worker                                    on this machine, for this machine\n"
    "  lanerope rpc-worker --host 10.8.0.2 --device Vulkan0   its address in a WireGuard network\n"
    "  lanerope run -m model.gguf --rpc 10.8.0.2:50052 \"...\"  on the other machine\n"
    "\n"
    "One program at a time computes here; it sends the weights, so no model is needed. docs/devices.md has "
    "recipes\n"
    "for WireGuard and ssh.";

bool is_loopback(const std::string& host) {
  return host == "localhost" || host.starts_with("127.");
}

int run(const WorkerOptions& options) {
  if (!is_loopback(options.host)) {
    print_note(
        "lanerope: WARNING: whoever reaches " + options.host +
        " can use this worker, read what others compute on it and crash it: ggml's RPC has no authentication "
        "and no encryption. Keep it inside WireGuard or ssh (docs/devices.md).");
  }
  // What ggml has to say of its clients is for its developers.
  if (std::freopen("/dev/null", "w", stdout) == nullptr)
    print_note("lanerope: note: /dev/null cannot be written to");
  const InterruptGuard guard;
  std::exception_ptr trouble;
  std::atomic<bool> ended = false;
  std::thread worker([&] {
    try {
      serve_worker(options, [](const WorkerReady& ready) {
        print_note("lanerope: lending " + CLI::detail::join(ready.devices, ", ") + " on " + ready.address);
      });
    } catch (...) {
      trouble = std::current_exception();
    }
    ended = true;
  });
  while (!InterruptGuard::interrupted() && !ended) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  // ggml's loop has no other end than the process's.
  if (!ended) _exit(exit_ok);
  worker.join();
  if (trouble) std::rethrow_exception(trouble);
  return exit_ok;
}

}  // namespace

Command add_rpc_worker(CLI::App& root) {
  auto options = std::make_shared<WorkerOptions>();
  CLI::App* app = root.add_subcommand("rpc-worker", "Lend this machine's devices to lanerope on another");
  app->footer(footer);
  app->add_option("--host", options->host, "Address to listen on (IPv4)")->capture_default_str();
  app->add_option("--port", options->port, "Port; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app->add_option(
         "--device", options->devices,
         "What is lent, of what lanerope run --list-devices prints (default: all GPUs, else the CPU)")
      ->type_name("NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->take_all();
  app->add_option("-t,--threads", options->threads, "Threads of the CPU (default: all cores)")
      ->type_name("N")
      ->check(CLI::Range(0, 4096));
  return {app, [options] { return run(*options); }};
}

}  // namespace lanerope::cli
