// SPDX-License-Identifier: Apache-2.0
#include "request.h"

#include <nanobind/stl/shared_ptr.h>

#include <functional>
#include <map>

#include "bindings.h"
#include "lanerope/calibration.h"
#include "lanerope/engine.h"
#include "model_host.h"
#include "prompt.h"

namespace lanerope::python {

namespace {

// One option: where its value goes.
using Setter = std::function<void(Request&, nb::handle)>;
using Setters = std::map<std::string, Setter>;

template <typename T>
constexpr std::string_view kind_of = "a list of str";
template <>
constexpr std::string_view kind_of<bool> = "a bool";
template <>
constexpr std::string_view kind_of<int32_t> = "a whole number";
template <>
constexpr std::string_view kind_of<uint64_t> = "a whole number of 0 or more";
template <>
constexpr std::string_view kind_of<float> = "a number";
template <>
constexpr std::string_view kind_of<double> = "a number";
template <>
constexpr std::string_view kind_of<std::string> = "a str";
template <>
constexpr std::string_view kind_of<std::vector<float>> = "a list of numbers";

template <typename T>
T plain(const std::string& option, nb::handle value) {
  return to_cpp<T>(option, value, kind_of<T>);
}

void set_format(Request& request, FormatKind kind, AnswerFormat format) {
  if (request.format.kind != FormatKind::any)
    throw InvalidRequest(
        "an answer keeps to one format; give one of json, json_schema, grammar, regex and choices");
  format.kind = kind;
  request.format = std::move(format);
}

std::vector<std::string> to_stops(nb::handle value) {
  if (nb::isinstance<nb::str>(value)) return {nb::cast<std::string>(value)};
  return to_cpp<std::vector<std::string>>("stop", value, "a str or a list of str");
}

std::string to_schema(nb::handle value) {
  if (nb::isinstance<nb::str>(value)) return nb::cast<std::string>(value);
  return nb::cast<std::string>(nb::module_::import_("json").attr("dumps")(value));
}

std::vector<LogitBias> to_biases(nb::handle value) {
  std::vector<LogitBias> all;
  for (const auto& [token, bias] : to_cpp<nb::dict>("logit_bias", value, "a dict from token id to bias"))
    all.push_back({.token = plain<int32_t>("a token of logit_bias", token),
                   .bias = plain<float>("a bias of logit_bias", bias)});
  return all;
}

std::vector<std::string> to_lane_texts(nb::handle value) {
  if (nb::isinstance<nb::str>(value))
    throw nb::type_error("lane_texts must be a list of str, one a lane, not a str");
  return plain<std::vector<std::string>>("lane_texts", value);
}

std::vector<PolicyChoice> to_policies(nb::handle value) {
  const bool one = nb::isinstance<nb::str>(value);
  const auto texts = one ? std::vector{nb::cast<std::string>(value)}
                         : to_cpp<std::vector<std::string>>("policies", value, "a str or a list of str");
  std::vector<PolicyChoice> policies;
  for (const std::string& text : texts) policies.push_back(parse_policy(text));
  return policies;
}

LaneTools& tools_of(Request& request) {
  if (!request.tools) request.tools.emplace();
  return *request.tools;
}

void set_tools(Request& request, nb::handle value) {
  const bool one = nb::isinstance<nb::str>(value);
  const auto texts = one ? std::vector{nb::cast<std::string>(value)}
                         : to_cpp<std::vector<std::string>>("lane_tools", value, "a str or a list of str");
  for (const std::string& text : texts) add_tool(tools_of(request), text);
}

// Options that are a field of Request, each under its name.
const Setters& setters() {
  static const Setters all = [] {
    Setters table;
    const auto set = [&table](const std::string& option, auto where) {
      using Field = std::remove_reference_t<decltype(where(std::declval<Request&>()))>;
      table[option] = [option, where](Request& request, nb::handle value) {
        where(request) = plain<Field>(option, value);
      };
    };
    const auto set_optional = [&table](const std::string& option, auto where) {
      using Field = typename std::remove_reference_t<decltype(where(std::declval<Request&>()))>::value_type;
      table[option] = [option, where](Request& request, nb::handle value) {
        where(request) = plain<Field>(option, value);
      };
    };
    set("lanes", [](Request& r) -> auto& { return r.lanes; });
    set_optional("budget", [](Request& r) -> auto& { return r.budget; });
    set_optional("max_tokens", [](Request& r) -> auto& { return r.max_tokens; });
    set_optional("tag", [](Request& r) -> auto& { return r.tag; });
    set_optional("wait", [](Request& r) -> auto& { return r.wait; });
    set_optional("ready", [](Request& r) -> auto& { return r.ready; });
    table["lane_texts"] = [](Request& r, nb::handle value) { r.lane_texts = to_lane_texts(value); };
    set("temperature", [](Request& r) -> auto& { return r.sampling.temperature; });
    set("top_k", [](Request& r) -> auto& { return r.sampling.top_k; });
    set("top_p", [](Request& r) -> auto& { return r.sampling.top_p; });
    set("min_p", [](Request& r) -> auto& { return r.sampling.min_p; });
    set("repetition_penalty", [](Request& r) -> auto& { return r.sampling.repetition_penalty; });
    set("presence_penalty", [](Request& r) -> auto& { return r.sampling.presence_penalty; });
    set("frequency_penalty", [](Request& r) -> auto& { return r.sampling.frequency_penalty; });
    set("penalty_window", [](Request& r) -> auto& { return r.sampling.penalty_window; });
    table["logit_bias"] = [](Request& r, nb::handle value) { r.sampling.logit_bias = to_biases(value); };
    set_optional("seed", [](Request& r) -> auto& { return r.sampling.seed; });
    table["stop"] = [](Request& r, nb::handle value) { r.stop = to_stops(value); };
    set("control_text", [](Request& r) -> auto& { return r.control_text; });
    set("ignore_end", [](Request& r) -> auto& { return r.ignore_end; });
    table["json"] = [](Request& r, nb::handle value) {
      if (plain<bool>("json", value)) set_format(r, FormatKind::json, {});
    };
    table["json_schema"] = [](Request& r, nb::handle value) {
      set_format(r, FormatKind::json_schema, {.text = to_schema(value)});
    };
    table["grammar"] = [](Request& r, nb::handle value) {
      set_format(r, FormatKind::grammar, {.text = plain<std::string>("grammar", value)});
    };
    table["regex"] = [](Request& r, nb::handle value) {
      set_format(r, FormatKind::regex, {.text = plain<std::string>("regex", value)});
    };
    table["choices"] = [](Request& r, nb::handle value) {
      set_format(r, FormatKind::choice, {.choices = plain<std::vector<std::string>>("choices", value)});
    };
    set_optional("thinking_budget", [](Request& r) -> auto& { return r.thinking_budget; });
    table["then"] = [](Request& r, nb::handle value) {
      if (!r.then) r.then.emplace();
      r.then->text = plain<std::string>("then", value);
    };
    table["then_budget"] = [](Request& r, nb::handle value) {
      if (!r.then) r.then.emplace();
      r.then->budget = plain<int32_t>("then_budget", value);
    };
    table["select"] = [](Request& r, nb::handle value) {
      r.selection.kind = to_enum<SelectionKind>("select", value);
    };
    table["vote_weight"] = [](Request& r, nb::handle value) {
      r.selection.weight = to_enum<VoteWeight>("vote_weight", value);
    };
    set("consensus", [](Request& r) -> auto& { return r.selection.consensus; });
    table["policies"] = [](Request& r, nb::handle value) { r.policies = to_policies(value); };
    set("policy_command", [](Request& r) -> auto& { return r.policy_command.command; });
    set("policy_timeout", [](Request& r) -> auto& { return r.policy_command.timeout; });
    table["lane_tools"] = [](Request& r, nb::handle value) { set_tools(r, value); };
    table["tool_wait"] = [](Request& r, nb::handle value) {
      tools_of(r).wait = to_enum<ToolWait>("tool_wait", value);
    };
    set("tool_calls", [](Request& r) -> auto& { return tools_of(r).most_calls; });
    set("tool_timeout", [](Request& r) -> auto& { return tools_of(r).timeout; });
    set("tool_bytes", [](Request& r) -> auto& { return tools_of(r).most_bytes; });
    set("verifier", [](Request& r) -> auto& { return r.selection.verifier_command; });
    set("verifier_timeout", [](Request& r) -> auto& { return r.selection.verifier_timeout; });
    table["calibration"] = [](Request& r, nb::handle value) {
      r.selection.calibration = std::make_shared<const CalibrationCurve>(
          read_calibration(plain<std::string>("calibration", nb::str(value))));
    };
    set("logprobs", [](Request& r) -> auto& { return r.logprobs; });
    set("top_logprobs", [](Request& r) -> auto& { return r.top_logprobs; });
    set_optional("prompt_logprobs", [](Request& r) -> auto& { return r.prompt_logprobs; });
    set("certainty_window", [](Request& r) -> auto& { return r.certainty_window; });
    set("adapter_scales", [](Request& r) -> auto& { return r.adapter_scales; });
    set("reserved_lanes", [](Request& r) -> auto& { return r.reserved_lanes; });
    set("hold", [](Request& r) -> auto& { return r.hold; });
    table["attention"] = [](Request& r, nb::handle value) {
      r.attention = plain<bool>("attention", value) ? AttentionRecording::mass : AttentionRecording::none;
    };
    return table;
  }();
  return all;
}

// Layers in rows: of shape [pairs] or [n_layer, pairs].
std::vector<float> to_omega(nb::handle value, const ModelInfo& info) {
  using Array = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
  Array array;
  if (!nb::try_cast<Array>(value, array)) throw nb::type_error("omega must be an array of numbers");
  if (array.ndim() != 1 && (array.ndim() != 2 || array.shape(0) != static_cast<size_t>(info.n_layer)))
    throw InvalidRequest("omega has the shape " + std::string(nb::repr(nb::getattr(value, "shape")).c_str()) +
                         "; it must be (pairs,), or (" + std::to_string(info.n_layer) +
                         ", pairs) for a vector per layer");
  return {array.data(), array.data() + array.size()};
}

const std::map<std::string, std::function<void(CouplingChoice&, nb::handle, const ModelInfo&)>>&
coupling_setters() {
  static const std::map<std::string, std::function<void(CouplingChoice&, nb::handle, const ModelInfo&)>> all =
      {
          {"coupling", [](auto& c, nb::handle v, auto&) { c.kind = to_enum<CouplingKind>("coupling", v); }},
          {"init", [](auto& c, nb::handle v, auto&) { c.init = to_enum<OmegaInit>("init", v); }},
          {"omega", [](auto& c, nb::handle v, auto& info) { c.omega = to_omega(v, info); }},
          {"stride", [](auto& c, nb::handle v, auto&) { c.stride = plain<int32_t>("stride", v); }},
          {"visibility",
           [](auto& c, nb::handle v, auto&) { c.visibility = to_enum<Visibility>("visibility", v); }},
          {"topology", [](auto& c, nb::handle v, auto&) { c.topology = to_enum<Topology>("topology", v); }},
          {"block", [](auto& c, nb::handle v, auto&) { c.block = plain<int32_t>("block", v); }},
          {"far_lanes",
           [](auto& c, nb::handle v, auto&) { c.far_lanes = to_enum<FarLanes>("far_lanes", v); }},
          {"trained_lanes",
           [](auto& c, nb::handle v, auto&) { c.trained_lanes = plain<int32_t>("trained_lanes", v); }},
          {"window", [](auto& c, nb::handle v, auto&) { c.window = plain<int32_t>("window", v); }},
          {"sees_from",
           [](auto& c, nb::handle v, auto&) { c.sees_from = to_enum<SeesFrom>("sees_from", v); }},
          {"prompt_lane",
           [](auto& c, nb::handle v, auto&) { c.prompt_lane = to_enum<PromptLane>("prompt_lane", v); }},
          {"force", [](auto& c, nb::handle v, auto&) { c.force = plain<bool>("force", v); }},
      };
  return all;
}

constexpr std::string_view prompt_options[] = {"system", "raw", "tools", "template_arguments",
                                               "continue_last"};

nb::list option_names() {
  nb::list all;
  for (const std::string_view option : prompt_options) all.append(to_text(option));
  for (const auto& [option, setter] : coupling_setters()) all.append(to_text(option));
  for (const auto& [option, setter] : setters()) all.append(to_text(option));
  return all;
}

// Options that say how something is done which nothing asks for. `said`: the options of the request.
void check_whole(const Request& request, const nb::dict& said) {
  const bool verifies = request.selection.kind == SelectionKind::verifier;
  if (!verifies && !request.selection.verifier_command.empty())
    throw InvalidRequest("a verifier goes with select='verifier', not with " +
                         std::string(name(request.selection.kind)));
  const auto check = [&](std::initializer_list<const char*> options, bool used, const char* needed) {
    for (const char* option : options) {
      if (!used && said.contains(option) && !said[option].is_none())
        throw InvalidRequest(std::string(option) + " does nothing without " + needed);
    }
  };
  check({"tool_wait", "tool_calls", "tool_timeout", "tool_bytes"}, request.tools && request.tools->on(),
        "lane_tools");
  check({"policy_timeout"}, !request.policy_command.command.empty(), "policy_command");
  check({"verifier_timeout"}, verifies, "select='verifier'");
}

// nanobind holds objects that are not const; Python is given no way to change this one.
std::shared_ptr<ResolvedRequest> resolve_request(const ModelHost& host, nb::handle prompt, nb::dict options) {
  const std::shared_ptr<const Model> model = host.open();
  const Request request = to_request(prompt, options, model->info());
  const nb::gil_scoped_release release;
  return std::const_pointer_cast<ResolvedRequest>(resolve(*model, request, defaults()));
}

}  // namespace

CouplingChoice to_coupling(nb::dict options, const ModelInfo& info) {
  CouplingChoice choice;
  for (const auto& [option, setter] : coupling_setters()) {
    if (!options.contains(option.c_str())) continue;
    const nb::object value = options[option.c_str()];
    nb::del(options[option.c_str()]);
    if (!value.is_none()) setter(choice, value, info);
  }
  const bool sets_omega = choice.init || !choice.omega.empty();
  if (sets_omega && choice.kind.value_or(CouplingKind::lanerope) != CouplingKind::lanerope)
    throw InvalidRequest("init and omega belong to the lanerope coupling, not to " +
                         std::string(name(*choice.kind)) + "; leave them out or choose coupling='lanerope'");
  return choice;
}

Request to_request(nb::handle prompt, nb::dict options, const ModelInfo& info) {
  Request request{
      .prompt = to_prompt(prompt, options), .coupling = to_coupling(options, info), .logprobs = true};
  for (const auto& [key, value] : options) {
    const auto option = nb::cast<std::string>(key);
    const auto found = setters().find(option);
    if (found == setters().end())
      throw nb::type_error(
          ("there is no option '" + option + "'; help(lanerope.Options) lists them").c_str());
    if (!value.is_none()) found->second(request, value);
  }
  check_whole(request, options);
  return request;
}

RequestDefaults defaults() {
  return {.no_template = NoTemplate::raw_with_note, .seeds = 1'000'000'000};
}

void bind_request(nb::module_& module) {
  using Resolved = ResolvedRequest;
  nb::class_<Resolved>(module, "Resolved", "A request with everything decided.")
      .def_ro("seed", &Resolved::seed)
      .def_ro("budget", &Resolved::budget)
      .def_ro("stride", &Resolved::stride)
      .def_ro("untrained", &Resolved::untrained)
      .def_ro("raw_prompt", &Resolved::raw_prompt)
      .def_ro("trained_lanes", &Resolved::trained_lanes)
      .def_prop_ro("n_lanes", &Resolved::n_lanes)
      .def_prop_ro("cells", &Resolved::cells, "KV cells that it takes.")
      .def_prop_ro(
          "tag", [](const Resolved& r) { return to_text(r.tag); }, nb::sig("def tag(self) -> str"))
      .def_prop_ro(
          "coupling_kind", [](const Resolved& r) { return to_name(r.coupling.kind); },
          nb::sig("def coupling_kind(self) -> str"))
      .def_prop_ro(
          "coupling", [](const Resolved& r) { return to_text(describe(r.coupling)); },
          nb::sig("def coupling(self) -> str"))
      .def_prop_ro(
          "prompt", [](const Resolved& r) { return to_array(r.prompt); },
          nb::sig("def prompt(self) -> numpy.typing.NDArray[numpy.int32]"));
  module.def("resolve", &resolve_request, nb::arg("model"), nb::arg("prompt"), nb::arg("options"),
             nb::sig("def resolve(model: Model, prompt: object, options: dict[str, object]) -> Resolved"),
             "Decides everything that a request leaves open. Takes what it reads out of options.");
  module.def("option_names", &option_names, nb::sig("def option_names() -> list[str]"));
}

}  // namespace lanerope::python
