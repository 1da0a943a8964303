// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include "cli/choice.h"
#include "cli/commands.h"
#include "cli/dash_words.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace lanerope::cli {

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
  std::vector<Verb> verbs;  // "problems" of "data"
};

std::vector<Flag> flags_of(const CLI::App& app) {
  std::vector<Flag> flags;
  for (const CLI::Option* option : app.get_options()) {
    Flag flag;
    for (const std::string& name : option->get_snames()) flag.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) {
      for (const std::string& word : dash_words_of("--" + name)) flag.names.push_back(word);
      flag.names.push_back("--" + name);
    }
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
  for (const CLI::App* app :
       root.get_subcommands([](const CLI::App* app) { return !app->get_group().empty(); })) {
    verbs.push_back({.name = app->get_name(),
                     .help = app->get_description(),
                     .flags = flags_of(*app),
                     .verbs = verbs_of(*app)});
  }
  return verbs;
}

std::vector<std::string> names_of(const std::vector<Verb>& verbs) {
  std::vector<std::string> names;
  names.reserve(verbs.size());
  for (const Verb& verb : verbs) names.push_back(verb.name);
  return names;
}

std::string join(const std::vector<std::string>& words, const std::string& between) {
  return CLI::detail::join(words, between);
}

// Lines of a script, `indent` spaces in.
class Script {
 public:
  explicit Script(size_t indent) : indent_(indent) {}

  void line(const std::string& text) {
    text_.append(indent_, ' ');
    text_ += text;
    text_ += '\n';
  }
  void lines(const std::string& text) { text_ += text; }

  const std::string& text() const { return text_; }

 private:
  size_t indent_;
  std::string text_;
};

// The words at `depth` are one of these verbs.
std::string bash_cases(const std::vector<Verb>& verbs, size_t depth) {
  Script script(depth * 4 - 2);
  script.line("case ${COMP_WORDS[" + std::to_string(depth) + "]} in");
  for (const Verb& verb : verbs) {
    std::string all;
    script.line("  " + verb.name + ")");
    script.line("    case $before in");
    for (const Flag& flag : verb.flags) {
      const std::string names = join(flag.names, "|");
      all += join(flag.names, " ") + " ";
      if (!flag.words.empty()) {
        script.line("      " + names + ") COMPREPLY=($(compgen -W '" + join(flag.words, " ") +
                    "' -- \"$word\")); return ;;");
      } else if (flag.takes_value && !flag.takes_file) {
        script.line("      " + names + ") return ;;");
      } else if (flag.takes_file) {
        script.line("      " + names + ") COMPREPLY=($(compgen -f -- \"$word\")); return ;;");
      }
    }
    script.line("    esac");
    script.line("    flags='" + all + "'");
    if (!verb.verbs.empty()) {
      script.line("    if [ \"$COMP_CWORD\" = " + std::to_string(depth + 1) + " ]; then");
      script.line("      COMPREPLY=($(compgen -W '" + join(names_of(verb.verbs), " ") +
                  " --help' -- \"$word\"))");
      script.line("      return");
      script.line("    fi");
      script.lines(bash_cases(verb.verbs, depth + 1));
    }
    script.line("    ;;");
  }
  script.line("esac");
  return script.text();
}

std::string bash(const CLI::App& root) {
  const std::vector<Verb> verbs = verbs_of(root);
  return "# bash completion for lanerope\n"
         "_lanerope() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} flags=\n"
         "  compopt -o filenames 2>/dev/null\n"
         "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
         "    COMPREPLY=($(compgen -W '" +
         join(names_of(verbs), " ") +
         " --help --version' -- \"$word\"))\n"
         "    return\n"
         "  fi\n" +
         bash_cases(verbs, 1) +
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

// Asks for one of the verbs, then for what the chosen one takes.
std::string zsh_verbs(const std::vector<Verb>& verbs, size_t indent) {
  Script script(indent);
  script.line("verbs=(");
  for (const Verb& verb : verbs) script.line("  '" + verb.name + ":" + quoted(verb.help, ":") + "'");
  script.line(")");
  script.line("if (( CURRENT == 2 )); then");
  script.line("  _describe command verbs");
  script.line("  return");
  script.line("fi");
  script.line("verb=$words[2]");
  script.line("shift words");
  script.line("(( CURRENT-- ))");
  script.line("case $verb in");
  for (const Verb& verb : verbs) {
    script.line("  " + verb.name + ")");
    if (!verb.verbs.empty()) {
      script.lines(zsh_verbs(verb.verbs, indent + 4));
      script.line("    ;;");
      continue;
    }
    script.line("    _arguments \\");
    for (const Flag& flag : verb.flags) {
      std::string value;
      if (!flag.words.empty()) {
        value = ":value:(" + join(flag.words, " ") + ")";
      } else if (flag.takes_value) {
        value = flag.takes_file ? ":file:_files" : ":value:";
      }
      for (const std::string& name : flag.names) {
        script.line("      '*" + name + "[" + quoted(flag.help, "[]:\\") + "]" + value + "' \\");
      }
    }
    script.line("      '*:file:_files' ;;");
  }
  script.line("esac");
  return script.text();
}

std::string zsh(const CLI::App& root) {
  return "#compdef lanerope\n"
         "_lanerope() {\n"
         "  local -a verbs\n"
         "  local verb\n" +
         zsh_verbs(verbs_of(root), 2) +
         "}\n"
         "compdef _lanerope lanerope\n";
}

// `before` is the condition under which these verbs may follow.
std::string fish_verbs(const std::vector<Verb>& verbs, const std::string& before) {
  std::string text;
  for (const Verb& verb : verbs) {
    text += "complete -c lanerope -n '" + before + "' -f -a " + verb.name + " -d '" +
            quoted(verb.help, "\\") + "'\n";
    const std::string seen = "__fish_seen_subcommand_from " + verb.name;
    for (const Flag& flag : verb.flags) {
      text += "complete -c lanerope -n '" + seen + "'";
      for (const std::string& name : flag.names) {
        // "-o": several letters behind one dash, "-hf".
        text += name.starts_with("--") ? " -l " + name.substr(2)
                : name.size() > 2      ? " -o " + name.substr(1)
                                       : " -s " + name.substr(1);
      }
      if (flag.takes_value) text += flag.takes_file ? " -r" : " -x";
      if (!flag.words.empty()) text += " -a '" + join(flag.words, " ") + "'";
      text += " -d '" + quoted(flag.help, "\\") + "'\n";
    }
    const std::string none_yet = "not __fish_seen_subcommand_from " + join(names_of(verb.verbs), " ");
    if (!verb.verbs.empty())
      text += fish_verbs(verb.verbs, std::string(seen).append("; and ").append(none_yet));
  }
  return text;
}

std::string fish(const CLI::App& root) {
  return "# fish completion for lanerope\n" + fish_verbs(verbs_of(root), "__fish_use_subcommand");
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

}  // namespace lanerope::cli
