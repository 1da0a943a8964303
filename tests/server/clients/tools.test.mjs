// SPDX-License-Identifier: Apache-2.0
// Tools, with OpenAI's own client, on a real model: it is asked for a call, gets the tool's answer, and says it. Without the
// model (script/model qwen2.5-coder-0.5b) only what needs none is tested.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { before, describe, test } from "node:test";
import OpenAI from "openai";
import { loadSchemas } from "./schema.mjs";
import { post, startServer } from "./server.mjs";

const real = process.env.LANEROPE_TOOL_MODEL;
const skip = !real || !existsSync(real);
const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of a city, now.",
    parameters: { type: "object", properties: { city: { type: "string" }, unit: { enum: ["celsius", "fahrenheit"] } }, required: ["city"], additionalProperties: false },
  },
};
const time = { type: "function", function: { name: "get_time", description: "The time in a city.", parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } } };
const question = [{ role: "user", content: "What is the weather in Paris? Use the tool." }];

describe("on a real model", { skip }, () => {
  let client;
  let check;
  let base;
  before(async () => {
    ({ base } = await startServer(["--budget", "256", "--cells", "8192"], { model: real, threads: 2 }));
    ({ check } = await loadSchemas(base));
    client = new OpenAI({ baseURL: `${base}/v1`, apiKey: "any", maxRetries: 0, timeout: 300000 });
  });
  const ask = (fields) => client.chat.completions.create({ model: "any", messages: question, tools: [weather, time], seed: 1, temperature: 0, max_tokens: 120, ...fields });
  const checkCall = (call, name = "get_weather") => {
    assert.equal(call.type, "function");
    assert.equal(call.function.name, name);
    assert.match(call.id, /./);
    assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
  };

  test("required: every lane calls, with arguments that the schema allows", async () => {
    const reply = await ask({ tool_choice: "required", n: 3, temperature: 0.8 });
    check("ChatCompletion", reply);
    for (const { message, finish_reason } of reply.choices) {
      assert.equal(finish_reason, "tool_calls");
      assert.equal(message.content, null);
      for (const call of message.tool_calls) assert.ok(["get_weather", "get_time"].includes(call.function.name));
    }
    assert.equal(new Set(reply.choices.flatMap((choice) => choice.message.tool_calls.map((call) => call.id))).size,
      reply.choices.flatMap((choice) => choice.message.tool_calls).length);
  });

  test("named: this tool, once", async () => {
    const reply = await ask({ tool_choice: { type: "function", function: { name: "get_time" } }, parallel_tool_calls: false });
    assert.equal(reply.choices[0].message.tool_calls.length, 1);
    checkCall(reply.choices[0].message.tool_calls[0], "get_time");
  });

  test("the selected lane's calls are the answer", async () => {
    const reply = await ask({ tool_choice: "required", n: 2, lanes: { select: "logprob", return: "selected" } });
    assert.equal(reply.choices.length, 1);
    assert.equal(reply.choices[0].finish_reason, "tool_calls");
  });

  test("a stream has the same calls", async () => {
    const whole = await ask({ tool_choice: "required", parallel_tool_calls: false });
    const stream = await ask({ tool_choice: "required", parallel_tool_calls: false, stream: true });
    const calls = [];
    let finish;
    for await (const chunk of stream) {
      check("ChatCompletionChunk", chunk);
      for (const { delta, finish_reason } of chunk.choices) {
        for (const call of delta.tool_calls ?? []) {
          assert.equal(typeof call.index, "number");
          calls[call.index] = call;
        }
        finish = finish_reason ?? finish;
      }
    }
    assert.equal(finish, "tool_calls");
    assert.deepEqual(calls.map((call) => call.function), whole.choices[0].message.tool_calls.map((call) => call.function));
  });

  test("the tool's answer goes back, and the model speaks", async () => {
    const asked = await ask({ tool_choice: { type: "function", function: { name: "get_weather" } }, parallel_tool_calls: false });
    const [call] = asked.choices[0].message.tool_calls;
    checkCall(call);
    const reply = await ask({
      messages: [...question, asked.choices[0].message, { role: "tool", tool_call_id: call.id, content: [{ type: "text", text: "{\"sky\": \"sunny\", \"celsius\": 21}" }] }],
      tool_choice: "auto",
    });
    check("ChatCompletion", reply);
    assert.equal(reply.choices[0].finish_reason, "stop");
    assert.match(reply.choices[0].message.content, /21|sunny/);
  });

  test("the client's own loop of tools runs", async () => {
    const runner = client.chat.completions.runTools({
      model: "any", messages: question, seed: 1, temperature: 0, max_tokens: 120,
      tool_choice: { type: "function", function: { name: "get_weather" } },
      tools: [{ type: "function", function: { ...weather.function, parse: JSON.parse, function: () => "sunny, 21 degrees" } }],
    });
    assert.match(await runner.finalFunctionToolCallResult(), /sunny/);
  });

  test("none: no tools are told, and none is called", async () => {
    const without = await client.chat.completions.create({ model: "any", messages: question, seed: 1, temperature: 0, max_tokens: 24 });
    const none = await ask({ tool_choice: "none", max_tokens: 24 });
    assert.equal(none.usage.prompt_tokens, without.usage.prompt_tokens);
    assert.equal(none.choices[0].message.content, without.choices[0].message.content);
  });

  test("with a format, the answer is a call or keeps to it", async () => {
    const response_format = { type: "json_schema", json_schema: { name: "a", schema: { type: "object", properties: { answer: { type: "string" } }, required: ["answer"] } } };
    const reply = await ask({ response_format, n: 2, temperature: 0.8 });
    for (const { message } of reply.choices) if (!message.tool_calls) assert.equal(typeof JSON.parse(message.content).answer, "string");
  });

  test("lanerope's own sentence where a call is asked for in vain", async () => {
    const reply = await post(base, "/v1/chat/completions", { messages: question, tools: [weather], tool_choice: { type: "function", function: { name: "other" } } });
    assert.equal(reply.status, 400);
    assert.match(reply.json.error.message, /none of the tools/);
  });
});

test("a model without a place for tools refuses them", async () => {
  const { base } = await startServer(["--budget", "16"]);
  const reply = await post(base, "/v1/chat/completions", { messages: question, tools: [weather] });
  assert.equal(reply.status, 400, reply.text);
  assert.match(reply.json.error.message, /tools/);
  const image = await post(base, "/v1/chat/completions", { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:" } }] }] });
  assert.equal(image.status, 400);
  assert.match(image.json.error.message, /reads text only/);
  const unread = await post(base, "/v1/chat/completions", { messages: question, chat_template_kwargs: { enable_thinking: false } });
  assert.equal(unread.status, 400);
  assert.match(unread.json.error.message, /does not read/);
});
