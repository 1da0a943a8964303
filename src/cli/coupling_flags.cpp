// SPDX-License-Identifier: Apache-2.0
#include "cli/coupling_flags.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/choice.h"
#include "cli/text_source.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

constexpr auto group = "Coupling";

}  // namespace

void add_coupling_flags(CLI::App& app, CouplingFlags& flags) {
  add_choice(app, "--coupling", flags.choice.kind)
      ->description(
          "How lanes see one another (default: what the model or adapter was trained with, or independent)")
      ->group(group);
  add_choice(app, "--init", flags.choice.init, {OmegaInit::given})
      ->description(
          "Omega of the lanerope coupling (default: what the model or adapter was trained with, or "
          "ntk-by-parts)")
      ->group(group);
  app.add_option("--omega", flags.omega_file, "Read omega from a file: a JSON array, or one number a line")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--stride", flags.choice.stride,
                 "Tokens between neighbouring lanes in gt, ntk and groupthink (0: the budget)")
      ->type_name("K")
      ->group(group);
  app.add_option("--window", flags.choice.window, "Of each other lane see only the last tokens (0: all)")
      ->type_name("W")
      ->group(group);
  add_choice(app, "--sees-from", flags.choice.sees_from)
      ->description(
          "From when on a lane sees others: hand-over is its first wait or ready token (default: as trained, "
          "or "
          "start)")
      ->group(group);
  add_choice(app, "--visibility", flags.choice.visibility)
      ->description("How up to date a lane sees the others (default: inclusive)")
      ->group(group);
  add_choice(app, "--topology", flags.choice.topology)
      ->description("Which other lanes a lane sees (default: all)")
      ->group(group);
  app.add_option("--block", flags.choice.block, "Lanes of a block in the topology blocks (default: 8)")
      ->type_name("B")
      ->group(group);
  add_choice(app, "--prompt-lane", flags.choice.prompt_lane)
      ->description(
          "Whether the prompt is in every lane, or in the first one (lanerope, groupthink; default: own)")
      ->group(group);
  add_choice(app, "--far-lanes", flags.choice.far_lanes)
      ->description("Where lanes stand that are further apart than any that were trained (default: clamped)")
      ->group(group);
  app.add_option("--trained-lanes", flags.choice.trained_lanes,
                 "Lanes that omega was trained with, for --far-lanes (default: as the model or adapter says)")
      ->type_name("T")
      ->group(group);
  app.add_flag("--force-coupling", flags.choice.force,
               "Use an adapter with another visibility than it was trained with")
      ->group(group);
}

std::vector<float> read_omega(const std::string& file) {
  const std::string text = read_text_file(file);
  const std::string refusal =
      file + " does not hold omega; write a JSON array of numbers, or one number a line";
  std::vector<float> omega;
  if (text.find('[') != std::string::npos) {
    const nlohmann::json values = nlohmann::json::parse(text, nullptr, false);
    if (!values.is_array()) throw BadFile(refusal);
    for (const nlohmann::json& value : values) {
      if (!value.is_number()) throw BadFile(refusal);
      omega.push_back(value.get<float>());
    }
  } else {
    std::istringstream lines(text);
    std::string word;
    while (lines >> word) {
      char* end = nullptr;
      omega.push_back(std::strtof(word.c_str(), &end));
      if (*end != '\0') throw BadFile(refusal);
    }
  }
  for (const float value : omega) {
    if (!std::isfinite(value)) throw BadFile(refusal + ", all of them finite");
  }
  if (omega.empty()) throw BadFile(refusal);
  return omega;
}

}  // namespace lanerope::cli
