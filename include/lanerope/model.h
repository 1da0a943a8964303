// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/answer_format.h"
#include "lanerope/chat_style.h"
#include "lanerope/model_info.h"
#include "lanerope/names.h"
#include "lanerope/prompt.h"
#include "lanerope/token.h"

namespace lanerope {

// Which code multiplies weights and attends. `kernels` needs the CPU; it is the default there.
enum class BackEnd {
  automatic,
  kernels,  // lanerope's own, in src/kernels
  ggml,     // plain ggml operations: the reference, and every other back end
};
template <>
std::span<const Named<BackEnd>> names();

// How a model is spread over several devices.
enum class SplitMode {
  none,   // all of it on one of them, ModelOptions::main_gpu
  layer,  // whole layers, in proportion to ModelOptions::tensor_split
};
template <>
std::span<const Named<SplitMode>> names();

// A LoRA adapter to load over a model.
struct AdapterOptions {
  std::string file = {};  // GGUF
  float scale = 1.0F;     // of what it adds, where a request does not say; 0 switches it off
};

// What Model::load loads, and where.
struct ModelOptions {
  std::string file = {};  // GGUF; of a split set the first shard
  std::vector<AdapterOptions> adapters = {};
  // "cpu" (or "none"), or others of device_names(), with commas between them. Empty: the workers' and all of
  // this machine's that are not the CPU, or without workers the CPU.
  std::string device = {};
  // Addresses of workers, "host:port": their devices are RPC0, RPC1, ... (lanerope/workers.h).
  std::vector<std::string> workers = {};
  // So many of the last layers are computed on the devices, the output counting as the last one of all; the
  // others on the CPU. KV cells lie with their layer. Negative: all.
  int32_t gpu_layers = -1;
  SplitMode split_mode = SplitMode::layer;
  std::vector<float> tensor_split =
      {};                 // proportions, one a device; empty: as much memory as is free on each
  int32_t main_gpu = -1;  // for SplitMode::none: counted from 0; negative: the first
  // "PATTERN=DEVICE,...": tensors of the file in whose name a regular expression is found lie on that device
  // ("CPU" or one of `device`), whatever their layer's is. The first that is found counts.
  std::string override_tensor = {};
  int32_t threads = 0;  // 0: all cores
  BackEnd back_end = BackEnd::automatic;
  // In place of the file's chat template: the name of a built-in one, a path, or a text in Jinja.
  std::string chat_template = {};
  std::string template_arguments =
      {};  // a JSON object of variables for the template, where a prompt does not set them
  // Called while loading, on the loading thread, with the share that is done, 0 to 1; may be empty.
  std::function<void(float)> progress = {};
};

class Model;
namespace model {
struct LoadedModel;  // src/model/loaded_model.h
const LoadedModel& loaded(const Model& model);
}  // namespace model

// A base model with its adapters and its tokenizer. Immutable after load; all members may be called from any
// thread.
class Model {
 public:
  // Throws BadFile, InvalidRequest (unknown device, an adapter for another model), DoesNotFit or SystemError.
  static std::shared_ptr<const Model> load(const ModelOptions& options);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const ModelInfo& info() const;

  // What decides couplings and tags where a request leaves them open: the first adapter that is on and was
  // trained with lanes, else the base model, else nothing. `adapter_scales` one an adapter; empty: as loaded.
  const LaneTraining* lane_training(std::span<const float> adapter_scales = {}) const;

  // Bytes of one cell of KvType::f16, that is of one token's keys and values over all layers.
  size_t bytes_per_cell() const;

  struct EncodeOptions {
    bool add_special = true;    // what the model wants before a text, such as a begin token
    bool parse_special = true;  // "<|im_end|>" in the text becomes that token
  };
  // Text to tokens. Throws InvalidRequest above 1 GiB.
  std::vector<TokenId> encode(std::string_view text, EncodeOptions options) const;
  // Tokens to text, special tokens written out. Throws InvalidRequest, as piece does, for an id outside the
  // vocabulary.
  std::string decode(std::span<const TokenId> tokens) const;
  std::string piece(TokenId token) const;  // the bytes of one token, maybe half a character
  bool is_end(TokenId token) const;        // a lane that draws it ends

  // The prompt for a conversation, up to where the answer begins, in the model's own template. Throws BadFile
  // if it has none, InvalidRequest for a conversation that the template does not allow.
  std::string apply_template(std::span<const Message> messages) const;
  // The text that a prompt of messages, or of a text, is tokenised from; `raw` where messages went in without
  // a template. Throws InvalidRequest, or BadFile where the model has no template and none is refused.
  struct PromptText {
    std::string text = {};
    bool raw = false;
  };
  PromptText prompt_text(const Prompt& prompt, NoTemplate no_template) const;
  // What the chat template says of the answers; of the one for requests with tools, where there are two.
  ChatStyle chat_style(bool with_tools) const;
  // Why a format cannot be kept to, in a sentence; empty: it can.
  std::string format_obstacle(const AnswerFormat& format) const;
  // Whether it reads a variable of this name, such as enable_thinking.
  bool template_reads(std::string_view variable) const;

 private:
  friend const model::LoadedModel& model::loaded(const Model&);
  explicit Model(std::unique_ptr<const model::LoadedModel> loaded);
  std::unique_ptr<const model::LoadedModel> loaded_;
};

// The built-in chat templates, as ModelOptions::chat_template and `--chat-template` take them.
std::vector<std::string> chat_template_names();

// lanerope's version, as "0.1.0".
std::string_view version();

}  // namespace lanerope
