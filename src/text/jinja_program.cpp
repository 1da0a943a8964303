// SPDX-License-Identifier: Apache-2.0
#include "text/jinja_program.h"

#include <jinja/caps.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <utility>

#include "lanerope/errors.h"
#include "text/big_stack.h"
#include "text/render_budget.h"
#include "text/utf8.h"

namespace lanerope::text {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t longest_source = size_t{512} << 10;  // bytes; those of models have 30 KB and less
constexpr size_t longest_tag = 8192;
constexpr size_t deepest_blocks = 500;
constexpr size_t longest_reason = 400;  // bytes

// A reason for the user: one line of whole characters.
std::string one_line(std::string_view text) {
  Utf8Assembler whole;
  std::string line = whole.push(text) + whole.flush();
  for (char& byte : line) {
    if (static_cast<unsigned char>(byte) < ' ' || byte == '\x7F') byte = ' ';
  }
  const size_t begin = std::min(line.find_first_not_of(' '), line.size());
  line.erase(0, begin);
  line.erase(line.find_last_not_of(' ') + 1);
  if (line.size() <= longest_reason) return line;
  line.resize(longest_reason);
  line.resize(utf8_valid_prefix(line));
  return line + "...";
}

// raise_exception was called: not to be told in the engine's words.
struct Raised {
  std::string message;
};

std::string cut_off(RenderBudget::Spent what) {
  std::string why = "needs more memory than it may have";
  if (what == RenderBudget::Spent::steps) why = "does not come to an end";
  if (what == RenderBudget::Spent::stack) why = "calls itself too often";
  return "the chat template " + why +
         " and was cut off; shorten the conversation, or choose another with --chat-template";
}

// The engine's message is a block of text with an excerpt of the template; of it, place and reason.
std::string failure(std::string_view message) {
  constexpr std::string_view place_begin = " at line ";
  constexpr std::string_view reason_begin = "\nError: ";
  std::string place;
  if (const size_t at = message.find(place_begin); at != std::string_view::npos) {
    place = message.substr(at, message.find(" in source", at) - at);
  }
  const size_t at = message.rfind(reason_begin);
  if (at != std::string_view::npos) message.remove_prefix(at + reason_begin.size());
  return "the chat template fails on this conversation" + place + ": " + one_line(message) +
         "; choose another with --chat-template";
}

// The parser recurses over what stands between two braces, and over blocks inside blocks.
void check_nests(std::span<const jinja::token> tokens) {
  using jinja::token;
  std::vector<size_t> around;  // how many blocks lie around each block that is open
  size_t depth = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].t != token::open_statement && tokens[i].t != token::open_expression) continue;
    const bool is_statement = tokens[i].t == token::open_statement;
    const size_t begin = i;
    bool assigns = false;
    for (;
         i < tokens.size() && tokens[i].t != token::close_statement && tokens[i].t != token::close_expression;
         ++i) {
      assigns = assigns || tokens[i].t == token::equals;
    }
    if (i - begin > longest_tag) {
      throw BadFile(
          "the chat template has an expression that is too long; choose another with --chat-template");
    }
    if (!is_statement || i < begin + 2) continue;
    const std::string& name = tokens[begin + 1].value;
    constexpr std::array openers = {"if", "for", "macro", "call", "filter"};
    if (std::ranges::find(openers, name) != openers.end() || (name == "set" && !assigns)) {
      around.push_back(depth++);
    } else if (name == "elif") {
      ++depth;  // it lies in the if before it
    } else if (name.starts_with("end") && name != "endgeneration" && !around.empty()) {
      depth = around.back();
      around.pop_back();
    }
    if (depth > deepest_blocks) {
      throw BadFile(
          "the chat template has too many blocks inside blocks; choose another with --chat-template");
    }
  }
}

jinja::value to_value(const Json& json) {
  using namespace jinja;
  switch (json.type()) {
    case Json::value_t::boolean:
      return mk_val<value_bool>(json.get<bool>());
    case Json::value_t::number_integer:
      return mk_val<value_int>(json.get<int64_t>());
    case Json::value_t::number_unsigned:
      if (json.get<uint64_t>() > INT64_MAX) return mk_val<value_float>(json.get<double>());
      return mk_val<value_int>(json.get<int64_t>());
    case Json::value_t::number_float:
      return mk_val<value_float>(json.get<double>());
    case Json::value_t::string:
      return mk_val<value_string>(json.get_ref<const std::string&>());
    case Json::value_t::array: {
      auto array = mk_val<value_array>();
      for (const Json& one : json) array->push_back(to_value(one));
      return array;
    }
    case Json::value_t::object: {
      auto object = mk_val<value_object>();
      for (const auto& [key, one] : json.items()) object->insert(key, to_value(one));
      return object;
    }
    default:
      return mk_val<value_none>();
  }
}

