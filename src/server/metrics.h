// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "lanerope/engine.h"

namespace lanerope::server {

// What /metrics says, in Prometheus' text form. Names have llama-server's stems, so that its dashboards port.
// Any thread may call any member.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  struct Step {
    double seconds = 0;
    int32_t lanes = 0;  // that were fed
  };
  void step_done(const Step& step);
  void prompt_read(double queue_seconds, double seconds);
  void first_token(double seconds);
  // `budget`: of each lane, to tell what a consensus saved.
  void group_finished(const GroupResult& result, int32_t budget);
  void refused();
  void state(const EngineState& state);

  std::string text() const;

 private:
  struct Instruments;
  std::unique_ptr<Instruments> instruments_;
};

}  // namespace lanerope::server
