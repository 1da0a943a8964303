// SPDX-License-Identifier: Apache-2.0
// What llama.cpp's server has beside OpenAI's API for who writes and who watches.
#include <algorithm>

#include "server/answer.h"
#include "server/json_fields.h"
#include "server/native_reply.h"
#include "server/reply.h"
#include "server/request_body.h"
#include "server/server_context.h"

namespace lanerope::server {

namespace {

void complete(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const auto api = std::make_shared<const ApiRequest>(read_api_request(
      context, ApiEndpoint::native_completion, parse_body(request.body), {request, response}));
  answer(context, {.http = request, .api = api}, response,
         [](ReplyContext reply) { return std::make_shared<NativeReply>(std::move(reply)); });
}

// A slot there is a request that may run; here as many as groups of one lane would fit.
void slots(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const EngineState state = context.service->state();
  const int32_t count = context.total_slots();
  const int32_t busy = std::min(count, state.groups + state.queued_groups);
  if (request.has_param("fail_on_no_slot") && busy == count) throw ApiError(503, "no slot is free");
  Json list = Json::array();
  for (int32_t i = 0; i < count; ++i) {
    list.push_back({{"id", i},
                    {"n_ctx", context.model->info().trained_context},
                    {"speculative", false},
                    {"is_processing", i < busy}});
  }
  send_json(response, list);
}

// For lm-eval and other clients that have no tokenizer of their own.
void tokenizer_info(ServerContext& context, const httplib::Request&, httplib::Response& response) {
  const ModelInfo& info = context.model->info();
  const auto piece = [&](const std::optional<int32_t>& token) {
    return token ? Json(context.model->piece(*token)) : Json(nullptr);
  };
  send_json(response,
            {{"tokenizer", info.tokenizer},
             {"bos_token", piece(info.begin_token)},
             {"eos_token", piece(info.end_token)},
             {"pad_token", piece(info.padding_token)},
             {"vocab_size", info.n_tokens},
             {"model_max_length", info.trained_context},
             {"chat_template",
              info.chat_template_source.empty() ? Json(nullptr) : Json(info.chat_template_source)}});
}

// llama.cpp says `content` and add_special false; vLLM says `prompt` and add_special_tokens true.
void tokenize(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const Json body = parse_body(request.body);
  const JsonFields fields(body);
  const std::optional<std::string> prompt = fields.text("prompt");
  const std::optional<std::string> content = prompt ? prompt : fields.text("content");
  if (prompt) {
    fields.only(
        {"prompt", "model", "add_special_tokens", "parse_special", "with_pieces", "return_token_strs"});
    if (fields.flag("return_token_strs").value_or(false))
      fields.refuse("return_token_strs", "is not supported here; use with_pieces");
  } else {
    fields.only({"content", "model", "add_special", "parse_special", "with_pieces"});
  }
  if (!content) throw ApiError(400, "content is missing", "content");
  const bool special =
      prompt ? fields.flag("add_special_tokens").value_or(true) : fields.flag("add_special").value_or(false);
  const auto tokens = context.model->encode(
      *content, {.add_special = special, .parse_special = fields.flag("parse_special").value_or(true)});
  Json json = {{"tokens", tokens}};
  if (fields.flag("with_pieces").value_or(false)) {
    json["tokens"] = Json::array();
    for (const TokenId token : tokens)
      json["tokens"].push_back({{"id", token}, {"piece", context.model->piece(token)}});
  }
  if (prompt) {
    json["count"] = tokens.size();
    json["max_model_len"] = context.model->info().trained_context;
  }
  send_json(response, json);
}

void detokenize(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const Json body = parse_body(request.body);
  const JsonFields fields(body);
  fields.only({"tokens", "model"});
  const std::optional<std::vector<int32_t>> tokens = fields.tokens("tokens");
  if (!tokens) throw ApiError(400, "tokens is missing", "tokens");
  for (const TokenId token : *tokens) {
    if (token >= context.model->info().n_tokens) {
      throw ApiError(400, "tokens holds " + std::to_string(token) + ", and the vocabulary ends before it",
                     "tokens");
    }
  }
  const std::string text = context.model->decode(*tokens);
  send_json(response, {{"content", text}, {"prompt", text}});
}

}  // namespace

void add_llama_routes(httplib::Server& http, ServerContext& context) {
  const size_t most = context.options.transport.most_body;
  add_post(http, "/completion", most, bound(context, complete));
  add_post(http, "/completions", most, bound(context, complete));
  http.Get("/slots", bound(context, slots));
  http.Get("/tokenizer_info", bound(context, tokenizer_info));
  add_post(http, "/tokenize", most, bound(context, tokenize));
  add_post(http, "/detokenize", most, bound(context, detokenize));
}

}  // namespace lanerope::server
