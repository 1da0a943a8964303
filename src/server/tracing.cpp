// SPDX-License-Identifier: Apache-2.0
#include "server/tracing.h"

#include <opentelemetry/exporters/otlp/otlp_http_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_exporter_options.h>
#include <opentelemetry/sdk/common/global_log_handler.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/batch_span_processor_factory.h>
#include <opentelemetry/sdk/trace/batch_span_processor_options.h>
#include <opentelemetry/sdk/trace/samplers/always_on.h>
#include <opentelemetry/sdk/trace/samplers/parent.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/sdk/trace/tracer_provider_factory.h>
#include <opentelemetry/trace/propagation/http_trace_context.h>
#include <opentelemetry/trace/tracer.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>

#include "lanerope/errors.h"
#include "lanerope/model.h"
#include "lanerope/names.h"

namespace lanerope::server {

namespace {

namespace otel = opentelemetry;
namespace trace = opentelemetry::trace;
namespace sdk = opentelemetry::sdk;
namespace internal_log = opentelemetry::sdk::common::internal_log;
using Moment = FinishedGroup::Moment;

// The one header of a request that says to which trace it belongs.
class ParentCarrier final : public otel::context::propagation::TextMapCarrier {
 public:
  explicit ParentCarrier(std::string_view parent) : parent_(parent) {}
  otel::nostd::string_view Get(otel::nostd::string_view key) const noexcept override {
    if (key != trace::propagation::kTraceParent) return {};
    return {parent_.data(), parent_.size()};
  }
  void Set(otel::nostd::string_view, otel::nostd::string_view) noexcept override {}

 private:
  std::string_view parent_;
};

otel::context::Context context_of(const std::string& trace_parent) {
  otel::context::Context none;
  return trace::propagation::HttpTraceContext().Extract(ParentCarrier(trace_parent), none);
}

// The library logs to the standard error; a server says it once and in one sentence.
class Complaint final : public internal_log::LogHandler {
 public:
  explicit Complaint(const TracingOptions& options) : options_(options) {}
  void Handle(internal_log::LogLevel level, const char*, int, const char*,
              const sdk::common::AttributeMap&) noexcept override try {
    if (level != internal_log::LogLevel::Error || !options_.complain || said_.exchange(true)) return;
    options_.complain("lanerope: the collector at " + options_.endpoint +
                      " does not take spans, which are lost; is it there, and does it take OTLP over HTTP?");
  } catch (...) {
    // A complaint that cannot be made is the smaller harm.
  }

 private:
  const TracingOptions options_;
  std::atomic<bool> said_ = false;
};

std::string address_of_spans(std::string endpoint) {
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint.ends_with("/v1/traces") ? endpoint : endpoint + "/v1/traces";
}

// When a moment was, on the clock that other programs have.
std::chrono::system_clock::time_point wall_time(Moment moment) {
  const auto ago = std::chrono::steady_clock::now() - moment;
  return std::chrono::system_clock::now() -
         std::chrono::duration_cast<std::chrono::system_clock::duration>(ago);
}

trace::StartSpanOptions starting(Moment moment) {
  trace::StartSpanOptions options;
  options.start_steady_time = otel::common::SteadyTimestamp(moment);
  options.start_system_time = otel::common::SystemTimestamp(wall_time(moment));
  return options;
}

void end(trace::Span& span, Moment moment) {
  trace::EndSpanOptions options;
  options.end_steady_time = otel::common::SteadyTimestamp(moment);
  span.End(options);
}

otel::nostd::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

void describe(trace::Span& span, const FinishedGroup& group) {
  const GroupResult& result = group.result;
  int64_t generated = 0;
  for (const LaneResult& lane : result.lanes) generated += lane.generated;
  span.SetAttribute("gen_ai.usage.input_tokens", int64_t{result.prompt_tokens});
  span.SetAttribute("gen_ai.usage.output_tokens", generated);
  span.SetAttribute("lanerope.group", view(group.public_id));
  span.SetAttribute("lanerope.request_id", view(group.request.asked.request_id));
  span.SetAttribute("lanerope.lanes", static_cast<int64_t>(result.lanes.size()));
  span.SetAttribute("lanerope.coupling", view(name(group.request.coupling.kind)));
  span.SetAttribute("lanerope.steps", int64_t{result.clock});
  span.SetAttribute("lanerope.cached_prompt_tokens", int64_t{result.cached_prompt_tokens});
  span.SetAttribute("lanerope.selected", int64_t{result.selected});
}

}  // namespace

struct Tracing::Exporter {
  std::string model;
  std::unique_ptr<sdk::trace::TracerProvider> provider;
  otel::nostd::shared_ptr<trace::Tracer> tracer;

  void span(std::string_view name, const trace::SpanContext& parent, std::pair<Moment, Moment> when) {
    trace::StartSpanOptions options = starting(when.first);
    options.parent = parent;
    end(*tracer->StartSpan(view(name), options), when.second);
  }
};

Tracing::Tracing(const TracingOptions& options, ServiceObserver& next)
    : next_(next), exporter_(std::make_unique<Exporter>()) {
  if (!options.endpoint.starts_with("http://") && !options.endpoint.starts_with("https://"))
    throw InvalidRequest("\"" + options.endpoint +
                         "\" is no address of a collector; write one such as http://127.0.0.1:4318");
  internal_log::GlobalLogHandler::SetLogHandler(
      otel::nostd::shared_ptr<internal_log::LogHandler>(new Complaint(options)));
  otel::exporter::otlp::OtlpHttpExporterOptions how;
  how.url = address_of_spans(options.endpoint);
  how.content_type = otel::exporter::otlp::HttpRequestContentType::kJson;
  how.timeout = std::chrono::seconds(5);
  const auto resource = sdk::resource::Resource::Create(
      {{"service.name", "lanerope"}, {"service.version", std::string(version())}});
  exporter_->model = options.model;
  exporter_->provider = sdk::trace::TracerProviderFactory::Create(
      sdk::trace::BatchSpanProcessorFactory::Create(
          otel::exporter::otlp::OtlpHttpExporterFactory::Create(how),
          sdk::trace::BatchSpanProcessorOptions()),
      resource,
      // A client that does not sample its trace gets no spans of ours in it.
      std::make_unique<sdk::trace::ParentBasedSampler>(std::make_shared<sdk::trace::AlwaysOnSampler>()));
  exporter_->tracer = exporter_->provider->GetTracer("lanerope");
}

Tracing::~Tracing() {
  exporter_->provider->Shutdown(std::chrono::seconds(1));
}

//   group  |------------------------------------------------|
//   queue  |------|
//   prefill       |-------|
//   decode                |-----------------------|
//   select                                        |---------|
void Tracing::group_finished(const FinishedGroup& group) {
  next_.group_finished(group);
  trace::StartSpanOptions options = starting(group.submitted);
  options.parent = context_of(group.request.asked.trace_parent);
  options.kind = trace::SpanKind::kServer;
  const auto whole = exporter_->tracer->StartSpan("group", options);
  describe(*whole, group);
  whole->SetAttribute("gen_ai.request.model", view(exporter_->model));
  if (group.result.error) whole->SetStatus(trace::StatusCode::kError, "the group failed");
  const trace::SpanContext parent = whole->GetContext();
  exporter_->span("queue", parent, {group.submitted, group.begun});
  exporter_->span("prefill", parent, {group.begun, group.read});
  exporter_->span("decode", parent, {group.read, group.written});
  exporter_->span("select", parent, {group.written, group.ended});
  end(*whole, group.ended);
}

}  // namespace lanerope::server
