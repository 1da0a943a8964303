// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ranges>

#include "core/sleepers.h"
#include "engine/engine_impl.h"
#include "engine/resolve.h"
#include "lanerope/errors.h"
#include "model/loaded_model.h"

namespace lanerope {

namespace {

// Feeds a whole trace: the prompt, then all lanes, a window of steps at a time. Rows go lane by lane within a
// window, which is as good as any order: every key of the window is stored before any query looks.
class TraceScorer {
 public:
  TraceScorer(Engine::Impl& engine, const ScoreRequest& request);
  ~TraceScorer() { let_go(); }
  TraceScorer(const TraceScorer&) = delete;
  TraceScorer& operator=(const TraceScorer&) = delete;
  ScoreResult run();

 private:
  void feed(std::span<const core::GroupRow> rows);
  bool find_room();
  void let_go() {
    if (prompt_ != nullptr) engine_.prefixes.let_go(std::move(prompt_));
  }
  void feed_prompt();
  void feed_lanes();
  void place_in_time();
  size_t token_index(const core::GroupRow& row) const;
  void take_logits(const core::GroupRow& row, const kernels::LogitRow& logits);
  void score_token(int32_t lane, size_t index, const kernels::LogitRow& logits);
  // The step behind the lane's last one.
  int32_t end_step(size_t lane) const { return steps_[lane].back() + 1; }

