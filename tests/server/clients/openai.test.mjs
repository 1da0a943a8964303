// SPDX-License-Identifier: Apache-2.0
// OpenAI's own client, unchanged, against the server.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import OpenAI from "openai";
import { loadSchemas } from "./schema.mjs";
import { startServer } from "./server.mjs";

let client;
let schemas;
const messages = [{ role: "user", content: "Count to three." }];

before(async () => {
  const server = await startServer(["--budget", "24"], { environment: { LANEROPE_API_KEY: "secret" } });
  schemas = await loadSchemas(server.base);
  client = new OpenAI({ baseURL: `${server.base}/v1`, apiKey: "secret", maxRetries: 0 });
});

for (const n of [1, 4]) {
  test(`n = ${n}: as many choices, the prompt counted once`, async () => {
    const reply = await client.chat.completions.create({ model: "any", messages, n, seed: 1, max_tokens: 8 });
    schemas.check("ChatCompletion", reply);
    assert.deepEqual(reply.choices.map((choice) => choice.index), [...Array(n).keys()]);
    assert.ok(reply.usage.completion_tokens <= 8 * n);
    assert.equal(reply.usage.total_tokens, reply.usage.prompt_tokens + reply.usage.completion_tokens);
    const one = await client.chat.completions.create({ model: "any", messages, n: 1, seed: 1, max_tokens: 8 });
    assert.equal(reply.usage.prompt_tokens, one.usage.prompt_tokens);
  });

  test(`n = ${n}: a stream says what the whole response says`, async () => {
    const request = { model: "any", messages, n, seed: 5, max_tokens: 12, temperature: 1 };
    await client.chat.completions.create(request);  // so that both read the prompt from the same cells
    const whole = await client.chat.completions.create(request);
    const stream = await client.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } });
    const texts = Array(n).fill("");
    const seen = Array.from({ length: n }, () => []);
    const order = [];
    let usage = null;
    for await (const chunk of stream) {
      schemas.check("ChatCompletionChunk", chunk);
      if (chunk.usage) usage = chunk.usage;
      for (const choice of chunk.choices) {
        seen[choice.index].push(choice.delta.role ? "role" : choice.finish_reason ? "finish" : "text");
        texts[choice.index] += choice.delta.content ?? "";
        if (choice.delta.content) order.push(choice.index);
        if (choice.finish_reason) assert.equal(choice.finish_reason, whole.choices[choice.index].finish_reason);
      }
    }
    assert.deepEqual(texts, whole.choices.map((choice) => choice.message.content));
    for (const kinds of seen) {
      assert.equal(kinds.indexOf("role"), 0);
      assert.equal(kinds.indexOf("finish"), kinds.length - 1);
    }
    assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
    assert.ok(order.indexOf(n - 1) < order.lastIndexOf(0) || n === 1, "the choices come interleaved");
  });
}

test("seeded lanes differ from one another and come back the same", async () => {
  const request = { model: "any", messages, n: 4, seed: 11, max_tokens: 16, temperature: 1.5 };
  await client.chat.completions.create(request);
  const first = await client.chat.completions.create(request);
  const second = await client.chat.completions.create(request);
  const texts = first.choices.map((choice) => choice.message.content);
  assert.equal(new Set(texts).size, 4);
  assert.deepEqual(second.choices.map((choice) => choice.message.content), texts);
});

test("text completions with logprobs", async () => {
  const reply = await client.completions.create({ model: "any", prompt: "one two", n: 2, max_tokens: 5, logprobs: 3, echo: true });
  schemas.check("Completion", reply);
  for (const choice of reply.choices) {
    assert.ok(choice.text.startsWith("one two"));
    assert.equal(choice.logprobs.tokens.length, choice.logprobs.token_logprobs.length);
    assert.equal(choice.logprobs.text_offset[0], 0);
    assert.equal(choice.logprobs.token_logprobs[0], null, "nothing came before the first token");
    assert.ok(choice.logprobs.token_logprobs.slice(1).every((logprob) => logprob <= 0));
    assert.ok(choice.text.startsWith(choice.logprobs.tokens.slice(0, 2).join("")));
  }
});

