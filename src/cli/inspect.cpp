// SPDX-License-Identifier: Apache-2.0
#include "lanerope/inspect.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/choice.h"
#include "cli/commands.h"
#include "cli/coupling_flags.h"
#include "cli/exit_code.h"
#include "cli/format.h"
#include "cli/model_source.h"
#include "cli/output.h"
#include "cli/placement_flags.h"
#include "cli/placement_table.h"
#include "hub/known_digest.h"
#include "lanerope/errors.h"
#include "lanerope/page.h"

namespace lanerope::cli {

namespace {

using Json = nlohmann::ordered_json;

// Those of a request (engine/resolve.cpp).
constexpr int most_lanes = 1024;
constexpr int most_tokens = 1 << 24;

constexpr auto footer =
    "Examples:\n"
    "  lanerope inspect model.gguf\n"
    "  lanerope inspect -hf user/repo:Q4_K_M --sha256\n"
    "  lanerope inspect model.gguf --lanes 8 --budget 2048 --prompt-tokens 4096\n"
    "  lanerope inspect model.gguf --device Vulkan0,Vulkan1 -ngl 20 -ts 3,1\n"
    "  lanerope inspect adapter.gguf --tensors --json | jq .tensors";

struct InspectFlags {
  std::string file;
  ModelSource source;
  bool digest = false;
  int32_t lanes = 4;
  int32_t budget = RequestDefaults{}.budget;
  int32_t prompt_tokens = 512;
  KvType kv_type = KvType::f16;
  PlacementFlags placement;
  bool json = false;
  bool tensors = false;
  bool keys = false;
};

struct Memory {
  int64_t cell_bytes = 0;
  int64_t prompt_cells = 0;
  int64_t lane_cells = 0;      // lanes x budget
  int64_t separate_cells = 0;  // what the lanes would take as runs of their own

