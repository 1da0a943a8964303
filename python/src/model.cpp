// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/function.h>
#include <nanobind/stl/pair.h>

#include "bindings.h"
#include "convert.h"
#include "lanerope/coupling.h"
#include "model_host.h"
#include "prompt.h"

namespace lanerope::python {

ModelHost::~ModelHost() {
  close();
}

void ModelHost::close() {
  // Never destroyed where its threads are missing.
  if (!home_.here()) new std::shared_ptr<const Model>(model_);
  model_.reset();
}

const std::shared_ptr<const Model>& ModelHost::open() const {
  if (model_ == nullptr) throw InvalidRequest("the model is closed; load it again");
  return model_;
}

const std::shared_ptr<const Model>& ModelHost::to_compute() const {
  open();
  home_.require();
  return model_;
}

namespace {

// What Model::load takes, under its names.
struct LoadArguments {
  std::string file;
  std::vector<std::pair<std::string, float>> adapters;
  std::string device;
  std::vector<std::string> workers;
  int32_t gpu_layers = -1;
  std::vector<float> tensor_split;
  std::string override_tensor;
  int32_t threads = 0;
  std::string back_end;
  std::string chat_template;
  std::string template_arguments;
};

void load(ModelHost* host, const LoadArguments& arguments, const nb::object& progress) {
  ModelOptions options{.file = arguments.file,
                       .device = arguments.device,
                       .workers = arguments.workers,
                       .gpu_layers = arguments.gpu_layers,
                       .tensor_split = arguments.tensor_split,
                       .override_tensor = arguments.override_tensor,
                       .threads = arguments.threads,
                       .back_end = to_enum<BackEnd>("back_end", to_text(arguments.back_end)),
                       .chat_template = arguments.chat_template,
                       .template_arguments = arguments.template_arguments};
  if (options.threads < 0) throw InvalidRequest("threads must be 0 (all cores) or more");
  for (const auto& [file, scale] : arguments.adapters)
    options.adapters.push_back({.file = file, .scale = scale});
  // Also where Ctrl-C is heard.
  options.progress = [&progress](float share) {
    const nb::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (!progress.is_none()) progress(share);
  };
  std::shared_ptr<const Model> model;
  {
    const nb::gil_scoped_release release;
    model = Model::load(options);
  }
  new (host) ModelHost(std::move(model));
}

nb::dict training_of(const LaneTraining& training) {
  nb::dict all;
  all["coupling"] = to_text(describe(training.coupling));
  all["visibility"] = to_name(training.coupling.visibility);
  all["stride"] = training.coupling.stride;
  all["tag"] = to_text_or_none(training.tag);
  all["wait"] = to_text_or_none(training.wait);
  all["ready"] = to_text_or_none(training.ready);
  all["lanes"] = nb::cast(training.lanes);
  return all;
}

nb::dict adapter_of(const AdapterInfo& adapter) {
  nb::dict all;
  all["file"] = to_text(adapter.file);
  all["scale"] = adapter.scale;
  all["rank"] = adapter.rank;
  all["alpha"] = adapter.alpha;
  all["on_prompt"] = adapter.on_prompt;
  all["lanes"] = adapter.lanes ? nb::object(training_of(*adapter.lanes)) : nb::none();
  return all;
}

nb::dict info_of(const ModelHost& host) {
  const ModelInfo& info = host.open()->info();
  nb::dict all;
  all["file"] = to_text(info.file);
  all["name"] = to_text(info.name);
  all["architecture"] = to_text(info.architecture);
  all["n_layer"] = info.n_layer;
  all["n_embd"] = info.n_embd;
  all["n_head"] = info.n_head;
  all["n_head_kv"] = info.n_head_kv;
  all["head_dim"] = info.head_dim;
  all["n_vocab"] = info.n_vocab;
  all["n_tokens"] = info.n_tokens;
  all["trained_context"] = info.trained_context;
  all["n_parameters"] = info.n_parameters;
  all["weight_bytes"] = info.weight_bytes;
  all["bytes_per_cell"] = host.open()->bytes_per_cell();
  all["begin_token"] = to_value_or_none(info.begin_token);
  all["end_token"] = to_value_or_none(info.end_token);
  all["padding_token"] = to_value_or_none(info.padding_token);
  all["chat_template"] = to_text(info.chat_template);
  all["device"] = to_text(info.device);
  all["back_end"] = to_text(info.back_end);
  all["threads"] = info.threads;
  all["lanes"] = info.lanes ? nb::object(training_of(*info.lanes)) : nb::none();
  nb::list adapters;
  for (const AdapterInfo& adapter : info.adapters) adapters.append(adapter_of(adapter));
  all["adapters"] = adapters;
  return all;
}

std::vector<TokenId> encode(const ModelHost& host, const std::string& text, bool add_special,
                            bool parse_special) {
  const std::shared_ptr<const Model> model = host.open();
  const nb::gil_scoped_release release;
  return model->encode(text, {.add_special = add_special, .parse_special = parse_special});
}

nb::object decode(const ModelHost& host, nb::handle tokens) {
  return to_text(host.open()->decode(to_tokens("tokens", tokens)));
}

nb::object piece(const ModelHost& host, int32_t token) {
  const std::string bytes = host.open()->piece(token);
  return nb::bytes(bytes.data(), bytes.size());
}

nb::object render(const ModelHost& host, nb::handle messages, const nb::dict& options) {
  const Prompt prompt = to_prompt(messages, options);
  if (prompt.messages.empty()) throw InvalidRequest("the conversation is empty; give it a user message");
  return to_text(host.open()->prompt_text(prompt, NoTemplate::refuse).text);
}

}  // namespace

void bind_model(nb::module_& module) {
  nb::class_<ModelHost>(module, "Model")
      .def(
          "__init__",
          [](ModelHost* host, const std::string& file,
             const std::vector<std::pair<std::string, float>>& adapters, const std::string& device,
             const std::vector<std::string>& workers, int32_t gpu_layers,
             const std::vector<float>& tensor_split, const std::string& override_tensor, int32_t threads,
             const std::string& back_end, const std::string& chat_template,
             const std::string& template_arguments, const nb::object& progress) {
            load(host,
                 {.file = file,
                  .adapters = adapters,
                  .device = device,
                  .workers = workers,
                  .gpu_layers = gpu_layers,
                  .tensor_split = tensor_split,
                  .override_tensor = override_tensor,
                  .threads = threads,
                  .back_end = back_end,
                  .chat_template = chat_template,
                  .template_arguments = template_arguments},
                 progress);
          },
          nb::arg("file"), nb::arg("adapters"), nb::arg("device"), nb::arg("workers"), nb::arg("gpu_layers"),
          nb::arg("tensor_split"), nb::arg("override_tensor"), nb::arg("threads"), nb::arg("back_end"),
          nb::arg("chat_template"), nb::arg("template_arguments"), nb::arg("progress").none(),
          nb::sig("def __init__(self, file: str, adapters: list[tuple[str, float]], device: str, workers: "
                  "list[str], gpu_layers: "
                  "int, "
                  "tensor_split: list[float], override_tensor: str, threads: int, "
                  "back_end: str, chat_template: str, template_arguments: str, "
                  "progress: collections.abc.Callable[[float], object] | None) -> None"))
      .def("close", &ModelHost::close)
      .def_prop_ro("closed", &ModelHost::closed)
      .def("info", &info_of, nb::sig("def info(self) -> dict[str, typing.Any]"))
      .def("encode", &encode, nb::arg("text"), nb::arg("add_special"), nb::arg("parse_special"))
      .def("decode", &decode, nb::arg("tokens"),
           nb::sig("def decode(self, tokens: collections.abc.Sequence[int]) -> str"))
      .def("piece", &piece, nb::arg("token"), nb::sig("def piece(self, token: int) -> bytes"))
      .def("is_end", [](const ModelHost& host, int32_t token) { return host.open()->is_end(token); })
      .def("render", &render, nb::arg("messages"), nb::arg("options"),
           nb::sig("def render(self, messages: object, options: dict[str, object]) -> str"));
}

}  // namespace lanerope::python
