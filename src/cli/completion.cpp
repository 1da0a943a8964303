// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include "cli/choice.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace lanerope {

namespace {

constexpr auto footer =
    "Examples:\n"
    "  lanerope completion bash > /etc/bash_completion.d/lanerope\n"
    "  lanerope completion zsh > ~/.zfunc/_lanerope\n"
    "  lanerope completion fish > ~/.config/fish/completions/lanerope.fish";

// What completion knows of an option, read from the parser itself.
struct Flag {
  std::vector<std::string> names;  // "-n", "--lanes"
  std::string help;
  bool takes_value = false;
  bool takes_file = false;
  std::vector<std::string> words;  // if it takes one of these
};

struct Verb {
  std::string name;
  std::string help;
  std::vector<Flag> flags;
};

std::vector<Flag> flags_of(const CLI::App& app) {
  std::vector<Flag> flags;
  for (const CLI::Option* option : app.get_options()) {
    Flag flag;
    for (const std::string& name : option->get_snames()) flag.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) flag.names.push_back("--" + name);
    if (flag.names.empty()) continue;
    flag.help = option->get_description();
    flag.takes_value = option->get_items_expected_max() > 0;
    const std::string type = option->get_type_name();
    flag.takes_file = type.starts_with("FILE");
    if (type.find('|') != std::string::npos) flag.words = CLI::detail::split(type, '|');
    flags.push_back(std::move(flag));
  }
  return flags;
}

std::vector<Verb> verbs_of(const CLI::App& root) {
  std::vector<Verb> verbs;
  for (const CLI::App* app : root.get_subcommands([](const CLI::App*) { return true; })) {
    verbs.push_back({.name = app->get_name(), .help = app->get_description(), .flags = flags_of(*app)});
  }
  return verbs;
}

std::string join(const std::vector<std::string>& words, const std::string& between) {
  return CLI::detail::join(words, between);
}

std::string bash(const CLI::App& root) {
  std::string cases;
  std::vector<std::string> names;
  for (const Verb& verb : verbs_of(root)) {
    names.push_back(verb.name);
    std::string all;
    std::string values;
    for (const Flag& flag : verb.flags) {
      all += join(flag.names, " ") + " ";
      if (!flag.words.empty()) {
        values += "        " + join(flag.names, "|") + ") COMPREPLY=($(compgen -W '" + join(flag.words, " ") +
                  "' -- \"$word\")); return ;;\n";
      } else if (flag.takes_value && !flag.takes_file) {
        values += "        " + join(flag.names, "|") + ") return ;;\n";
      } else if (flag.takes_file) {
        values +=
            "        " + join(flag.names, "|") + ") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n";
      }
    }
    cases += "    " + verb.name + ")\n      case $before in\n" + values + "      esac\n      flags='" + all +
             "' ;;\n";
  }
  return "# bash completion for lanerope\n"
         "_lanerope() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} flags=\n"
         "  compopt -o filenames 2>/dev/null\n"
         "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
         "    COMPREPLY=($(compgen -W '" +
         join(names, " ") +
         " --help --version' -- \"$word\"))\n"
         "    return\n"
         "  fi\n"
         "  case ${COMP_WORDS[1]} in\n" +
         cases +
         "  esac\n"
         "  case $word in\n"
         "    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$word\")) ;;\n"
         "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
         "  esac\n"
         "}\n"
         "complete -F _lanerope lanerope\n";
}

// For a word in single quotes.
std::string quoted(const std::string& text, const std::string& also_escaped = {}) {
  std::string safe;
  for (const char c : text) {
    if (c == '\'') {
      safe += "'\\''";
    } else {
      if (also_escaped.find(c) != std::string::npos) safe += '\\';
      safe += c;
    }
  }
  return safe;
}

std::string zsh(const CLI::App& root) {
  std::string verbs;
  std::string cases;
  for (const Verb& verb : verbs_of(root)) {
    verbs += "    '" + verb.name + ":" + quoted(verb.help, ":") + "'\n";
    cases += "    " + verb.name + ")\n      _arguments \\\n";
    for (const Flag& flag : verb.flags) {
      std::string value;
      if (!flag.words.empty()) {
        value = ":value:(" + join(flag.words, " ") + ")";
      } else if (flag.takes_value) {
        value = flag.takes_file ? ":file:_files" : ":value:";
      }
      for (const std::string& name : flag.names) {
        cases += "        '*" + name + "[" + quoted(flag.help, "[]:\\") + "]" + value + "' \\\n";
      }
    }
    cases += "        '*:file:_files' ;;\n";
  }
  return "#compdef lanerope\n"
         "_lanerope() {\n"
         "  local -a verbs\n"
         "  verbs=(\n" +
         verbs +
         "  )\n"
         "  if (( CURRENT == 2 )); then\n"
         "    _describe command verbs\n"
         "    return\n"
         "  fi\n"
         "  local verb=$words[2]\n"
         "  shift words\n"
         "  (( CURRENT-- ))\n"
         "  case $verb in\n" +
         cases +
         "  esac\n"
         "}\n"
         "compdef _lanerope lanerope\n";
}

std::string fish(const CLI::App& root) {
  std::string text = "# fish completion for lanerope\n";
  for (const Verb& verb : verbs_of(root)) {
    text += "complete -c lanerope -n __fish_use_subcommand -f -a " + verb.name + " -d '" +
            quoted(verb.help, "\\") + "'\n";
    for (const Flag& flag : verb.flags) {
      text += "complete -c lanerope -n '__fish_seen_subcommand_from " + verb.name + "'";
      for (const std::string& name : flag.names) {
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (flag.takes_value) text += flag.takes_file ? " -r" : " -x";
      if (!flag.words.empty()) text += " -a '" + join(flag.words, " ") + "'";
      text += " -d '" + quoted(flag.help, "\\") + "'\n";
    }
  }
  return text;
}

}  // namespace

Command add_completion(CLI::App& root) {
  auto shell = std::make_shared<std::string>();
  CLI::App* app = root.add_subcommand("completion", "Write a completion script for a shell");
  app->footer(footer);
  add_word_choice(*app, "SHELL", {"bash", "zsh", "fish"}, [shell](const std::string& word) { *shell = word; })
      ->description("Shell to write it for")
      ->required();
  return {app, [shell, &root] {
            print_out(*shell == "bash" ? bash(root) : *shell == "zsh" ? zsh(root) : fish(root));
            return int{exit_ok};
          }};
}

}  // namespace lanerope
