// SPDX-License-Identifier: Apache-2.0
#include "cli/serve_lanes.h"

#include "cli/choice.h"
#include "cli/policy_flags.h"

namespace lanerope::cli {

namespace {

constexpr auto lanes_group = "Lanes of clients that say nothing of them";

}  // namespace

void add_serve_lane_flags(CLI::App& app, ServeLanes& flags) {
  app.add_option("--lanes", flags.lanes,
                 "Each answer is that of a group of so many lanes (default: n answers are n lanes)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024))
      ->group(lanes_group);
  add_choice(app, "--coupling", flags.coupling)
      ->description("How they see one another (default: as trained, else independent)")
      ->group(lanes_group);
  add_choice(app, "--select", flags.select)
      ->description("How their answer is chosen (default: vote)")
      ->group(lanes_group);
  add_choice(app, "--vote-weight", flags.vote_weight)
      ->description("What the vote of a lane weighs (default: equal)")
      ->group(lanes_group);
  add_choice(app, "--return", flags.returned)
      ->description(
          "Whether every lane is a choice or the selected one alone (default: selected, with --lanes)")
      ->group(lanes_group);
  app.add_option("--consensus", flags.consensus, "They end as soon as so many give the same answer")
      ->type_name("N")
      ->check(CLI::Range(0, 1024))
      ->group(lanes_group);
  app.add_option("--policy", flags.policies,
                 "Watches their lanes and acts; NAME:key=value,key=value tells it how; repeatable")
      ->type_name(policy_names())
      ->allow_extra_args(false)
      ->take_all()
      ->group(lanes_group);
  app.add_option("--presets", flags.presets,
                 "JSON file of models by name, each with fields of a request where clients leave them open")
      ->type_name("FILE")
      ->group(lanes_group);
}

server::Presets presets_of(const ServeLanes& flags) {
  server::Presets presets;
  if (!flags.presets.empty()) presets = server::read_presets(flags.presets);
  server::Json lanes = server::Json::object();
  if (flags.lanes) lanes["count"] = *flags.lanes;
  if (flags.coupling) lanes["coupling"] = name(*flags.coupling);
  if (flags.select) lanes["select"] = name(*flags.select);
  if (flags.vote_weight) lanes["vote_weight"] = name(*flags.vote_weight);
  if (flags.returned) lanes["return"] = name(*flags.returned);
  if (flags.consensus) lanes["consensus"] = *flags.consensus;
  if (!flags.policies.empty()) lanes["policies"] = flags.policies;
  if (!lanes.empty()) presets[""] = {{"lanes", lanes}};
  server::check_presets(presets);
  return presets;
}

}  // namespace lanerope::cli
