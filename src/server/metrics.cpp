// SPDX-License-Identifier: Apache-2.0
#include "server/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

namespace lanerope::server {

namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

prometheus::Counter& counter(prometheus::Registry& registry, const std::string& name,
                             const std::string& help) {
  return prometheus::BuildCounter().Name("lanerope:" + name).Help(help).Register(registry).Add({});
}

prometheus::Gauge& gauge(prometheus::Registry& registry, const std::string& name, const std::string& help) {
  return prometheus::BuildGauge().Name("lanerope:" + name).Help(help).Register(registry).Add({});
}

prometheus::Histogram& histogram(prometheus::Registry& registry, const std::string& name,
                                 const std::string& help) {
  const Buckets seconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
  return prometheus::BuildHistogram().Name("lanerope:" + name).Help(help).Register(registry).Add({}, seconds);
}

}  // namespace

struct Metrics::Instruments {
  prometheus::Registry registry;
  prometheus::Counter& prompt_tokens = counter(registry, "prompt_tokens_total", "Prompt tokens read");
  prometheus::Counter& cached_tokens =
      counter(registry, "prompt_tokens_cached_total", "Prompt tokens taken from kept prefixes");
  prometheus::Counter& prompt_seconds =
      counter(registry, "prompt_seconds_total", "Time spent reading prompts");
  prometheus::Counter& predicted = counter(registry, "tokens_predicted_total", "Tokens that lanes wrote");
  prometheus::Counter& predicted_seconds =
      counter(registry, "tokens_predicted_seconds_total", "Time that groups spent writing");
  prometheus::Counter& steps = counter(registry, "n_decode_total", "Batched steps");
  prometheus::Counter& lane_steps = counter(registry, "lane_steps_total", "Lanes fed, summed over the steps");
  prometheus::Counter& groups = counter(registry, "groups_total", "Groups that finished");
  prometheus::Counter& refused =
      counter(registry, "groups_refused_total", "Groups refused because the queue was full");
  prometheus::Counter& unknown =
      counter(registry, "request_fields_unknown_total", "Fields of requests that the server does not know");
  prometheus::Counter& consensus =
      counter(registry, "consensus_stops_total", "Groups ended by agreeing lanes");
  prometheus::Counter& saved = counter(registry, "tokens_saved_total",
                                       "Tokens of their budgets that lanes did not spend after a consensus");
  prometheus::Gauge& prompt_rate =
      gauge(registry, "prompt_tokens_seconds", "Prompt tokens per second, last group");
  prometheus::Gauge& predicted_rate =
      gauge(registry, "predicted_tokens_seconds", "Tokens per second of all its lanes, last group");
  prometheus::Counter& put_back = counter(registry, "groups_put_back_total",
                                          "Times that a group waited for cells in the midst of its text");
  prometheus::Counter& graph_builds = counter(
      registry, "graph_builds_total", "Graphs of operations built; none where steps repeat their shape");
  prometheus::Gauge& graph_nodes = gauge(registry, "graph_nodes", "Operations of the last step's graph");
  prometheus::Counter& device_bytes =
      counter(registry, "device_bytes_total", "Bytes of logits brought from the device that computed them");
  prometheus::Gauge& processing = gauge(registry, "requests_processing", "Groups that run");
  prometheus::Gauge& deferred = gauge(registry, "requests_deferred", "Groups that wait for cells");
  prometheus::Gauge& held = gauge(registry, "groups_held", "Finished groups kept for probes");
  prometheus::Gauge& lanes = gauge(registry, "lanes_live", "Lanes that write");
  prometheus::Gauge& lanes_per_step = gauge(registry, "lanes_per_step", "Lanes fed in the last step");
  prometheus::Gauge& busy =
      gauge(registry, "n_busy_slots_per_decode", "Lanes fed in a step, on average over all steps");
  prometheus::Gauge& longest =
      gauge(registry, "n_tokens_max", "Most tokens that a lane has had so far, its prompt included");
  prometheus::Gauge& cells_used = gauge(registry, "kv_cells_used", "KV cells held by groups");
  prometheus::Gauge& cells_free = gauge(registry, "kv_cells_free", "KV cells free, kept prefixes included");
  prometheus::Gauge& cells_kept = gauge(registry, "kv_cells_kept", "KV cells of kept prefixes");
  prometheus::Histogram& queue =
      histogram(registry, "queue_seconds", "From the request to the start of its prompt");
  prometheus::Histogram& first =
      histogram(registry, "first_token_seconds", "From the request to its first token");
  prometheus::Histogram& step = histogram(registry, "step_seconds", "Duration of one batched step");
};

