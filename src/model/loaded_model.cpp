// SPDX-License-Identifier: Apache-2.0
#include "model/loaded_model.h"

#include <string>

#include "core/enum_table.h"
#include "lanerope/errors.h"
#include "lanerope/inspect.h"
#include "model/adapter.h"
#include "model/architecture.h"
#include "model/ggml_operations.h"
#include "model/kernel_operations.h"
#include "model/kv_pool.h"
#include "model/lane_training.h"
#include "model/vocabulary_reader.h"

namespace lanerope {

namespace {

constexpr auto paths = enum_table<Path, 3>({
    {Path::automatic, "automatic"},
    {Path::kernels, "kernels"},
    {Path::ggml, "ggml"},
});

std::string rope_text(const RopeParameters& rope) {
  std::string text = "base " + std::to_string(static_cast<int64_t>(rope.base));
  switch (rope.scaling) {
    case RopeScaling::none:
      break;
    case RopeScaling::linear:
      text += ", linear x" + std::to_string(rope.factor);
      break;
    case RopeScaling::yarn:
      text += ", yarn x" + std::to_string(rope.factor);
      break;
  }
  if (!rope.frequency_factors.empty()) text += ", with rope_freqs";
  return text;
}

Path choose_path(Path wanted, const Backend& backend, const Hyperparameters& h) {
  const auto obstacle = KernelOperations::obstacle(h);
  if (wanted == Path::kernels && obstacle) {
    throw InvalidRequest("lanerope's kernels cannot run this model (" + *obstacle + "); use --path ggml");
  }
  if (wanted == Path::kernels && !backend.on_cpu()) {
    throw InvalidRequest("lanerope's kernels run on the CPU; use --path ggml with --device " +
                         backend.name());
  }
  if (wanted != Path::automatic) return wanted;
  return backend.on_cpu() && !obstacle ? Path::kernels : Path::ggml;
}

std::optional<ChatFormat> choose_chat_format(const Vocabulary& vocabulary, const std::string& chosen) {
  if (chosen.empty()) return recognise(vocabulary.chat_template());
  return chat_format(vocabulary.chat_template(), chosen);
}

}  // namespace

std::string_view name(Path value) {
  return paths.name(value);
}
std::optional<Path> parse_path(std::string_view text) {
  return paths.parse(text);
}

ModelInfo describe_model(const GgufFile& file, const Hyperparameters& h) {
  ModelInfo info{.file = file.path(),
                 .name = h.name,
                 .architecture = std::string(h.architecture->name),
                 .n_layer = h.n_layer,
                 .width = h.width,
                 .n_head = h.n_head,
                 .n_head_kv = h.n_head_kv,
                 .head_dim = h.head_dim,
                 .n_ffn = h.n_ffn,
                 .n_vocab = h.n_vocab,
                 .trained_context = h.trained_context,
                 .rope = rope_text(h.rope)};
  info.tied_output = file.find_tensor("output.weight") == nullptr;
  for (const TensorInfo& tensor : file.tensors()) {
    info.n_parameters += tensor.ne[0] * tensor.ne[1] * tensor.ne[2] * tensor.ne[3];
    info.weight_bytes += tensor.bytes;
    ++info.tensor_types[ggml_type_name(tensor.type)];
  }
  info.lanes = read_lane_training(file);
  info.tokenizer = file.find<std::string>("tokenizer.ggml.model").value_or("");
  const auto pre = file.find<std::string>("tokenizer.ggml.pre");
  if (pre) info.tokenizer += " (" + *pre + ")";
  const auto format = recognise(file.find<std::string>("tokenizer.chat_template").value_or(""));
  if (format) info.chat_template = name(format->kind);
  return info;
}

Model::Parts::Parts(const ModelOptions& options)
    : file(options.file),
      h(read_hyperparameters(file)),
      theta(effective_theta(h.rope)),
      backend(options.device, options.threads),
      path(choose_path(options.path, backend, h)),
      weights(load_weights(file, h, backend, {.pack = path == Path::kernels, .progress = options.progress})),
      vocabulary(std::make_shared<const Vocabulary>(read_vocabulary(file))),
      tokenizer(vocabulary),
      chat(choose_chat_format(*vocabulary, options.chat_template)) {
  if (vocabulary->size() > static_cast<size_t>(h.n_vocab)) {
    throw BadFile(options.file + ": the tokenizer has " + std::to_string(vocabulary->size()) +
                  " tokens and the model " + std::to_string(h.n_vocab) + "; the file does not fit together");
  }
  info = describe_model(file, h);
  if (info.lanes) check_omega(*info.lanes, h);
  info.resident_bytes = weights.resident_bytes;
  info.chat_template = chat ? std::string(lanerope::name(chat->kind)) : "";
  info.device = backend.name();
  info.path = lanerope::name(path);
  info.threads = backend.threads();
  for (const AdapterOptions& adapter : options.adapters) {
    const auto index = static_cast<int32_t>(info.adapters.size());
    info.adapters.push_back(load_adapter(adapter.file, index, h, backend, weights));
    info.adapters.back().scale = adapter.scale;
  }
}

std::unique_ptr<LaneOperations> Model::Parts::make_operations(KvType kv_type) const {
  // f32 cells are for measuring exactness, and the kernels read f16 and q8_0.
  if (path == Path::kernels && kv_type != KvType::f32)
    return std::make_unique<KernelOperations>(h, weights, backend.threads());
  return std::make_unique<GgmlOperations>();
}

Model::Model(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Model::~Model() = default;

std::shared_ptr<const Model> Model::load(const ModelOptions& options) {
  return std::shared_ptr<const Model>(new Model(std::make_unique<Parts>(options)));
}

const ModelInfo& Model::info() const {
  return parts_->info;
}

const LaneTraining* Model::lane_training(std::span<const float> adapter_scales) const {
  const ModelInfo& model = info();
  for (size_t i = 0; i < model.adapters.size(); ++i) {
    const AdapterInfo& adapter = model.adapters[i];
    const float scale = adapter_scales.empty() ? adapter.scale : adapter_scales[i];
    if (scale != 0 && adapter.lanes) return &*adapter.lanes;
  }
  return model.lanes ? &*model.lanes : nullptr;
}

size_t Model::bytes_per_cell() const {
  return kv_bytes_per_cell(parts_->h, KvType::f16);
}

std::vector<TokenId> Model::encode(std::string_view text, EncodeOptions options) const {
  return parts_->tokenizer.encode(
      text, {.add_special = options.add_special, .parse_special = options.parse_special});
}

std::string Model::decode(std::span<const TokenId> tokens) const {
  return parts_->tokenizer.decode(tokens, {.special = true, .strip_space_prefix = true});
}

std::string Model::piece(TokenId token) const {
  return std::string(parts_->vocabulary->piece(token));
}

bool Model::is_end(TokenId token) const {
  return parts_->vocabulary->contains(token) && parts_->vocabulary->is_end(token);
}

std::string Model::apply_template(std::span<const Message> messages) const {
  // chat_format says what is wrong where there is none.
  const ChatFormat format =
      parts_->chat ? *parts_->chat : chat_format(parts_->vocabulary->chat_template(), "");
  std::vector<ChatMessage> views;
  for (const Message& message : messages) views.push_back({.role = message.role, .content = message.content});
  return render(format, views, {});
}

bool Model::template_opens_thinking() const {
  return parts_->chat && parts_->chat->opens_think;
}

std::vector<std::string> chat_template_names() {
  return all_chat_templates();
}

std::string_view version() {
  return LANEROPE_VERSION;
}

}  // namespace lanerope
