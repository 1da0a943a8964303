// SPDX-License-Identifier: Apache-2.0
// Answers that keep to a format, with OpenAI's own client: a random model, which would never write JSON by itself, and every
// lane of it.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import OpenAI from "openai";
import { loadSchemas } from "./schema.mjs";
import { post, startServer } from "./server.mjs";

const messages = [{ role: "user", content: "Where is it?" }];
const schema = {
  type: "object",
  properties: { side: { enum: ["left", "right"] }, steps: { type: "array", items: { type: "integer", minimum: 0, maximum: 9 }, maxItems: 3 } },
  required: ["side", "steps"],
  additionalProperties: false,
};
const response_format = { type: "json_schema", json_schema: { name: "place", strict: true, schema } };
let base;
let client;
let check;

before(async () => {
  ({ base } = await startServer(["--budget", "128"]));
  ({ check } = await loadSchemas(base));
  client = new OpenAI({ baseURL: `${base}/v1`, apiKey: "any", maxRetries: 0 });
});

function checkPlace(text) {
  const place = JSON.parse(text);
  assert.deepEqual(Object.keys(place), ["side", "steps"]);
  assert.ok(["left", "right"].includes(place.side));
  assert.ok(place.steps.length <= 3 && place.steps.every((step) => Number.isInteger(step) && step >= 0 && step <= 9));
}

for (const coupling of ["independent", "lanerope", "hogwild"]) {
  test(`every lane keeps to the schema: ${coupling}`, async () => {
    const reply = await client.chat.completions.create({ model: "any", messages, n: 4, seed: 1, temperature: 1, response_format, lanes: { coupling } });
    check("ChatCompletion", reply);
    assert.equal(reply.choices.length, 4);
    for (const choice of reply.choices) {
      assert.equal(choice.finish_reason, "stop");
      checkPlace(choice.message.content);
    }
  });
}

test("a stream says the same, and the client's parser takes it", async () => {
  const request = { model: "any", messages, seed: 3, temperature: 1, response_format };
  const whole = await client.chat.completions.create(request);
  const stream = client.chat.completions.stream(request);
  const final = await stream.finalChatCompletion();
  assert.equal(final.choices[0].message.content, whole.choices[0].message.content);
  const parsed = await client.chat.completions.parse(request);
  assert.deepEqual(parsed.choices[0].message.parsed ?? JSON.parse(parsed.choices[0].message.content), JSON.parse(whole.choices[0].message.content));
});

test("json_object is an object", async () => {
  const reply = await client.chat.completions.create({ model: "any", messages, seed: 2, temperature: 0.2, max_tokens: 400, response_format: { type: "json_object" } });
  const [{ message, finish_reason }] = reply.choices;
  if (finish_reason === "stop") assert.equal(typeof JSON.parse(message.content), "object");
  assert.ok(message.content.startsWith("{"));
});

test("an answer that is cut off says so", async () => {
  const reply = await client.chat.completions.create({ model: "any", messages, seed: 1, max_tokens: 4, response_format });
  assert.equal(reply.choices[0].finish_reason, "length");
  await assert.rejects(client.chat.completions.parse({ model: "any", messages, seed: 1, max_tokens: 4, response_format }), OpenAI.LengthFinishReasonError ?? Error);
});

describe("vLLM's and llama-server's names", () => {
  const completions = async (fields) => {
    const reply = await post(base, "/v1/completions", { prompt: "1 2 3", seed: 1, temperature: 1, max_tokens: 300, ...fields });
    assert.equal(reply.status, 200, reply.text);
    return check("Completion", reply.json).choices[0].text;
  };
  test("choice", async () => assert.ok(["red", "green"].includes(await completions({ structured_outputs: { choice: ["red", "green"] } }))));
  test("regex", async () => assert.match(await completions({ structured_outputs: { regex: "[0-9]{3}-[a-f]{2}" } }), /^[0-9]{3}-[a-f]{2}$/));
  test("grammar", async () => assert.match(await completions({ grammar: 'root ::= "x" [0-9]+ "y" | "z"' }), /^(x[0-9]+y?|z)$/));
  test("json", async () => checkPlace(await completions({ structured_outputs: { json: schema } })));
  test("json_schema", async () => checkPlace(await completions({ json_schema: schema })));
});

