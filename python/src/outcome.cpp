// SPDX-License-Identifier: Apache-2.0
#include "group.h"
#include "lanerope/resolve.h"

namespace lanerope::python {

namespace {

nb::object certainty_of(const std::optional<Certainty>& certainty) {
  if (!certainty) return nb::none();
  return nb::make_tuple(certainty->self_certainty, certainty->lowest_window);
}

nb::dict lane_of(const LaneResult& lane, std::vector<float> logprobs) {
  nb::dict all;
  all["text"] = to_text(lane.text);
  all["tokens"] = to_array(lane.tokens);
  all["logprobs"] = to_array(std::move(logprobs));
  all["finish"] = to_name(lane.finish);
  all["answer"] = to_text_or_none(lane.answer);
  all["answer_from"] = lane.answer_from ? to_name(*lane.answer_from) : nb::none();
  all["generated"] = lane.generated;
  all["mean_logprob"] = lane.mean_logprob;
  all["start_step"] = lane.start_step;
  all["steps"] = to_array(steps_of(lane));
  all["certainty"] = certainty_of(lane.certainty);
  all["verifier_score"] = to_value_or_none(lane.verifier_score);
  return all;
}

nb::object prompt_logprobs_of(const std::vector<PromptToken>& prompt) {
  std::vector<float> values;
  for (const PromptToken& token : prompt)
    values.push_back(token.logprob.value_or(std::numeric_limits<float>::quiet_NaN()));
  return to_array(std::move(values));
}

// shares: [1 + n_lanes, n_head, n_layer, n_rows] in ggml's order, the other way round in NumPy's.
nb::dict attention_of(AttentionRecord record) {
  std::vector<int32_t> lanes;
  std::vector<int32_t> steps;
  for (const AttentionRecord::Row& row : record.rows) {
    lanes.push_back(row.lane);
    steps.push_back(row.step);
  }
  nb::dict all;
  all["shares"] = to_array(std::move(record.shares),
                           {record.rows.size(), static_cast<size_t>(record.n_layer),
                            static_cast<size_t>(record.n_head), static_cast<size_t>(record.n_lanes) + 1});
  all["lanes"] = to_array(std::move(lanes));
  all["steps"] = to_array(std::move(steps));
  return all;
}

}  // namespace

nb::dict outcome_of(GroupLog log) {
  const GroupResult& result = *log.result;
  nb::list lanes;
  for (size_t m = 0; m < result.lanes.size(); ++m)
    lanes.append(lane_of(result.lanes[m], std::move(log.logprobs[m])));
  nb::list votes;
  for (const Vote& vote : result.votes)
    votes.append(nb::make_tuple(to_text(vote.answer), vote.count, vote.weight));
  nb::list acts;
  for (const PolicyAct& act : result.acts)
    acts.append(nb::make_tuple(to_text(act.policy), to_name(act.kind), act.step, act.lane, act.parent,
                               to_text(act.text), to_text(act.reason), to_text(act.refused)));
  nb::dict all;
  all["lanes"] = lanes;
  all["acts"] = acts;
  all["votes"] = votes;
  all["selected"] = result.selected >= 0 ? nb::cast(result.selected) : nb::none();
  all["then_lane"] = result.then_lane >= 0 ? nb::cast(result.then_lane) : nb::none();
  all["confidence"] = result.confidence.value;
  all["confidence_kind"] = to_name(result.confidence.kind);
  all["note"] = to_text(result.note);
  all["finish"] = to_name(log.finish);
  all["consensus"] = result.consensus;
  all["prompt_tokens"] = result.prompt_tokens;
  all["cached_prompt_tokens"] = result.cached_prompt_tokens;
  all["clock"] = result.clock;
  all["prefill_seconds"] = result.prefill_seconds;
  all["decode_seconds"] = result.decode_seconds;
  all["seed"] = log.resolved->seed;
  all["coupling"] = to_text(describe(log.resolved->coupling));
  all["budget"] = log.resolved->budget;
  all["untrained"] = log.resolved->untrained;
  all["raw_prompt"] = log.resolved->raw_prompt;
  all["prompt_logprobs"] = log.prompt ? prompt_logprobs_of(*log.prompt) : nb::none();
  all["attention"] = log.attention ? nb::object(attention_of(std::move(*log.attention))) : nb::none();
  return all;
}

}  // namespace lanerope::python
