// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "gguf/file.h"
#include "tools/random_adapter.h"

int main(int argc, char** argv) {
  CLI::App app("Writes a LoRA adapter with random values for a GGUF model, for tests and measurements.");
  lanerope::tools::RandomAdapter adapter;
  lanerope::Coupling coupling;
  std::string model;
  std::string path;
  bool lanes = false;
  app.add_option("-m,--model", model, "GGUF model that the adapter is to fit")->required();
  app.add_option("-o,--output", path, "GGUF file to write")->required();
  app.add_option("--rank", adapter.rank, "rank of each pair")->check(CLI::PositiveNumber);
  app.add_option("--alpha", adapter.alpha, "alpha, of which the product is multiplied by alpha / rank");
  app.add_option("--strength", adapter.strength, "size of the correction beside what it corrects");
  app.add_option("--type", adapter.type, "f32, f16 or bf16");
  app.add_option("--targets", adapter.targets, "linear maps to correct, attn_q,ffn_down for example")
      ->delimiter(',');
  app.add_option("--seed", adapter.seed, "seed of the values");
  app.add_flag("--lanerope", lanes, "add the lanerope.* keys");
  app.add_option("--stride", coupling.stride, "lanerope.stride");
  app.add_option("--omega", coupling.omega, "lanerope.omega, values separated by commas")->delimiter(',');
  try {
    app.parse(argc, argv);
    if (lanes) adapter.coupling = coupling;
    lanerope::tools::write_random_adapter(adapter, lanerope::gguf::File(model), path);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::cerr << "make_adapter: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
