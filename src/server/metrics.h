// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "lanerope/service_observer.h"

namespace lanerope::server {

// What /metrics says, in Prometheus' text form. Names have llama-server's stems, so that its dashboards port.
// Any thread may call any member.
class Metrics final : public ServiceObserver {
 public:
  Metrics();
  ~Metrics() override;

  void step_done(const Step& step) override;
  void first_token(double seconds) override;
  void group_finished(const FinishedGroup& group) override;
  void refused() override;
  void state(const EngineState& state) override;

  void unknown_fields(size_t count);

  std::string text() const;

 private:
  struct Instruments;
  std::unique_ptr<Instruments> instruments_;
};

}  // namespace lanerope::server
