// SPDX-License-Identifier: Apache-2.0
#include "engine/beam_search.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "engine/resolve.h"
#include "engine/sampler.h"
#include "grammar/matcher.h"
#include "kernels/vocabulary_reduce.h"
#include "lanerope/errors.h"
#include "model/loaded_model.h"
#include "model/model_runner.h"
#include "text/encode_prompt.h"

namespace lanerope::engine {

namespace {

constexpr int32_t batch_rows = 512;

// One token of the tree of texts.
struct Node {
  TokenId token = 0;
  int32_t parent = -1;  // -1: the first token behind the prompt
  int32_t cell = -1;    // once it was fed
};

struct Beam {
  int32_t node = -1;
  int32_t run = 0;  // which of the `width` runs of cells it writes to
  double sum_logprob = 0;
  bool ended = false;
  std::shared_ptr<grammar::Matcher> matcher = {};  // where the text stands in its format, if it has one
};

struct Continuation {
  size_t beam = 0;
  std::optional<TokenId> token = {};  // none: a text that has ended stays as it is
  double sum_logprob = 0;
};

std::vector<TokenId> prompt_of(const Model& model, const BeamRequest& request) {
  return text::encode_prompt(model::loaded(model).prompt_format(request.no_template), request.prompt).tokens;
}

// Beams never look at one another, so nothing is rotated. Throws InvalidRequest where layers have windows.
std::shared_ptr<const core::ClassFrequencies> plain_frequencies(const Model& model) {
  if (model::loaded(model).config.attention_classes.size() > 1) {
    throw InvalidRequest("beam search does not run models with sliding windows, such as " +
                         model.info().architecture + "; use lanes instead");
  }
  const auto all = core::resolve_coupling({.kind = CouplingKind::independent},
                                          coupling_facts(model, {.default_stride = 1}))
                       .frequencies;
  return {all, &all->classes.front()};
}

}  // namespace

struct BeamSearch::Impl {
  Impl(std::shared_ptr<const Model> loaded, int32_t wanted_cells)
      : model(std::move(loaded)),
        n_cells(wanted_cells),
        runner(model::loaded(*model), {.n_cells = wanted_cells}),
        frequencies(plain_frequencies(*model)),
        scales(resolve_scales(*model, {})) {}

  const model::StepOutput& read_prompt();
  const model::StepOutput& feed(std::span<const Beam> beams, int32_t step);
  core::AttentionBlock block_of(const Beam& beam) const;
  std::vector<Continuation> continuations(std::span<const Beam> beams, const model::StepOutput& output,
                                          int32_t width);
  std::vector<Beam> kept(std::span<const Beam> beams, std::vector<Continuation> all, int32_t width);
  BeamResult result_of(const Beam& beam, int32_t steps) const;