test("an array of prompts: choices in the order of the prompts", async () => {
  const request = { model: "any", n: 2, max_tokens: 5, temperature: 0 };
  const many = schemas.check("Completion", await client.completions.create({ ...request, prompt: ["one two", "three"] }));
  const each = await Promise.all(["one two", "three"].map((prompt) => client.completions.create({ ...request, prompt })));
  assert.deepEqual(many.choices.map((choice) => choice.index), [0, 1, 2, 3]);
  assert.deepEqual(many.choices.map((choice) => choice.text), each.flatMap((one) => one.choices.map((choice) => choice.text)));
  assert.equal(many.groups.length, 2);
});

test("n answers by groups of lanes, streamed and whole", async () => {
  const request = { model: "any", messages, n: 3, seed: 4, max_tokens: 6, lanes: { count: 2, select: "logprob" } };
  const whole = schemas.check("ChatCompletion", await client.chat.completions.create(request));
  assert.equal(whole.choices.length, 3);
  assert.deepEqual(whole.groups.map((group) => group.lanes.length), [2, 2, 2]);
  const stream = client.chat.completions.stream(request);  // the helper, which wants choices to begin in order
  const streamed = await stream.finalChatCompletion();
  assert.deepEqual(streamed.choices.map((choice) => choice.message.content), whole.choices.map((choice) => choice.message.content));
});

test("a response, whole", async () => {
  const response = await client.responses.create({ model: "any", input: "Count to three.", instructions: "Be brief.", max_output_tokens: 8, temperature: 0 });
  schemas.check("Response", JSON.parse(JSON.stringify({ ...response, output_text: undefined })));
  assert.equal(response.output_text, response.output.at(-1).content[0].text);
  assert.equal(response.usage.output_tokens, 8);
  assert.equal(response.incomplete_details.reason, "max_output_tokens");
  const conversation = [
    { role: "user", content: [{ type: "input_text", text: "Hello" }] },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi", annotations: [] }] },
    { role: "user", content: "Go on." },
  ];
  const next = await client.responses.create({ model: "any", input: conversation, max_output_tokens: 4, lanes: { count: 3, select: "logprob" } });
  assert.equal(next.lanes.lanes.length, 3);
  assert.equal(next.output.length, 1);
});

test("a response, streamed through the client's own reader", async () => {
  const request = { model: "any", input: "Count to three.", max_output_tokens: 8, temperature: 0 };
  const whole = await client.responses.create(request);
  const stream = client.responses.stream(request);
  const types = [];
  stream.on("event", (event) => {
    types.push(event.type);
    schemas.check("ResponseEvent", JSON.parse(JSON.stringify(event, (key, value) => (["snapshot", "output_text", "parsed", "output_parsed"].includes(key) ? undefined : value))));
  });
  const last = await stream.finalResponse();
  assert.equal(last.output_text, whole.output_text);
  assert.deepEqual(types.slice(0, 4), ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"]);
  assert.deepEqual(types.slice(-4), ["response.output_text.done", "response.content_part.done", "response.output_item.done", "response.incomplete"]);
});

test("what a response would need a memory for is refused by name; embeddings are 501", async () => {
  const refusal = (call) => call.then(() => assert.fail("accepted"), (error) => error);
  for (const field of [{ previous_response_id: "resp_1" }, { background: true }, { truncation: "auto" }, { conversation: "c" }]) {
    const error = await refusal(client.responses.create({ model: "any", input: "x", ...field }));
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, Object.keys(field)[0]);
  }
  assert.ok((await refusal(client.responses.retrieve("resp_1"))) instanceof OpenAI.NotFoundError);
  const embeddings = await refusal(client.embeddings.create({ model: "any", input: "x" }));
  assert.equal(embeddings.status, 501);
});

test("fields that nobody knows are named in a header", async () => {
  const call = client.chat.completions.create({ model: "any", messages, max_tokens: 1, temprature: 0 });
  const { response } = await call.withResponse();
  assert.equal(response.headers.get("lanerope-unknown-fields"), "temprature");
});

