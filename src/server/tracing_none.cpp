// SPDX-License-Identifier: Apache-2.0
// A build without OpenTelemetry.
#include "lanerope/errors.h"
#include "server/tracing.h"

namespace lanerope::server {

struct Tracing::Exporter {};

Tracing::Tracing(const TracingOptions&, ServiceObserver& next) : next_(next) {
  throw InvalidRequest(
      "this lanerope was built without OpenTelemetry and sends no spans; leave out --otlp, or build it where "
      "opentelemetry-cpp is installed");
}

Tracing::~Tracing() = default;

void Tracing::group_finished(const FinishedGroup& group) {
  next_.group_finished(group);
}

}  // namespace lanerope::server