jinja::value raise_exception() {
  return jinja::mk_val<jinja::value_func>(
      "raise_exception", [](const jinja::func_args& arguments) -> jinja::value {
        throw Raised{arguments.count() == 0 ? std::string() : arguments.get_pos(0)->as_string().str()};
      });
}

// Runs `work` with a budget, and turns what the engine throws into an error of ours.
template <typename Failure>
void guarded(const std::function<void()>& work) {
  run_on_big_stack([&] {
    try {
      work();
    } catch (const RenderBudget::Exhausted& spent) {
      throw Failure(cut_off(spent.what));
    } catch (const Raised& raised) {
      throw InvalidRequest("the chat template refuses this conversation: " + one_line(raised.message));
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      throw Failure(failure(error.what()));
    }
  });
}

std::vector<size_t> unread_contents(const jinja::value& messages, const Json& source) {
  std::vector<size_t> unread;
  for (size_t i = 0; i < source.size(); ++i) {
    if (!source[i].is_object() || !source[i].contains("content")) continue;
    const jinja::value content = messages->at(static_cast<int64_t>(i))->at("content");
    if (!content->stats.used) unread.push_back(i);
  }
  return unread;
}

}  // namespace

struct JinjaProgram::Parts {
  jinja::program program;
  std::string source;
  std::set<std::string, std::less<>> identifiers;
  TemplateCapabilities capabilities;

  Parts() = default;
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
  ~Parts() {
    try {
      run_on_big_stack([this] { program.body.clear(); });  // its nests are left as deep as they were entered
    } catch (const SystemError&) {
      program.body.clear();
    }
  }

  void parse() {
    jinja::lexer lexer;
    jinja::lexer_result lexed = lexer.tokenize(source);
    check_nests(lexed.tokens);
    for (const jinja::token& one : lexed.tokens) {
      if (one.t == jinja::token::identifier) identifiers.insert(one.value);
    }
    program = jinja::parse_from_tokens(lexed);
  }

  void find_capabilities() {
    const RenderBudget budget({});
    const jinja::caps found = jinja::caps_get(program);
    capabilities = {.system_role = found.supports_system_role,
                    .tools = found.supports_tools,
                    .tool_calls = found.supports_tool_calls,
                    .parallel_tool_calls = found.supports_parallel_tool_calls,
                    .string_content = found.supports_string_content,
                    .typed_content = found.supports_typed_content,
                    .object_arguments = found.supports_object_arguments};
  }
};

JinjaProgram::JinjaProgram(std::string_view source) {
  if (source.size() > longest_source) {
    throw BadFile("the chat template has " + std::to_string(source.size()) +
                  " bytes, and 512 KiB is the most; choose another with --chat-template");
  }
  auto parts = std::make_shared<Parts>();
  // Line breaks as Jinja2 reads them; the engine would do it one by one.
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      parts->source += source[i];
    } else if (i + 1 == source.size() || source[i + 1] != '\n') {
      parts->source += '\n';
    }
  }
  run_on_big_stack([&] {
    try {
      parts->parse();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      std::string_view reason = error.what();
      reason = reason.substr(0, reason.find("\n..."));
      for (const std::string_view prefix : {"parser: ", "lexer: ", "Parser Error: "}) {
        if (reason.starts_with(prefix)) reason.remove_prefix(prefix.size());
      }
      throw BadFile("the chat template cannot be read: " + one_line(reason) +
                    "; choose another with --chat-template");
    }
  });
  guarded<BadFile>([&] { parts->find_capabilities(); });
  parts_ = std::move(parts);
}

const TemplateCapabilities& JinjaProgram::capabilities() const {
  return parts_->capabilities;
}

bool JinjaProgram::mentions(std::string_view name) const {
  return parts_->identifiers.contains(name);
}

bool JinjaProgram::contains(std::string_view text) const {
  return parts_->source.find(text) != std::string::npos;
}

JinjaProgram::Rendering JinjaProgram::render(const Json& variables, std::optional<std::time_t> now) const {
  Rendering rendering;
  guarded<InvalidRequest>([&] {
    RenderBudget budget({});
    jinja::context context(parts_->source);
    context.is_get_stats = true;
    if (now) context.current_time = *now;
    context.set_val("raise_exception", raise_exception());
    jinja::value messages;
    for (const auto& [name, json] : variables.items()) {
      const jinja::value value = to_value(json);
      context.set_val(name, value);
      if (name == "messages") messages = value;
    }
    jinja::runtime runtime(context);
    rendering.text = jinja::runtime::gather_string_parts(runtime.execute(parts_->program))->as_string().str();
    if (messages) rendering.unread = unread_contents(messages, variables.at("messages"));
    rendering.steps = budget.steps_used();
    rendering.bytes = budget.bytes_used();
  });
  return rendering;
}

}  // namespace lanerope::text