test("logprobs of a chat name the token that was written, most likely first", async () => {
  const reply = await client.chat.completions.create({ model: "any", messages, temperature: 0, max_tokens: 4, logprobs: true, top_logprobs: 2 });
  const { content } = schemas.check("ChatCompletion", reply).choices[0].logprobs;
  for (const entry of content) assert.equal(entry.top_logprobs[0].token, entry.token);
  assert.equal(content.map((entry) => entry.token).join(""), reply.choices[0].message.content);
});

test("stop strings end a lane before they are written", async () => {
  const plain = await client.completions.create({ model: "any", prompt: "one two", temperature: 0, max_tokens: 12 });
  const word = plain.choices[0].text.trim().split(" ")[2];
  const stopped = await client.completions.create({ model: "any", prompt: "one two", temperature: 0, max_tokens: 12, stop: word });
  assert.equal(stopped.choices[0].finish_reason, "stop");
  assert.equal(stopped.choices[0].text, plain.choices[0].text.slice(0, plain.choices[0].text.indexOf(word)));
});

test("max_tokens by its new name, penalties, and fields that nobody knows", async () => {
  const request = { model: "any", messages, temperature: 0, max_completion_tokens: 20 };
  const create = async (more) => schemas.check("ChatCompletion", await client.chat.completions.create({ ...request, ...more }));
  const plain = await create({});
  assert.ok(plain.usage.completion_tokens <= 20);
  const same = await create({ future_field: { deep: [1] }, user: "u", store: false, reasoning_effort: "low" });
  assert.deepEqual(same.choices, plain.choices);
  const words = (reply) => reply.choices[0].message.content.split(" ");
  const repeats = (reply) => words(reply).length - new Set(words(reply)).size;
  assert.ok(repeats(plain) > 0, "a model that repeats itself");
  assert.equal(repeats(await create({ frequency_penalty: 50 })), 0);
  assert.equal(repeats(await create({ presence_penalty: 50 })), 0);
});

test("lanes.return = selected gives a client that knows nothing of lanes one choice", async () => {
  const lanes = { coupling: "lanerope", select: "logprob", return: "selected" };
  const request = { model: "any", messages, n: 4, seed: 3, max_tokens: 8, lanes };
  await client.chat.completions.create(request);
  const reply = await client.chat.completions.create(request);
  schemas.check("ChatCompletion", reply);
  assert.equal(reply.choices.length, 1);
  assert.equal(reply.lanes.lanes.length, 4);
  const best = reply.lanes.lanes.reduce((a, b) => (b.mean_logprob > a.mean_logprob ? b : a));
  assert.equal(reply.lanes.selected, best.index);
  let streamed = "";
  let last;
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
    last = schemas.check("ChatCompletionChunk", chunk);
    streamed += chunk.choices[0]?.delta.content ?? "";
  }
  assert.equal(streamed, reply.choices[0].message.content);
  assert.equal(last.lanes.selected, reply.lanes.selected);
});

test("models", async () => {
  const list = await client.models.list();
  assert.equal(list.data.length, 1);
  assert.equal((await client.models.retrieve(list.data[0].id)).id, list.data[0].id);
});

test("errors arrive as OpenAI's error classes, with a sentence", async () => {
  const refusal = (request) => client.chat.completions.create(request).then(() => assert.fail("accepted"), (error) => error);
  const bad = await refusal({ model: "any", messages, n: 0 });
  assert.ok(bad instanceof OpenAI.BadRequestError);
  assert.equal(bad.param, "n");
  const huge = await refusal({ model: "any", messages, n: 64, max_tokens: 2000 });
  assert.ok(huge instanceof OpenAI.BadRequestError);
  assert.match(huge.message, /KV cells.*64 lanes x 2048.*8192/);
  const stranger = new OpenAI({ baseURL: client.baseURL, apiKey: "wrong", maxRetries: 0 });
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
});