describe("what cannot be kept is 400 with a sentence", () => {
  const cases = [
    [{ response_format: { type: "json_schema", json_schema: { name: "a", schema: { type: "object", not: {} } } } }, /not, which cannot be kept/],
    [{ response_format: { type: "json_schema", json_schema: { name: "a" } } }, /schema is missing/],
    [{ response_format: { type: "xml" } }, /response_format.type must be/],
    [{ grammar: "root ::= missing" }, /the grammar cannot be used/],
    [{ structured_outputs: { regex: "(" } }, /the regular expression cannot be used/],
    [{ response_format, ignore_eos: true }, /keep to a format/],
    [{ thinking_token_budget: 4 }, /marks the thinking/],
  ];
  for (const [fields, sentence] of cases) {
    test(JSON.stringify(fields).slice(0, 60), async () => {
      const reply = await post(base, "/v1/chat/completions", { messages, ...fields });
      assert.equal(reply.status, 400, reply.text);
      assert.match(reply.json.error.message, sentence);
    });
  }
  test("and others go on", async () => {
    const [bad, good] = await Promise.all([
      post(base, "/v1/chat/completions", { messages, structured_outputs: { regex: "((a{1,1000}){1,1000}){1,1000}" }, max_tokens: 120 }),
      post(base, "/v1/chat/completions", { messages, response_format, seed: 1 }),
    ]);
    assert.ok([200, 400, 500].includes(bad.status));
    checkPlace(good.json.choices[0].message.content);
  });
});

describe("a model that thinks before it answers", () => {
  let thinker;
  const ask = async (fields) => {
    const reply = await post(thinker, "/v1/chat/completions", { messages, seed: 1, temperature: 1, max_tokens: 300, ...fields });
    assert.equal(reply.status, 200, reply.text);
    return check("ChatCompletion", reply.json);
  };
  before(async () => {
    ({ base: thinker } = await startServer(["--budget", "300", "--chat-template", "deepseek-r1-distill", "--reasoning-budget", "12"]));
  });
  test("a format begins behind the thinking, in every lane", async () => {
    const reply = await ask({ n: 3, response_format, thinking_token_budget: 6 });
    for (const { message } of reply.choices) {
      checkPlace(message.content);
      assert.ok(message.reasoning_content?.length > 0);
    }
    assert.ok(reply.usage.completion_tokens_details.reasoning_tokens <= 3 * (6 + 8), "a budget, and its closing mark");
  });
  test("the budget ends the thinking, with no format too; the server's where a request has none", async () => {
    const own = await ask({ thinking_token_budget: 3, max_tokens: 40 });
    assert.ok(own.usage.completion_tokens_details.reasoning_tokens <= 3 + 8);
    const served = await ask({ max_tokens: 60 });
    assert.ok(served.usage.completion_tokens_details.reasoning_tokens <= 12 + 8);
    const free = await ask({ max_tokens: 60, thinking_token_budget: -1, logit_bias: {} });
    assert.ok(free.usage.completion_tokens_details.reasoning_tokens > 20, "no bound");
  });
  test("an effort of none is a budget of nothing, where the template has no switch", async () => {
    const reply = await ask({ reasoning_effort: "none", max_tokens: 40 });
    assert.equal(reply.choices[0].message.reasoning_content, undefined);
  });
});

test("text that is pushed into a lane must fit", async () => {
  const regex = "a{40}b{5}";
  const started = await fetch(`${base}/v1/groups`, { method: "POST", body: JSON.stringify({ prompt: "go", max_tokens: 60, structured_outputs: { regex } }) });
  let id;
  let refused;
  let text = "";
  let pending = "";
  for await (const part of started.body.pipeThrough(new TextDecoderStream())) {
    const lines = (pending + part).split("\n");
    pending = lines.pop();
    for (const line of lines.filter((each) => each.startsWith("data: "))) {
      const event = JSON.parse(line.slice(6));
      if (event.kind === "group_created") id = event.id ?? event.group;
      if (event.kind === "token") text += event.text;
      if (event.kind === "token" && id && !refused) refused = await post(base, `/v1/groups/${id}/lanes/0/text`, { text: "zzz" });
    }
  }
  assert.ok([400, 404].includes(refused.status), refused.text);
  assert.equal(text, "a".repeat(40) + "b".repeat(5));
});