  int64_t cells() const { return prompt_cells + lane_cells; }
};

Memory memory_of(const ModelInfo& model, const InspectFlags& flags) {
  return {.cell_bytes = static_cast<int64_t>(bytes_per_cell(model, flags.kv_type)),
          .prompt_cells = whole_pages(flags.prompt_tokens),
          .lane_cells = int64_t{flags.lanes} * whole_pages(flags.budget),
          .separate_cells = int64_t{flags.lanes} * whole_pages(flags.prompt_tokens + flags.budget)};
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

std::string one_line(std::string text) {
  for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos;) text.replace(at, 1, "\\n");
  return text;
}

std::string fact(const std::string& what, const std::string& value) {
  return "  " + what + std::string(what.size() < 18 ? 18 - what.size() : 1, ' ') + value + "\n";
}

std::string lane_training_text(const LaneTraining& training) {
  std::string text = fact("coupling", describe(training.coupling)) +
                     fact("visibility", std::string(name(training.coupling.visibility)));
  if (!training.coupling.omega.empty())
    text += fact("omega", std::to_string(training.coupling.omega.size()) + " values");
  if (training.tag) text += fact("lane tag", *training.tag);
  if (training.wait) text += fact("waits with", "\"" + *training.wait + "\"");
  if (training.ready) text += fact("is ready with", "\"" + *training.ready + "\"");
  std::string lanes;
  for (const int32_t n : training.lanes) lanes += (lanes.empty() ? "" : ", ") + std::to_string(n);
  if (!lanes.empty()) text += fact("trained lanes", lanes);
  return text;
}

std::string template_text(const ModelInfo& model) {
  if (!model.chat_template_obstacle.empty()) return "cannot be used: " + model.chat_template_obstacle;
  if (model.chat_template.empty()) return "none";
  const auto can = [&model](const char* what) { return model.chat_template_capabilities.at(what); };
  std::string text = model.chat_template;
  text += can("supports_system_role") ? "; system messages" : "; system messages go before the user's";
  if (can("supports_tools")) text += can("supports_tool_calls") ? ", tools" : ", tools without results";
  return text;
}

std::string padding_text(const ModelInfo& model) {
  if (model.n_vocab == model.n_tokens) return "";
  return " (and " + std::to_string(model.n_vocab - model.n_tokens) + " rows of padding)";
}

std::string parameters_text(const ModelInfo& model) {
  const std::string all = count_text(model.n_parameters);
  return model.n_expert > 0 ? all + ", " + count_text(model.n_active_parameters) + " of them for a token"
                            : all;
}

std::string rope_text(const ModelInfo& model) {
  if (model.n_unrotated == 0) return model.rope;
  return model.rope + ", none in " + std::to_string(model.n_unrotated) + " layers";
}

// What only some models have.
std::string special_text(const ModelInfo& model) {
  std::string text;
  if (model.n_expert > 0) {
    text += fact("experts", std::to_string(model.n_expert) + " a layer, " +
                                std::to_string(model.n_expert_used) + " for a token");
  }
  if (model.n_windowed > 0) {
    text += fact("windows", std::to_string(model.window) + " tokens in " + std::to_string(model.n_windowed) +
                                " layers" +
                                (model.window_rope.empty() ? "" : ", with RoPE " + model.window_rope));
  }
  if (model.n_bridges > 0) {
    text += fact("bridge", std::to_string(model.bridge_heads) + " heads of " +
                               std::to_string(model.bridge_head_dim) + " behind " +
                               std::to_string(model.n_bridges) + " layers");
  }
  std::string caps;
  if (model.score_cap > 0) caps = "scores " + with_digits(model.score_cap, 0);
  if (model.logit_cap > 0) caps += (caps.empty() ? "" : ", ") + ("logits " + with_digits(model.logit_cap, 0));
  if (!caps.empty()) text += fact("soft-caps", caps);
  return text;
}

std::string model_text(const ModelInfo& model) {
  std::string types;
  for (const auto& [type, count] : model.tensor_types) {
    types += (types.empty() ? "" : ", ") + std::to_string(count) + " " + type;
  }
  return fact("architecture", model.architecture) + fact("parameters", parameters_text(model)) +
         fact("layers", std::to_string(model.n_layer)) +
         fact("width", std::to_string(model.n_embd) + ", feed-forward " + std::to_string(model.n_ffn) +
                           (model.n_expert > 0 ? " an expert" : "")) +
         fact("heads", std::to_string(model.n_head) + " of " + std::to_string(model.head_dim) + ", " +
                           std::to_string(model.n_head_kv) + " for keys and values") +
         fact("vocabulary", std::to_string(model.n_tokens) + padding_text(model) +
                                (model.tied_output ? ", output tied to it" : "")) +
         fact("trained context", std::to_string(model.trained_context)) + fact("RoPE", rope_text(model)) +
         special_text(model) + fact("tensors", types) + fact("tokenizer", model.tokenizer) +
         fact("chat template", template_text(model)) + (model.lanes ? lane_training_text(*model.lanes) : "");
}

std::string adapter_text(const AdapterInfo& adapter) {
  const std::string text = fact("rank", std::to_string(adapter.rank)) +
                           fact("alpha", with_digits(adapter.alpha, 2)) +
                           fact("tensors", std::to_string(adapter.n_tensors));
  if (!adapter.lanes) return text + fact("coupling", "none: a plain LoRA");
  return text + lane_training_text(*adapter.lanes) +
         fact("on the prompt", adapter.on_prompt ? "yes" : "no: the prompt's cells can be shared");
}

std::string memory_text(const Memory& memory, const InspectFlags& flags) {
  const auto bytes = [&](int64_t cells) {
    return bytes_text(static_cast<double>(cells * memory.cell_bytes));
  };
  return "\nKV memory for " + std::to_string(flags.lanes) + " lanes with a budget of " +
         std::to_string(flags.budget) + ", prompt of " + std::to_string(flags.prompt_tokens) + " (" +
         std::string(name(flags.kv_type)) + ", " + std::to_string(memory.cell_bytes) + " bytes a cell)\n" +
         table_text(
             {{"  ", "cells", "memory"},
              {"  prompt, stored once", std::to_string(memory.prompt_cells), bytes(memory.prompt_cells)},
              {"  lanes x budget", std::to_string(memory.lane_cells), bytes(memory.lane_cells)},
              {"  together", std::to_string(memory.cells()), bytes(memory.cells())},
              {"  as separate runs", std::to_string(memory.separate_cells), bytes(memory.separate_cells)}});
}

// Where other devices than the CPU are named: what each of them gets, for the cells of the memory table.
std::optional<PlacementInfo> placement_of(const FileDescription& file, const InspectFlags& flags) {
  if (!has_placement(flags.placement)) return std::nullopt;
  if (!file.model) throw InvalidRequest(file.file + " is an adapter, which lies where its model does");
  ModelOptions options{.file = file.file};
  set_placement(options, flags.placement);
  return describe_placement(options, memory_of(*file.model, flags).cells(), flags.kv_type);
}

// Of a split set, that of its first shard.
std::string digest_of(const FileDescription& file, const InspectFlags& flags) {
  return hub::sha256_of(file.file, hub_settings(flags.source.hub));
}

void print_text(const FileDescription& file, const InspectFlags& flags) {
  std::string text = file.file + ": " + (file.model ? "model" : "adapter");
  if (file.model && !file.model->name.empty()) text += " " + file.model->name;
  text += ", " + bytes_text(static_cast<double>(file.bytes));
  if (file.shards > 1) text += " in " + std::to_string(file.shards) + " shards";
  text += "\n";
  if (flags.digest) text += fact("SHA-256", digest_of(file, flags));
  if (file.model) text += model_text(*file.model) + memory_text(memory_of(*file.model, flags), flags);
  if (const auto placement = placement_of(file, flags)) text += "\n" + placement_text(*placement);
  if (file.adapter) text += adapter_text(*file.adapter);
  if (flags.keys) {
    text += "\n";
    for (const FileKey& key : file.keys)
      text += "  " + key.key + " (" + key.type + ") = " + one_line(key.value) + "\n";
  }
  if (flags.tensors) {
    std::vector<std::vector<std::string>> rows = {{"  tensor", "type", "shape", "bytes"}};
    for (const FileTensor& tensor : file.tensors) {
      rows.push_back(
          {"  " + tensor.name, tensor.type, shape_text(tensor.shape), std::to_string(tensor.bytes)});
    }
    text += "\n" + table_text(rows);
  }
  print_out(output_is_terminal() ? without_controls(text) : text);
}

Json lane_training_json(const LaneTraining& training) {
  const Coupling& coupling = training.coupling;
  Json json = {{"coupling",
                {{"kind", name(coupling.kind)},
                 {"init", name(coupling.init)},
                 {"stride", coupling.stride},
                 {"visibility", name(coupling.visibility)},
                 {"omega", coupling.omega}}},
               {"trained_lanes", training.lanes}};
  if (training.tag) json["tag"] = *training.tag;
  if (training.wait) json["wait"] = *training.wait;
  if (training.ready) json["ready"] = *training.ready;
  return json;
}

Json model_json(const ModelInfo& model) {
  Json json = {{"name", model.name},
               {"architecture", model.architecture},
               {"n_layer", model.n_layer},
               {"width", model.n_embd},
               {"n_head", model.n_head},
               {"n_head_kv", model.n_head_kv},
               {"head_dim", model.head_dim},
               {"n_ffn", model.n_ffn},
               {"n_expert", model.n_expert},
               {"n_expert_used", model.n_expert_used},
               {"n_vocab", model.n_vocab},
               {"trained_context", model.trained_context},
               {"rope", model.rope},
               {"n_unrotated", model.n_unrotated},
               {"window", model.window},
               {"n_windowed", model.n_windowed},
               {"window_rope", model.window_rope},
               {"score_cap", model.score_cap},
               {"logit_cap", model.logit_cap},
               {"n_bridges", model.n_bridges},
               {"bridge_heads", model.bridge_heads},
               {"bridge_head_dim", model.bridge_head_dim},
               {"tied_output", model.tied_output},
               {"n_parameters", model.n_parameters},
               {"n_active_parameters", model.n_active_parameters},
               {"weight_bytes", model.weight_bytes},
               {"tensor_types", model.tensor_types},
               {"tokenizer", model.tokenizer},
               {"chat_template", model.chat_template},
               {"chat_template_capabilities", model.chat_template_capabilities}};
  if (!model.chat_template_obstacle.empty()) json["chat_template_obstacle"] = model.chat_template_obstacle;
  if (model.lanes) json["lanes"] = lane_training_json(*model.lanes);
  return json;
}

Json adapter_json(const AdapterInfo& adapter) {
  Json json = {{"rank", adapter.rank}, {"alpha", adapter.alpha},         {"n_tensors", adapter.n_tensors},
               {"coupling", nullptr},  {"trained_lanes", Json::array()}, {"on_prompt", adapter.on_prompt}};
  if (adapter.lanes) json.update(lane_training_json(*adapter.lanes));
  return json;
}

void print_json(const FileDescription& file, const InspectFlags& flags) {
  Json json = {{"file", file.file},
               {"kind", file.model ? "model" : "adapter"},
               {"bytes", file.bytes},
               {"shards", file.shards},
               {"parts", file.shards}};
  if (flags.digest) json["sha256"] = digest_of(file, flags);
  if (file.model) {
    const Memory memory = memory_of(*file.model, flags);
    json["model"] = model_json(*file.model);
    json["memory"] = {{"lanes", flags.lanes},
                      {"budget", flags.budget},
                      {"kv_type", name(flags.kv_type)},
                      {"bytes_per_cell", memory.cell_bytes},
                      {"prompt_cells", memory.prompt_cells},
                      {"lane_cells", memory.lane_cells},
                      {"cells", memory.cells()},
                      {"kv_bytes", memory.cells() * memory.cell_bytes},
                      {"separate_kv_bytes", memory.separate_cells * memory.cell_bytes}};
  }
  if (const auto placement = placement_of(file, flags)) json["placement"] = placement_json(*placement);
  if (file.adapter) json["adapter"] = adapter_json(*file.adapter);
  if (flags.keys) {
    json["keys"] = Json::array();
    for (const FileKey& key : file.keys) {
      json["keys"].push_back(
          {{"key", key.key}, {"type", key.type}, {"count", key.count}, {"value", key.value}});
    }
  }
  if (flags.tensors) {
    json["tensors"] = Json::array();
    for (const FileTensor& tensor : file.tensors) {
      json["tensors"].push_back(
          {{"name", tensor.name}, {"type", tensor.type}, {"shape", tensor.shape}, {"bytes", tensor.bytes}});
    }
  }
  print_json_line(json);
}

std::string file_of(const InspectFlags& flags) {
  ModelSource source = flags.source;
  if (!flags.file.empty()) {
    if (!source.file.empty() || !source.repo.empty() || !source.url.empty())
      throw InvalidRequest("a file is named twice; give FILE or an option, not both");
    source.file = flags.file;
  }
  return model_file(source);
}

// An adapter has no cells of its own, so nothing would come of what says how many there are.
void refuse_memory_options(const CLI::App& app, const FileDescription& adapter) {
  for (const char* option : {"--lanes", "--budget", "--prompt-tokens", "--kv-type"}) {
    if (app.count(option) > 0)
      throw InvalidRequest(std::string(option) + " is about the memory of a model, and " + adapter.file +
                           " is an adapter; leave it out");
  }
}

int run(const CLI::App& app, const InspectFlags& flags) {
  const FileDescription file = describe_file(file_of(flags));
  if (!file.model) refuse_memory_options(app, file);
  if (flags.json) {
    print_json(file, flags);
  } else {
    print_text(file, flags);
  }
  return exit_ok;
}

}  // namespace

Command add_inspect(CLI::App& root) {
  auto flags = std::make_shared<InspectFlags>();
  CLI::App* app =
      root.add_subcommand("inspect", "Show what a model or an adapter holds, and the memory for N lanes");
  app->footer(footer);
  app->add_option("FILE", flags->file, "GGUF file, or hf:user/repo[:quant]; the same as -m");
  add_model_source(*app, flags->source);
  app->add_option("-n,--lanes", flags->lanes, "Lanes")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(1, most_lanes));
  app->add_option("-b,--budget", flags->budget, "Tokens that each lane may spend")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(0, most_tokens));
  app->add_option("--prompt-tokens", flags->prompt_tokens, "Tokens of the prompt")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(0, most_tokens));
  add_choice(*app, "--kv-type", flags->kv_type)->description("Type of keys and values (default: f16)");
  add_placement_flags(*app, flags->placement, "Devices");
  app->add_flag("--tensors", flags->tensors, "List the tensors");
  app->add_flag("--sha256", flags->digest, "Tell the file's SHA-256 too, which is read for it once");
  app->add_flag("--keys", flags->keys, "List the metadata");
  app->add_flag("--json", flags->json, "One JSON object");
  return {app, [app, flags] { return run(*app, *flags); }};
}

}  // namespace lanerope::cli
