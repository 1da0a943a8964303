// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/coupling.h"

namespace lanerope::train {

enum class Stage { pretrain, sft, kto };
std::string_view name(Stage);
std::optional<Stage> parse_stage(std::string_view);

// In which type the linears multiply. Weights, sums and everything else are f32.
enum class ComputeType { f32, bf16 };
std::string_view name(ComputeType);
std::optional<ComputeType> parse_compute_type(std::string_view);

// The shape of a model that is trained from nothing; qwen2 blocks.
struct ModelShape {
  int32_t layers = 6;
  int32_t width = 128;
  int32_t heads = 4;
  int32_t kv_heads = 2;
  int32_t head_dim = 32;
  int32_t ffn = 384;
  int32_t context = 512;
  float rope_base = 10000.0F;
  bool tied = false;
};

// A file of traces and how often a group is drawn from it.
struct DataSource {
  std::string file = {};
  double weight = 1;
};

struct LoraConfig {
  int32_t rank = 0;  // 0: all weights are trained
  float alpha = 0;   // 0: twice the rank
  std::vector<std::string> targets = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                      "ffn_gate", "ffn_up", "ffn_down"};
  bool on_prompt = true;  // false: switched off while the prompt is read
};

// Blocks of the coupling bridge that are added to the base; their outputs begin at zero.
struct BridgeTraining {
  int32_t heads = 0;  // 0: none are added
  int32_t head_dim = 32;
  int32_t every = 1;   // behind every so many layers
  bool alone = false;  // no weight of the base learns, as with an adapter
};

struct OmegaConfig {
  OmegaInit init = OmegaInit::ntk_by_parts;
  int32_t stride = 256;
  int32_t lanes = 0;  // N in the formula of ntk; 0: the most lanes that a group of the training data has
  bool learn = false;
  bool per_layer = true;  // of a learned omega
  bool reset = false;     // also where the base was trained with lanes and has an omega
  double learning_rate = 5e-3;
};

struct KtoConfig {
  double beta = 0.1;
  double weight_right = 1;
  double weight_wrong = 1;
};

// Everything a run depends on; one JSON object, docs/training.md lists the keys.
struct TrainConfig {
  Stage stage = Stage::pretrain;
  std::string name = {};
  ModelShape model = {};        // pretrain
  std::string vocabulary = {};  // pretrain: a GGUF file with the tokenizer
  std::string base = {};        // sft, kto: the GGUF model that is trained further
  std::string adapter = {};     // sft, kto: a LoRA GGUF to go on from
  std::vector<DataSource> data = {};
  std::string dev = {};  // traces that are only measured
  int32_t dev_groups = 256;
  std::string out = {};  // the GGUF to write
  std::string run = {};  // folder of checkpoints and curves; empty: out + ".run"

  int64_t steps = 1000;
  int64_t batch_tokens = 4096;  // of one process and one accumulated part
  int32_t accumulate = 1;
  int64_t recompute_above = 0;  // tokens; larger batches compute each layer again on the way back. 0: none do
  double learning_rate = 2e-3;
  int64_t warmup = 50;
  double final_share = 0.05;  // of the learning rate, at the end of the cosine
  double weight_decay = 0.01;
  double clip = 1;
  uint64_t seed = 1;
  int32_t threads = 0;
  ComputeType type = ComputeType::f32;
  std::string device = "cpu";
  int64_t dev_every = 250;
  int64_t checkpoint_every = 250;

  LoraConfig lora = {};
  BridgeTraining bridge = {};
  OmegaConfig omega = {};
  Visibility visibility = Visibility::inclusive;
  PromptLane prompt_lane = PromptLane::own;
  SeesFrom sees_from = SeesFrom::start;  // hand_over: from the first wait or ready token on
  bool joint = true;                     // false: lanes do not see one another
  std::string tag = "<lane{k}>";         // of groups with more than one lane
  double single_tag_share = 0;  // of groups with one lane that get a tag, of a lane drawn from 1 to 8
  // The tokens by which lanes wait for one another, one each, as Request::wait and Request::ready; empty:
  // none.
  std::string wait = {};
  std::string ready = {};
  bool shuffle_lanes = false;  // which lane is which is drawn for each group
  KtoConfig kto = {};

  std::string run_folder() const { return run.empty() ? out + ".run" : run; }
};

// Reads a configuration over `defaults`. Throws InvalidRequest, naming the key, for one that is unknown or
// whose value makes no sense.
TrainConfig parse_train_config(const nlohmann::json& json, const TrainConfig& defaults);

// `file` with `settings` ("learning_rate=1e-3", "omega.init=gt", the value being JSON or else a string) put
// over it. Throws InvalidRequest, also for what means nothing in the stage or beside the other settings, and
// SystemError where the file cannot be read.
TrainConfig read_train_config(const std::string& file, const std::vector<std::string>& settings, Stage stage);

nlohmann::json to_json(const TrainConfig& config);

}  // namespace lanerope::train
