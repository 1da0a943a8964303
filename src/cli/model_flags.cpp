// SPDX-License-Identifier: Apache-2.0
#include "cli/model_flags.h"

#include <cstdio>

#include "cli/bundled_files.h"
#include "cli/choice.h"
#include "cli/output.h"

namespace lanerope::cli {

namespace {

constexpr auto group = "Model";

}  // namespace

void add_plain_model_flags(CLI::App& app, ModelFlags& flags) {
  add_model_source(app, flags.source, group);
  app.add_option("--lora", flags.adapters,
                 "Apply a LoRA adapter: a file, hf:user/repo[:file] from the hub, or lanes:NAME of those "
                 "that come with lanerope; repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->take_all()
      ->group(group);
  app.add_option("--lora-scaled", flags.scaled_adapters, "Apply a LoRA adapter with a scale; repeatable")
      ->type_name("FILE SCALE")
      ->allow_extra_args(false)
      ->take_all()
      ->group(group);
  app.add_option("-t,--threads", flags.threads, "Threads (default: all cores)")
      ->type_name("N")
      ->check(CLI::Range(0, 4096))
      ->group(group);
  add_placement_flags(app, flags.placement, group);
  add_choice(app, "--backend,--path", flags.back_end)
      ->description("Code that computes: lanerope's kernels, or plain ggml (default: automatic)")
      ->group(group);
}

void add_model_flags(CLI::App& app, ModelFlags& flags) {
  add_plain_model_flags(app, flags);
  app.add_option("--chat-template,--chat-template-file", flags.chat_template,
                 "Chat template in place of the file's: a file in Jinja, or " +
                     CLI::detail::join(chat_template_names(), ", "))
      ->type_name("NAME|FILE")
      ->group(group);
  app.add_option("--chat-template-kwargs", flags.template_arguments,
                 "Variables for the chat template, such as '{\"enable_thinking\": false}'")
      ->type_name("JSON")
      ->group(group);
  // As llama.cpp has it. Templates are always run.
  app.add_flag("--jinja", "Accepted: chat templates are always run as they are")->group(group);
}

ModelFlags with_local_files(ModelFlags flags) {
  const bool bundled =
      wanted_of(flags.source).repo.empty() && flags.source.url.empty() && flags.source.file.empty();
  if (!bundled) flags.source = {.file = model_file(flags.source), .hub = flags.source.hub};
  for (std::string& file : flags.adapters) file = adapter_file(file, flags.source.hub);
  for (auto& [file, scale] : flags.scaled_adapters) file = adapter_file(file, flags.source.hub);
  return flags;
}

std::shared_ptr<const Model> load_model(const ModelFlags& wanted) {
  const ModelFlags flags = with_local_files(wanted);
  ModelOptions options{.file = flags.source.file.empty() ? default_model_file() : flags.source.file,
                       .threads = flags.threads,
                       .back_end = flags.back_end,
                       .chat_template = flags.chat_template,
                       .template_arguments = flags.template_arguments};
  set_placement(options, flags.placement);
  for (const std::string& file : flags.adapters) options.adapters.push_back({.file = file});
  for (const auto& [file, scale] : flags.scaled_adapters)
    options.adapters.push_back({.file = file, .scale = scale});
  int shown = -1;
  if (notes_are_terminal()) {
    options.progress = [&shown](float share) {
      const int percent = static_cast<int>(share * 100);
      if (percent == shown) return;
      shown = percent;
      std::fprintf(stderr, "\rloading the model, %d%%", percent);
    };
  }
  const auto erase = [&shown] {
    if (shown >= 0) std::fprintf(stderr, "\r\033[K");
  };
  try {
    std::shared_ptr<const Model> model = Model::load(options);
    erase();
    return model;
  } catch (...) {
    erase();
    throw;
  }
}

void add_cell_flags(CLI::App& app, CellFlags& flags) {
  app.add_option("-c,--cells", flags.cells,
                 "KV cells, for the prompt and all lanes together (default: as needed)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->group(group);
  add_choice(app, "--kv-type", flags.kv_type)
      ->description("Type of keys and values (default: f16)")
      ->group(group);
}

}  // namespace lanerope::cli