  std::shared_ptr<const Model> model;
  int32_t n_cells;
  model::ModelRunner runner;
  std::shared_ptr<const core::ClassFrequencies> frequencies;
  AdapterScales scales;
  kernels::VocabularyReduce reduce;
  std::vector<float> masked = {};  // [n_tokens] logits of what a format allows
  std::vector<TokenId> prompt;
  std::vector<Node> nodes;
  int32_t budget = 0;
};

// With the logits behind the prompt's last token.
const model::StepOutput& BeamSearch::Impl::read_prompt() {
  const model::StepOutput* output = nullptr;
  const auto n_prompt = static_cast<int32_t>(prompt.size());
  const core::CellRun prompt_run{.cell = 0, .length = n_prompt};
  int32_t from = 0;
  do {  // a prompt has a token
    const int32_t to = std::min(from + batch_rows, n_prompt);
    std::vector<model::BatchRow> rows;
    core::AttentionBlock block{.frequencies = frequencies};
    block.add_segment(core::prompt_row, {.runs = std::span(&prompt_run, 1), .length = to});
    for (int32_t i = from; i < to; ++i) {
      rows.push_back({.token = prompt[i], .position = i, .cell = i, .output = i + 1 == to});
      block.row_segments.push_back({.visible = {0, i + 1}});
    }
    model::BatchBuilder batch = runner.batch();
    batch.add(std::move(block), rows, scales.prompt);
    output = &runner.run(std::move(batch).finish());
    from = to;
  } while (from < n_prompt);
  return *output;
}

// What a beam sees: the prompt, and its past as the runs of cells in which it lies.
core::AttentionBlock BeamSearch::Impl::block_of(const Beam& beam) const {
  const core::CellRun of_prompt{.cell = 0, .length = static_cast<int32_t>(prompt.size())};
  std::vector<core::CellRun> past;
  int32_t length = 0;
  for (int32_t at = beam.node; at >= 0; at = nodes[at].parent, ++length)
    past.push_back({.cell = nodes[at].cell, .length = 1});
  std::ranges::reverse(past);
  core::AttentionBlock block{.frequencies = frequencies};
  block.add_segment(core::prompt_row, {.runs = std::span(&of_prompt, 1), .length = of_prompt.length});
  block.add_segment(0, {.runs = past, .length = length});
  block.row_segments = {{.visible = {0, of_prompt.length}}, {.visible = {0, length}}};
  return block;
}

// Feeds the last token of each live beam, whose logits are the rows.
const model::StepOutput& BeamSearch::Impl::feed(std::span<const Beam> beams, int32_t step) {
  model::BatchBuilder batch = runner.batch();
  const auto n_prompt = static_cast<int32_t>(prompt.size());
  for (const Beam& beam : beams) {
    if (beam.ended) continue;
    Node& node = nodes[beam.node];
    node.cell = n_prompt + beam.run * budget + step;
    const model::BatchRow row{
        .token = node.token, .position = n_prompt + step, .cell = node.cell, .output = true};
    batch.add(block_of(beam), std::span(&row, 1), scales.lanes);
  }
  return runner.run(std::move(batch).finish());
}

std::vector<Continuation> BeamSearch::Impl::continuations(std::span<const Beam> beams,
                                                          const model::StepOutput& output, int32_t width) {
  std::vector<Continuation> all;
  int32_t row = 0;
  for (size_t b = 0; b < beams.size(); ++b) {
    if (beams[b].ended) {
      all.push_back({.beam = b, .sum_logprob = beams[b].sum_logprob});
      continue;
    }
    const kernels::LogitRow now = output.row(row++);
    reduce.read(now);
    const double normaliser = reduce.log_sum_exp(1.0F);
    if (const auto& matcher = beams[b].matcher) {
      const std::span<const float> logits = now.all();
      masked.assign(logits.begin(), logits.end());
      if (const std::span<const int32_t> allowed = matcher->allowed(); !allowed.empty())
        forbid(masked, allowed);
      reduce.read(masked);
    }
    for (const kernels::Candidate& candidate : reduce.top(width)) {
      if (std::isinf(candidate.logit)) continue;
      all.push_back({.beam = b,
                     .token = candidate.token,
                     .sum_logprob = beams[b].sum_logprob + candidate.logit - normaliser});
    }
  }
  return all;
}

// The best of them, best first. The first child of a beam goes on in its run of cells, others take a free
// one.
std::vector<Beam> BeamSearch::Impl::kept(std::span<const Beam> beams, std::vector<Continuation> all,
                                         int32_t width) {
  std::ranges::stable_sort(all, std::ranges::greater{}, &Continuation::sum_logprob);
  all.resize(std::min(all.size(), static_cast<size_t>(width)));
  std::vector<bool> taken(static_cast<size_t>(width));
  std::vector<Beam> next;
  std::vector<size_t> homeless;
  for (const Continuation& chosen : all) {
    const Beam& parent = beams[chosen.beam];
    next.push_back(
        {.node = parent.node, .run = parent.run, .sum_logprob = chosen.sum_logprob, .ended = true});
    if (!chosen.token) continue;
    nodes.push_back({.token = *chosen.token, .parent = parent.node});
    next.back().node = static_cast<int32_t>(nodes.size()) - 1;
    next.back().ended = model->is_end(*chosen.token);
    if (parent.matcher) {
      next.back().matcher = std::make_shared<grammar::Matcher>(parent.matcher->fork());
      next.back().matcher->accept(*chosen.token);
    }
    if (next.back().ended) continue;
    if (taken[parent.run]) homeless.push_back(next.size() - 1);
    taken[parent.run] = true;
  }
  for (const size_t index : homeless) {
    const auto free = std::ranges::find(taken, false);
    next[index].run = static_cast<int32_t>(free - taken.begin());
    *free = true;
  }
  return next;
}

BeamResult BeamSearch::Impl::result_of(const Beam& beam, int32_t steps) const {
  BeamResult result{.ended = beam.ended, .sum_logprob = beam.sum_logprob, .steps = steps};
  for (int32_t at = beam.node; at >= 0; at = nodes[at].parent) result.tokens.push_back(nodes[at].token);
  std::ranges::reverse(result.tokens);
  for (const TokenId token : result.tokens) {
    if (!model->is_end(token)) result.text += model->piece(token);
  }
  return result;
}

BeamSearch::BeamSearch(std::shared_ptr<const Model> model, int32_t cells)
    : impl_(std::make_unique<Impl>(std::move(model), std::max(cells, 2))) {}
BeamSearch::~BeamSearch() = default;

int32_t BeamSearch::cells_of(const Model& model, const BeamRequest& request) {
  return static_cast<int32_t>(prompt_of(model, request).size()) + request.width * request.budget;
}

BeamResult BeamSearch::run(const BeamRequest& request, const std::function<void(int32_t, double)>& on_step) {
  Impl& impl = *impl_;
  if (request.width < 1) throw InvalidRequest("beam search needs a width of at least 1");
  if (request.budget < 1) throw InvalidRequest("beam search needs a budget of at least 1");
  impl.prompt = prompt_of(*impl.model, request);
  impl.budget = request.budget;
  impl.nodes.clear();
  const auto n_prompt = static_cast<int64_t>(impl.prompt.size());
  const int64_t room = impl.model->info().trained_context - n_prompt;
  if (room < 1) throw InvalidRequest("the prompt is longer than the model's context");
  if (n_prompt + static_cast<int64_t>(request.width) * request.budget > impl.n_cells)
    throw DoesNotFit("the beams need more KV cells than there are; use a smaller width or budget");

  std::vector<Beam> beams = {Beam{}};
  if (const auto format = model::loaded(*impl.model).formats.compile(request.format))
    beams.front().matcher = std::make_shared<grammar::Matcher>(format);
  const model::StepOutput* output = &impl.read_prompt();
  const auto last = static_cast<int32_t>(std::min<int64_t>(request.budget, room));
  for (int32_t step = 0;; ++step) {
    beams = impl.kept(beams, impl.continuations(beams, *output, request.width), request.width);
    if (beams.empty())
      throw InvalidRequest(
          "no token of the model's vocabulary goes on in the answer's format; ask for another");
    if (beams.front().ended || step + 1 == last) return impl.result_of(beams.front(), step + 1);
    const auto before = std::chrono::steady_clock::now();
    output = &impl.feed(beams, step);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - before;
    if (on_step)
      on_step(static_cast<int32_t>(std::ranges::count(beams, false, &Beam::ended)), seconds.count());
  }
}

}  // namespace lanerope::engine