  Engine::Impl& engine_;
  const ScoreRequest& request_;
  std::shared_ptr<engine::CachedPrompt> prompt_;
  std::vector<std::vector<engine::PageRef>> pages_;  // [lanes]
  std::vector<std::vector<core::CellRun>> runs_;     // [lanes] the same, which `lanes_` points to
  std::vector<core::LaneView> lanes_;
  std::vector<std::vector<int32_t>> steps_;  // [lanes][tokens] in which each token is fed
  std::vector<std::vector<Sleep>> sleeps_;   // [lanes]
  std::vector<float> lane_scales_;
  std::vector<float> prompt_scales_;
  core::ResolvedCoupling coupling_;
  kernels::VocabularyReduce reduce_;
  ScoreResult result_;
};

InvalidRequest beyond_context(size_t lane, int32_t context) {
  return InvalidRequest("lane " + std::to_string(lane) + " of the trace goes beyond the model's context of " +
                        std::to_string(context));
}

void check(const Engine::Impl& engine, const ScoreRequest& request) {
  const ModelInfo& info = engine.model->info();
  if (request.prompt_tokens.empty()) throw InvalidRequest("the prompt of a trace to score is empty");
  if (request.lanes.empty()) throw InvalidRequest("a trace to score needs at least one lane");
  if (!request.start_steps.empty() && request.start_steps.size() != request.lanes.size()) {
    throw InvalidRequest("start_steps must have one number a lane");
  }
  if (request.top_logits < 0 || request.top_logits > info.n_tokens) {
    throw InvalidRequest("the number of logits must be between 0 and " + std::to_string(info.n_tokens));
  }
  const CouplingKind kind = request.coupling.kind;
  if (request.sleep.on() && (kind == CouplingKind::hogwild || kind == CouplingKind::bridge))
    throw InvalidRequest("lanes of the " + std::string(name(kind)) +
                         " coupling cannot sleep; leave the wait token out");
  engine::check_bridge(*engine.model, request.coupling);
  engine::check_hand_over(request.coupling, request.sleep);
  const auto check_tokens = [&](const std::vector<TokenId>& tokens) {
    for (const TokenId token : tokens) {
      if (token < 0 || token >= info.n_tokens) {
        throw InvalidRequest("the trace holds token " + std::to_string(token) + ", and the vocabulary has " +
                             std::to_string(info.n_tokens));
      }
    }
  };
  check_tokens(request.prompt_tokens);
  for (size_t m = 0; m < request.lanes.size(); ++m) {
    const int64_t start = request.start_steps.empty() ? 0 : request.start_steps[m];
    const auto length = static_cast<int64_t>(request.lanes[m].size());
    check_tokens(request.lanes[m]);
    if (length == 0) throw InvalidRequest("lane " + std::to_string(m) + " of the trace has no tokens");
    if (start < 0) throw InvalidRequest("start_steps must not be negative");
    if (static_cast<int64_t>(request.prompt_tokens.size()) + start + length > info.trained_context)
      throw beyond_context(m, info.trained_context);
  }
  const int64_t cells = cells_of(request);
  if (cells > engine.n_cells()) {
    throw DoesNotFit("the trace needs " + std::to_string(cells) + " KV cells and the engine has " +
                     std::to_string(engine.n_cells()));
  }
}

TraceScorer::TraceScorer(Engine::Impl& engine, const ScoreRequest& request)
    : engine_(engine), request_(request) {
  check(engine, request);
  engine::AdapterScales scales = engine::resolve_scales(*engine.model, request.adapter_scales);
  lane_scales_ = std::move(scales.lanes);
  prompt_scales_ = std::move(scales.prompt);
  int32_t longest = 0;
  for (const auto& lane : request.lanes) longest = std::max(longest, static_cast<int32_t>(lane.size()));
  place_in_time();
  coupling_ = core::resolve_coupling(
      request.coupling,
      engine::coupling_facts(*engine.model,
                             {.lanes = static_cast<int32_t>(request.lanes.size()),
                              .default_stride = request.stride > 0 ? request.stride : longest}));

  // The first try may evict the very prefix that it then goes on holding.
  bool found = find_room() || find_room();
  while (!found && engine_.release_oldest_held()) found = find_room();
  if (!found) {
    let_go();
    throw DoesNotFit("the KV cells are in use by running groups; score when they have ended");
  }
  for (const auto& lane : request.lanes) result_.lanes.emplace_back(lane.size());
}

void TraceScorer::place_in_time() {
  const std::vector<std::span<const TokenId>> lanes(request_.lanes.begin(), request_.lanes.end());
  steps_ = core::lane_steps(lanes, request_.start_steps, core::Sleepers(request_.sleep, request_.coupling));
  const int32_t context = engine_.model->info().trained_context;
  for (size_t m = 0; m < lanes.size(); ++m) {
    sleeps_.push_back(core::sleeps_of(steps_[m], request_.start_steps.empty() ? 0 : request_.start_steps[m]));
    if (static_cast<int32_t>(request_.prompt_tokens.size()) + end_step(m) > context)
      throw beyond_context(m, context);
  }
}

size_t TraceScorer::token_index(const core::GroupRow& row) const {
  const std::vector<int32_t>& steps = steps_[row.lane];
  return static_cast<size_t>(std::ranges::lower_bound(steps, row.step) - steps.begin());
}

bool TraceScorer::find_room() {
  let_go();
  int32_t n_pages = 0;
  for (const auto& lane : request_.lanes) n_pages += pages_of(static_cast<int32_t>(lane.size()));
  prompt_ = engine_.prefixes.place(
      {.tokens = request_.prompt_tokens, .adapter_scales = prompt_scales_, .spare = n_pages});
  if (prompt_ == nullptr || prompt_->source != nullptr) return false;
  pages_.resize(request_.lanes.size());
  runs_.resize(request_.lanes.size());
  for (size_t m = 0; m < request_.lanes.size(); ++m) {
    pages_[m] = engine_.prefixes.pages(pages_of(static_cast<int32_t>(request_.lanes[m].size())));
    for (const engine::PageRef& page : pages_[m])
      runs_[m].push_back({.cell = page->first_cell(), .length = page_cells});
    lanes_.push_back({.segment = {.runs = runs_[m], .length = 0},
                      .start_step = request_.start_steps.empty() ? 0 : request_.start_steps[m],
                      .sleeps = sleeps_[m],
                      .sees_from = request_.coupling.sees_from == SeesFrom::start
                                       ? 0
                                       : core::hand_over_of(request_.lanes[m], request_.sleep)});
  }
  return true;
}

void TraceScorer::score_token(int32_t lane, size_t index, const kernels::LogitRow& logits) {
  ScoredToken& scored = result_.lanes[lane][index];
  scored.token = request_.lanes[lane][index];
  reduce_.read(logits);
  scored.logprob = static_cast<float>(reduce_.logit(scored.token) - reduce_.log_sum_exp(1.0F));
  if (request_.top_logits == 0) return;
  for (const kernels::Candidate& top : reduce_.top(request_.top_logits))
    scored.top_logits.emplace_back(top.token, top.logit);
}

void TraceScorer::take_logits(const core::GroupRow& row, const kernels::LogitRow& logits) {
  if (row.lane == core::prompt_row) {  // the first token of every lane
    for (size_t m = 0; m < lanes_.size(); ++m) score_token(static_cast<int32_t>(m), 0, logits);
    return;
  }
  const size_t next = token_index(row) + 1;
  if (next < request_.lanes[row.lane].size()) score_token(row.lane, next, logits);
}

void TraceScorer::feed(std::span<const core::GroupRow> rows) {
  const auto n_prompt = static_cast<int32_t>(request_.prompt_tokens.size());
  std::vector<model::BatchRow> batch_rows;
  std::vector<core::GroupRow> outputs;
  const bool of_prompt = rows.front().lane == core::prompt_row;
  for (const core::GroupRow& row : rows) {
    const bool output = !of_prompt || row.step + 1 == n_prompt;
    if (output) outputs.push_back(row);
    if (of_prompt) {
      batch_rows.push_back({.row = row,
                            .token = request_.prompt_tokens[row.step],
                            .position = row.step,
                            .cell = prompt_->cell_of(row.step),
                            .output = output});
    } else {
      core::LaneView& lane = lanes_[row.lane];
      const auto index = static_cast<int32_t>(token_index(row));
      batch_rows.push_back({.row = row,
                            .token = request_.lanes[row.lane][index],
                            .position = n_prompt + row.step,
                            .cell = pages_[row.lane][index / page_cells]->first_cell() + index % page_cells,
                            .output = output});
      lane.segment.length = std::max(lane.segment.length, index + 1);
    }
  }
  const std::vector<core::CellRun> prompt = prompt_->runs();
  model::BatchBuilder batch = engine_.runner.batch();
  batch.add({.coupling = &request_.coupling,
             .frequencies = coupling_.frequencies,
             .prompt = {.runs = prompt, .length = n_prompt},
             .lanes = lanes_,
             .stride = coupling_.stride},
            batch_rows, of_prompt ? prompt_scales_ : lane_scales_);
  const model::StepOutput& output = engine_.runner.run(std::move(batch).finish());
  for (size_t i = 0; i < outputs.size(); ++i) take_logits(outputs[i], output.row(static_cast<int32_t>(i)));
}

void TraceScorer::feed_prompt() {
  const auto n_prompt = static_cast<int32_t>(request_.prompt_tokens.size());
  std::vector<core::GroupRow> rows;
  for (int32_t i = prompt_->read; i < n_prompt; ++i) {
    rows.push_back({.lane = core::prompt_row, .step = i});
    if (static_cast<int32_t>(rows.size()) == engine_.options.batch_rows || i + 1 == n_prompt) {
      feed(rows);
      prompt_->read = i + 1;
      rows.clear();
    }
  }
}

void TraceScorer::feed_lanes() {
  int32_t last = 0;
  for (size_t m = 0; m < lanes_.size(); ++m) last = std::max(last, end_step(m));
  const int32_t window = std::max(1, engine_.options.batch_rows / static_cast<int32_t>(lanes_.size()));
  for (int32_t from = 0; from < last; from += window) {
    std::vector<core::GroupRow> rows;
    for (size_t m = 0; m < lanes_.size(); ++m) {
      const auto first = std::ranges::lower_bound(steps_[m], from);
      for (const int32_t step :
           std::ranges::subrange(first, std::ranges::lower_bound(steps_[m], from + window)))
        rows.push_back({.lane = static_cast<int32_t>(m), .step = step});
    }
    if (!rows.empty()) feed(rows);
  }
}

ScoreResult TraceScorer::run() {
  feed_prompt();
  feed_lanes();
  return std::move(result_);
}

}  // namespace

int64_t cells_of(const ScoreRequest& request) {
  int64_t cells = whole_pages(static_cast<int32_t>(request.prompt_tokens.size()));
  for (const std::vector<TokenId>& lane : request.lanes)
    cells += whole_pages(static_cast<int32_t>(lane.size()));
  return cells;
}

ScoreResult Engine::score(const ScoreRequest& request) {
  return TraceScorer(*impl_, request).run();
}

}  // namespace lanerope