Metrics::Metrics() : instruments_(std::make_unique<Instruments>()) {}
Metrics::~Metrics() = default;

void Metrics::step_done(const Step& step) {
  instruments_->steps.Increment();
  instruments_->lane_steps.Increment(step.lanes);
  instruments_->lanes_per_step.Set(step.lanes);
  instruments_->busy.Set(instruments_->lane_steps.Value() / instruments_->steps.Value());
  instruments_->step.Observe(step.seconds);
}

void Metrics::first_token(double seconds) {
  instruments_->first.Observe(seconds);
}

void Metrics::group_finished(const FinishedGroup& group) {
  const GroupResult& result = group.result;
  const std::chrono::duration<double> queued = group.begun - group.submitted;
  instruments_->queue.Observe(queued.count());
  instruments_->prompt_seconds.Increment(std::max(result.prefill_seconds, 0.0));
  instruments_->groups.Increment();
  const int32_t read = result.prompt_tokens - result.cached_prompt_tokens;
  instruments_->prompt_tokens.Increment(std::max(read, 0));
  instruments_->cached_tokens.Increment(std::max(result.cached_prompt_tokens, 0));
  int64_t generated = 0;
  int64_t saved = 0;
  for (const LaneResult& lane : result.lanes) {
    generated += lane.generated;
    const int64_t length = result.prompt_tokens + static_cast<int64_t>(lane.tokens.size());
    instruments_->longest.Set(std::max(instruments_->longest.Value(), static_cast<double>(length)));
    if (lane.finish == FinishReason::consensus)
      saved += group.request.budget - static_cast<int64_t>(lane.tokens.size());
  }
  instruments_->predicted.Increment(static_cast<double>(generated));
  instruments_->predicted_seconds.Increment(std::max(result.decode_seconds, 0.0));
  if (result.prefill_seconds > 0) instruments_->prompt_rate.Set(read / result.prefill_seconds);
  if (result.decode_seconds > 0) {
    instruments_->predicted_rate.Set(static_cast<double>(generated) / result.decode_seconds);
  }
  if (result.consensus) {
    instruments_->consensus.Increment();
    instruments_->saved.Increment(static_cast<double>(std::max<int64_t>(saved, 0)));
  }
}

void Metrics::refused() {
  instruments_->refused.Increment();
}

void Metrics::unknown_fields(size_t count) {
  instruments_->unknown.Increment(static_cast<double>(count));
}

void Metrics::state(const EngineState& state) {
  instruments_->processing.Set(state.groups);
  instruments_->deferred.Set(state.queued_groups);
  instruments_->held.Set(state.held_groups);
  instruments_->put_back.Increment(static_cast<double>(state.put_back) - instruments_->put_back.Value());
  instruments_->graph_builds.Increment(static_cast<double>(state.graph_builds) -
                                       instruments_->graph_builds.Value());
  instruments_->graph_nodes.Set(state.graph_nodes);
  instruments_->device_bytes.Increment(static_cast<double>(state.device_bytes) -
                                       instruments_->device_bytes.Value());
  instruments_->lanes.Set(state.lanes);
  instruments_->cells_used.Set(state.cells_used);
  instruments_->cells_kept.Set(state.cells_kept);
  instruments_->cells_free.Set(state.cells - state.cells_used);
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(instruments_->registry.Collect());
}

}  // namespace lanerope::server
