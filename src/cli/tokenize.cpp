// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/model_flags.h"
#include "cli/output.h"
#include "cli/text_source.h"
#include "lanerope/errors.h"
#include "lanerope/model.h"

namespace lanerope::cli {

namespace {

constexpr auto footer =
    "Examples:\n"
    "  lanerope tokenize -m model.gguf \"Hello, world\"\n"
    "  lanerope tokenize -m model.gguf --ids -f text.txt > ids.json\n"
    "  lanerope tokenize -m model.gguf --decode \"[9707, 11, 1879]\"";

struct TokenizeFlags {
  TextSource text;
  ModelSource model;
  bool ids = false;
  bool decode = false;
  bool no_special = false;
  bool no_parse_special = false;
};

// "[1, 2]", "1,2" and "1 2" all mean the same.
std::vector<TokenId> read_ids(std::string text, int32_t n_vocab) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return std::string_view("[],\n\r\t").find(c) != std::string_view::npos; }, ' ');
  std::vector<TokenId> ids;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  while (true) {
    while (at != end && *at == ' ') ++at;
    if (at == end) return ids;
    TokenId id = 0;
    const auto parsed = std::from_chars(at, end, id);
    const char* word_end = std::find(at, end, ' ');
    if (parsed.ec != std::errc() || parsed.ptr != word_end) {
      throw InvalidRequest("'" + std::string(at, word_end) +
                           "' is not a token id; write whole numbers, as in \"[1, 2, 3]\"");
    }
    if (id < 0 || id >= n_vocab) {
      throw InvalidRequest("the model has no token " + std::to_string(id) + "; its ids go from 0 to " +
                           std::to_string(n_vocab - 1));
    }
    ids.push_back(id);
    at = parsed.ptr;
  }
}

// In quotes, with line breaks as \n and what is no whole character as \xHH.
std::string quoted(const std::string& piece) {
  const bool whole = valid_utf8(piece);
  std::string text = "\"";
  for (const char c : piece) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      text += "\\n";
    } else if (c == '"' || c == '\\') {
      text += std::string("\\") + c;
    } else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !whole)) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      text += escaped;
    } else {
      text += c;
    }
  }
  return text + "\"";
}

std::string table(const Model& model, const std::vector<TokenId>& ids) {
  std::string text;
  for (const TokenId id : ids) {
    const std::string number = std::to_string(id);
    text += std::string(number.size() < 7 ? 7 - number.size() : 0, ' ') + number + "  " +
            quoted(model.piece(id)) + "\n";
  }
  return text;
}

int run(const TokenizeFlags& flags) {
  const std::string text = read_text(flags.text);
  // Only the tokenizer is needed: plain ggml takes the weights as they lie in the file.
  const std::shared_ptr<const Model> model = load_model({.source = flags.model, .back_end = BackEnd::ggml});
  if (flags.decode) {
    print_out(model->decode(read_ids(text, model->info().n_tokens)) + "\n");
    return exit_ok;
  }
  const std::vector<TokenId> ids =
      model->encode(text, {.add_special = !flags.no_special, .parse_special = !flags.no_parse_special});
  print_out(flags.ids ? nlohmann::json(ids).dump() + "\n" : table(*model, ids));
  return exit_ok;
}

}  // namespace

Command add_tokenize(CLI::App& root) {
  auto flags = std::make_shared<TokenizeFlags>();
  CLI::App* app = root.add_subcommand("tokenize", "Turn text into token ids, and back");
  app->footer(footer);
  add_text_source(*app, flags->text, "TEXT");
  add_model_source(*app, flags->model);
  auto* ids = app->add_flag("--ids", flags->ids, "Write a JSON array of ids and nothing else");
  auto* decode =
      app->add_flag("--decode", flags->decode, "The text is a list of ids; write what they stand for")
          ->excludes(ids);
  app->add_flag("--no-special", flags->no_special, "Do not add what the model wants before a text")
      ->excludes(decode);
  app->add_flag("--no-parse-special", flags->no_parse_special,
                "Take special tokens in the text as plain text")
      ->excludes(decode);
  return {app, [flags] { return run(*flags); }};
}

}  // namespace lanerope::cli
