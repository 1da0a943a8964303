// SPDX-License-Identifier: Apache-2.0
#include "score.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>

#include "convert.h"
#include "prompt.h"
#include "request.h"

namespace lanerope::python {

namespace {

std::vector<TokenId> tokens_of(const Model& model, const char* what, nb::handle given, bool add_special) {
  if (!nb::isinstance<nb::str>(given)) return to_tokens(what, given);
  return model.encode(nb::cast<std::string>(given), {.add_special = add_special});
}

template <typename T>
T option(nb::dict& options, const char* key, const char* kind) {
  if (!options.contains(key)) return {};
  const nb::object value = options[key];
  nb::del(options[key]);
  return value.is_none() ? T{} : to_cpp<T>(key, value, kind);
}

}  // namespace

ScoreRequest to_score_request(const Model& model, nb::handle prompt, nb::handle lanes, nb::dict options) {
  const CouplingChoice choice = to_coupling(options, model.info());
  ScoreRequest request{
      .prompt_tokens = tokens_of(model, "the prompt", prompt, true),
      .start_steps = option<std::vector<int32_t>>(options, "start_steps", "a list of whole numbers"),
      .top_logits = option<int32_t>(options, "top_logits", "a whole number"),
      .adapter_scales = option<std::vector<float>>(options, "adapter_scales", "a list of numbers")};
  const auto wait = option<std::optional<std::string>>(options, "wait", "a str");
  const auto ready = option<std::optional<std::string>>(options, "ready", "a str");
  for (const auto& [key, value] : options)
    throw nb::type_error(("score has no option '" + nb::cast<std::string>(key) + "'").c_str());
  if (nb::isinstance<nb::str>(lanes))
    throw nb::type_error("lanes must be a list, each lane a text or token ids, not a str");
  for (const nb::handle lane : lanes) request.lanes.push_back(tokens_of(model, "a lane", lane, false));
  const RequestDefaults usual = defaults();
  request.coupling = resolve_coupling(model, choice,
                                      {.untrained = usual.untrained,
                                       .untrained_init = usual.untrained_init,
                                       .adapter_scales = request.adapter_scales,
                                       .lanes = static_cast<int32_t>(request.lanes.size())});
  request.sleep = resolve_sleep(
      model, {.wait = wait, .ready = ready, .adapter_scales = request.adapter_scales}, request.coupling);
  return request;
}

nb::list scores_of(const ScoreResult& result) {
  nb::list all;
  for (const std::vector<ScoredToken>& lane : result.lanes) {
    std::vector<TokenId> tokens;
    std::vector<float> logprobs;
    nb::list top;
    for (const ScoredToken& scored : lane) {
      tokens.push_back(scored.token);
      logprobs.push_back(scored.logprob);
      top.append(nb::cast(scored.top_logits));
    }
    nb::dict one;
    one["tokens"] = to_array(std::move(tokens));
    one["logprobs"] = to_array(std::move(logprobs));
    one["top"] = top;
    all.append(one);
  }
  return all;
}

}  // namespace lanerope::python
