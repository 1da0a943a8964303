// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "lanerope/service_observer.h"

namespace lanerope::server {

struct TracingOptions {
  // Of an OpenTelemetry collector that takes OTLP over HTTP, "http://127.0.0.1:4318"; empty: no spans.
  std::string endpoint = {};
  std::string model = {};                               // what spans call it
  std::function<void(std::string_view)> complain = {};  // told once where the collector takes nothing
};

// A span for each group that has ended, with one for its time in the queue, the reading of its prompt, the
// writing and the selection below it, as part of the trace that its client named. A thread of its own sends
// them every few seconds, so that the engine never waits for the collector; spans that cannot be sent are
// lost. Hands everything on to `next`, which must outlive it.
class Tracing final : public ServiceObserver {
 public:
  // Throws InvalidRequest where this build has no OpenTelemetry, or the endpoint is no address.
  Tracing(const TracingOptions& options, ServiceObserver& next);
  ~Tracing() override;  // sends what is left, for a second at most

  void step_done(const Step& step) override { next_.step_done(step); }
  void first_token(double seconds) override { next_.first_token(seconds); }
  void group_finished(const FinishedGroup& group) override;
  void refused() override { next_.refused(); }
  void state(const EngineState& state) override { next_.state(state); }

 private:
  struct Exporter;
  ServiceObserver& next_;
  std::unique_ptr<Exporter> exporter_;
};

}  // namespace lanerope::server
