// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_flags.h"

namespace lanerope::cli {

std::string policy_names() {
  std::string names;
  for (const PolicyInfo& policy : policies()) names += (names.empty() ? "" : "|") + std::string(policy.name);
  return names;
}

void add_policy_flags(CLI::App& app, PolicyFlags& flags, const std::string& group) {
  app.add_option("--policy", flags.policies,
                 "Watches the lanes and acts; NAME:key=value,key=value tells it how; repeatable")
      ->type_name(policy_names())
      ->allow_extra_args(false)
      ->take_all()
      ->group(group);
  app.add_option("--conductor", flags.conductor,
                 "Lane whose lines \"@3: text\" are pushed to lane 3, and so on")
      ->type_name("LANE")
      ->check(CLI::Range(1, 1024))
      ->group(group);
  add_policy_command_flags(app, flags.command, group);
}

void add_policy_command_flags(CLI::App& app, PolicyCommand& command, const std::string& group) {
  CLI::Option* of_yours =
      app.add_option(
             "--policy-cmd", command.command,
             "Shell command of your own policy: a JSON line a step in, a line of acts out (docs/policies.md)")
          ->type_name("CMD")
          ->group(group);
  app.add_option("--policy-timeout", command.timeout, "Seconds that it may take for a step")
      ->type_name("S")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->needs(of_yours)
      ->group(group);
}

std::vector<PolicyChoice> to_policies(const PolicyFlags& flags) {
  std::vector<PolicyChoice> choices;
  for (const std::string& text : flags.policies) choices.push_back(parse_policy(text));
  if (flags.conductor)
    choices.push_back(
        {.name = "conductor", .settings = {{.name = "lane", .value = std::to_string(*flags.conductor)}}});
  return choices;
}

std::string policies_help() {
  std::string text = "Policies, told what is usual:";
  for (const PolicyInfo& policy : policies()) {
    text += "\n  " + std::string(policy.name);
    for (size_t i = 0; i < policy.settings.size(); ++i) {
      const PolicySetting& setting = policy.settings[i];
      const bool needed = setting.usual.empty() && setting.kind != SettingKind::text;
      text +=
          (i == 0 ? ":" : ",") + std::string(setting.name) + "=" + std::string(needed ? "N" : setting.usual);
    }
    text += "\n      " + std::string(policy.help);
  }
  return text;
}

}  // namespace lanerope::cli
