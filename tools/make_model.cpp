// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <string>

#include "arch/architectures.h"
#include "lanerope/errors.h"
#include "tools/random_model.h"

namespace {

struct Arguments {
  lanerope::tools::RandomModel model;
  std::string path;
};

void add_options(CLI::App& app, Arguments& arguments) {
  lanerope::tools::RandomModel& m = arguments.model;
  // CLI11 acts on options in this order, whatever theirs on the command line: what follows changes the
  // preset.
  app.add_option_function<std::string>(
      "--preset", [&m](const std::string& name) { m = lanerope::tools::preset_model(name); },
      "tiny (default) or r1-1.5b");
  app.add_option("--architecture", m.architecture, lanerope::arch::architecture_names());
  app.add_option("--layers", m.n_layer, "transformer layers");
  app.add_option("--width", m.width, "size of the hidden state");
  app.add_option("--heads", m.n_head, "query heads");
  app.add_option("--kv-heads", m.n_head_kv, "key and value heads");
  app.add_option("--head-dim", m.head_dim, "size of a head");
  app.add_option("--ffn", m.n_ffn, "size of the feed-forward layer");
  app.add_option("--experts", m.n_expert, "experts of a feed-forward layer, in architectures that have some");
  app.add_option("--experts-used", m.n_expert_used, "how many of them a token goes to");
  app.add_option("--vocabulary", m.n_vocab, "tokens; 0 is what the tokenizer has by nature");
  app.add_option("--padding", m.padding, "rows of the vocabulary behind its tokens");
  app.add_option("--context", m.context, "trained context in tokens");
  app.add_option("--type", m.type, "f32, f16, bf16, q8_0, q4_0, q4_k_m, or any other type of ggml");
  app.add_flag("--tied,!--untied", m.tied, "whether the output matrix is the token embedding");
  app.add_option("--window", m.window, "attention.sliding_window of architectures that have one");
  app.add_option("--bridge-heads", m.bridge_heads, "heads of blocks for the coupling bridge; 0: it has none");
  app.add_option("--bridge-head-dim", m.bridge_head_dim, "size of one");
  app.add_option("--bridge-every", m.bridge_every, "layers from one such block to the next");
  app.add_option("--rope-base", m.rope_base, "base of the rotary frequencies");
  const std::map<std::string, lanerope::core::RopeScaling> scalings = {
      {"none", lanerope::core::RopeScaling::none},
      {"linear", lanerope::core::RopeScaling::linear},
      {"yarn", lanerope::core::RopeScaling::yarn}};
  app.add_option("--rope-scaling", m.rope_scaling, "none, linear or yarn")
      ->transform(CLI::CheckedTransformer(scalings));
  app.add_option("--rope-factor", m.rope_factor,
                 "how far linear, yarn or llama-3 scaling stretches the context");
  app.add_option("--rope-original-context", m.rope_original_context, "the context before it was stretched");
  app.add_flag("--llama3-rope-freqs", m.llama3_rope_freqs, "write a rope_freqs.weight tensor");
  app.add_option("--output-gain", m.output_gain, "deviation of the logits");
  app.add_option("--seed", m.seed, "seed of the weights");
  app.add_option("--splits", m.splits, "files to split the model into");
  app.add_option("--threads", m.threads, "threads to quantise with");
  app.add_option("-o,--output", arguments.path, "GGUF file to write")->required();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Writes a GGUF model with random weights, for tests and measurements.");
  Arguments arguments;
  add_options(app, arguments);
  try {
    app.parse(argc, argv);
    std::cout << lanerope::tools::write_random_model(arguments.model, arguments.path) << "\n";
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::cerr << "make_model: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
