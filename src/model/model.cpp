// SPDX-License-Identifier: Apache-2.0
#include "lanerope/model.h"

#include "lanerope/errors.h"
#include "model/kv_pool.h"
#include "model/loaded_model.h"
#include "model/workers.h"
#include "text/builtin_templates.h"

namespace lanerope {

const model::LoadedModel& model::loaded(const Model& model) {
  return *model.loaded_;
}

Model::Model(std::unique_ptr<const model::LoadedModel> loaded) : loaded_(std::move(loaded)) {}
Model::~Model() = default;

std::shared_ptr<const Model> Model::load(const ModelOptions& options) {
  std::shared_ptr<const Model> loaded(new Model(std::make_unique<const model::LoadedModel>(options)));
  if (!options.workers.empty()) model::notice_silent_workers();
  return loaded;
}

const ModelInfo& Model::info() const {
  return loaded_->info;
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
  return model::kv_bytes_per_cell(loaded_->config, KvType::f16);
}

std::vector<TokenId> Model::encode(std::string_view text, EncodeOptions options) const {
  return loaded_->tokenizer.encode(
      text, {.add_special = options.add_special, .parse_special = options.parse_special});
}

std::string Model::decode(std::span<const TokenId> tokens) const {
  return loaded_->tokenizer.decode(tokens, {.special = true, .strip_space_prefix = true});
}

std::string Model::piece(TokenId token) const {
  return std::string(loaded_->vocabulary->piece(token));
}

bool Model::is_end(TokenId token) const {
  return loaded_->vocabulary->contains(token) && loaded_->vocabulary->is_end(token);
}

std::string Model::apply_template(std::span<const Message> messages) const {
  if (messages.empty()) throw InvalidRequest("the conversation is empty; give it a user message");
  return prompt_text({.messages = {messages.begin(), messages.end()}}, NoTemplate::refuse).text;
}

Model::PromptText Model::prompt_text(const Prompt& prompt, NoTemplate no_template) const {
  text::RenderedPrompt rendered = text::render_prompt(loaded_->prompt_format(no_template), prompt);
  return {.text = std::move(rendered.text), .raw = rendered.raw};
}

ChatStyle Model::chat_style(bool with_tools) const {
  const text::ChatTemplate* chat = loaded_->templates.choose(with_tools);
  return chat != nullptr ? chat->style() : ChatStyle{};
}

std::string Model::format_obstacle(const AnswerFormat& format) const {
  try {
    loaded_->formats.compile(format);
    return {};
  } catch (const InvalidRequest& error) {
    return error.what();
  }
}

bool Model::template_reads(std::string_view variable) const {
  return loaded_->templates.chat && loaded_->templates.chat->reads(variable);
}

std::vector<std::string> chat_template_names() {
  return text::builtin_template_names();
}

std::string_view version() {
  return LANEROPE_VERSION;
}

}  // namespace lanerope
