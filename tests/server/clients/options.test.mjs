// SPDX-License-Identifier: Apache-2.0
// What a request or a start of the server can ask for, seen from outside: adapters and their scales, how lanes are coupled
// unless the request says so, banned and favoured tokens, reasoning, TLS, and texts that do not depend on the load.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { loadSchemas } from "./schema.mjs";
import { post, sseData, startServer } from "./server.mjs";

const run = promisify(execFile);
const bundled = process.env.LANEROPE_BUNDLED;  // the folder of the trained model and its base
const messages = [{ role: "user", content: "Count to three." }];
let base;
let check;

before(async () => {
  ({ base } = await startServer(["--cells", "32768", "--lora", process.env.LANEROPE_ADAPTER]));
  ({ check } = await loadSchemas(base));
});

async function complete(to, body) {
  const reply = await post(to, "/v1/completions", body);
  assert.equal(reply.status, 200, reply.text);
  return check("Completion", reply.json);
}

const texts = async (to, body) => (await complete(to, body)).choices.map((choice) => choice.text);

describe("adapters", () => {
  const request = { prompt: "one two three", n: 2, max_tokens: 24, temperature: 0, ignore_eos: true, lanes: { coupling: "independent" } };
  const scale = async (list) => {
    const reply = await post(base, "/lora-adapters", list);
    assert.equal(reply.status, 200, reply.text);
    return check("Adapters", reply.json);
  };
  after(() => scale([{ id: 0, scale: 1 }]));

  test("the adapter is listed by its name, without its folder", async () => {
    const list = check("Adapters", await (await fetch(`${base}/lora-adapters`)).json());
    assert.equal(list.length, 1);
    assert.ok(!list[0].path.includes("/"));
    assert.equal(list[0].lanes, true);
  });

  test("its scale changes what is written, for all later requests, and back", async () => {
    await scale([{ id: 0, scale: 1 }]);
    const on = await texts(base, request);
    assert.equal((await scale([{ id: 0, scale: 0 }]))[0].scale, 0);
    const off = await texts(base, request);
    assert.notDeepEqual(off, on);
    assert.equal((await scale([]))[0].scale, 0, "an adapter that is not named is off");
    assert.deepEqual(await texts(base, request), off);
    await scale([{ id: 0, scale: 1 }]);
    assert.deepEqual(await texts(base, request), on);
  });

  test("`lora` in a request holds for that request alone", async () => {
    await scale([{ id: 0, scale: 1 }]);
    const on = await texts(base, request);
    const off = await texts(base, { ...request, lora: [{ id: 0, scale: 0 }] });
    assert.notDeepEqual(off, on);
    assert.deepEqual(await texts(base, request), on);
  });

  test("an adapter that is not there is refused", async () => {
    assert.equal((await post(base, "/lora-adapters", [{ id: 3, scale: 1 }])).status, 400);
    assert.equal((await post(base, "/v1/completions", { ...request, lora: [{ id: 3, scale: 1 }] })).json.error.param, "lora");
  });
});

describe("the coupling of a request that does not name one", () => {
  const couplingOf = async (to, body = {}) => (await complete(to, { prompt: "one two", n: 2, max_tokens: 4, lanes: {}, ...body })).lanes.coupling.kind;

  test("is what the adapter was trained with, while it is on", async () => {
    assert.equal(await couplingOf(base), "lanerope");
    assert.equal(await couplingOf(base, { lora: [{ id: 0, scale: 0 }] }), "independent");
    assert.equal(await couplingOf(base, { lanes: { coupling: "independent" } }), "independent");
  });

  test("is independent for a plain model, and n means n independent choices", async () => {
    const { base: plain } = await startServer([]);
    const request = { prompt: "one two", max_tokens: 16, seed: 9, ignore_eos: true, temperature: 1 };
    assert.equal(await couplingOf(plain), "independent");
    const silent = await texts(plain, { ...request, n: 3 });
    assert.equal(silent.length, 3);
    assert.deepEqual(await texts(plain, { ...request, n: 3, lanes: { coupling: "independent" } }), silent);
    assert.equal((await texts(plain, request))[0], silent[0], "the first choice does not know of the others");
    assert.notDeepEqual(await texts(plain, { ...request, n: 3, lanes: { coupling: "lanerope" } }), silent);
  });

  test("is what the model itself was trained with", { skip: !bundled && "no bundled models" }, async () => {
    const trained = await startServer([], { model: join(bundled, "model.gguf") });
    const props = check("Props", await (await fetch(`${trained.base}/props`)).json());
    assert.deepEqual(props.trained_lanes, [2, 4, 8]);
    assert.equal(await couplingOf(trained.base), "lanerope");
    const request = { prompt: "Eva buys pens in 2 shops.", n: 4, max_tokens: 24, seed: 2 };
    const asked = await texts(trained.base, { ...request, lanes: { coupling: "lanerope" } });
    assert.deepEqual(await texts(trained.base, request), asked, "also without a `lanes` object");
    const untrained = await startServer([], { model: join(bundled, "base.gguf") });
    assert.equal(await couplingOf(untrained.base), "independent");
  });
});

test("logit_bias: a banned token never comes, a boosted one always", async () => {
  const greedy = { prompt: "one two three", temperature: 0, max_tokens: 12, ignore_eos: true, logprobs: 1 };
  const [first] = (await post(base, "/tokenize", { content: (await complete(base, greedy)).choices[0].logprobs.tokens[0] })).json.tokens;
  const { piece } = (await post(base, "/tokenize", { content: (await complete(base, greedy)).choices[0].logprobs.tokens[0], with_pieces: true })).json.tokens[0];
  for (const temperature of [0, 1.5]) {
    const banned = (await complete(base, { ...greedy, n: 4, temperature, logit_bias: { [first]: -100 } })).choices;
    assert.ok(banned.every((choice) => !choice.logprobs.tokens.includes(piece)), `${piece} is banned`);
    const boosted = (await complete(base, { ...greedy, n: 4, temperature, logit_bias: { [first]: 100 } })).choices;
    assert.ok(boosted.every((choice) => choice.logprobs.tokens.every((token) => token === piece)), `${piece} is boosted`);
  }
});

describe("reasoning", () => {
  // The prompt of this template ends inside <think>; the lane's first text ends the thinking.
  let thinker;
  const request = { messages, n: 2, max_tokens: 8, seed: 1, ignore_eos: true, lanes: { tag: "", text: ["I count. </think> One,", " two </think> three"] } };
  const chat = async (body) => {
    const reply = await post(thinker, "/v1/chat/completions", body);
    assert.equal(reply.status, 200, reply.text);
    return check("ChatCompletion", reply.json).choices.map((choice) => choice.message);
  };
  before(async () => ({ base: thinker } = await startServer(["--chat-template", "deepseek-r1-distill"])));

  test("what a lane thinks comes apart from what it says", async () => {
    const { prompt } = (await post(thinker, "/apply-template", { messages })).json;
    assert.match(prompt, /<think>\s*$/);
    const [one, two] = await chat(request);
    assert.equal(one.reasoning_content.trim(), "I count.");
    assert.ok(one.content.startsWith("One,"), one.content);
    assert.equal(two.reasoning_content.trim(), "two");
    assert.ok(two.content.startsWith("three"), two.content);
  });

  test("in a stream too, and the marks never show", async () => {
    const whole = await chat(request);
    const response = await fetch(`${thinker}/v1/chat/completions`, { method: "POST", body: JSON.stringify({ ...request, stream: true }) });
    const parts = [["", ""], ["", ""]];
    for (const line of sseData(await response.text()).filter((data) => data !== "[DONE]")) {
      for (const { index, delta } of check("ChatCompletionChunk", JSON.parse(line)).choices) {
        parts[index][0] += delta.reasoning_content ?? "";
        parts[index][1] += delta.content ?? "";
      }
    }
    assert.deepEqual(parts, whole.map((message) => [message.reasoning_content, message.content]));
    assert.ok(!JSON.stringify(parts).includes("think>"));
  });

  test("reasoning_format none leaves it in the content", async () => {
    const [one] = await chat({ ...request, reasoning_format: "none" });
    assert.ok(one.content.startsWith("I count. </think> One,"), one.content);
    assert.ok(!one.reasoning_content);
  });
});

test("the same seed and request: the same text alone, among groups whose prompts begin alike, and after them", async () => {
  const common = "A long beginning that all of these prompts have in common, so that they lie in the same cells. ";
  const request = { prompt: `${common}The sum of two and two is`, n: 4, max_tokens: 80, seed: 42, ignore_eos: true, lanes: { coupling: "lanerope" } };
  const alone = await texts(base, request);
  const others = Array.from({ length: 6 }, (_, i) =>
    texts(base, { ...request, prompt: `${common.slice(0, 30 + 10 * i)}another way to go on: ${i}`, max_tokens: 200, n: 2 + (i % 3), seed: i }));
  await new Promise((resolve) => setTimeout(resolve, 40));
  for (const one of await Promise.all([texts(base, request), texts(base, request)])) assert.deepEqual(one, alone);
  await Promise.all(others);
  assert.deepEqual(await texts(base, request), alone);
});

test("TLS: the same API over HTTPS, and nothing without it", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "lanerope-tls-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  try {
    await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
      "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]);
  } catch (error) {
    context.skip(`no certificate can be made: ${error.message}`);
    return;
  }
  const server = await startServer(["--tls-cert", certificate, "--tls-key", key], { authority: certificate });
  const { stdout } = await run("curl", ["-sS", "--cacert", certificate, `${server.base}/v1/completions`, "-d", JSON.stringify({ prompt: "one", n: 2, max_tokens: 4 })]);
  assert.equal(check("Completion", JSON.parse(stdout)).choices.length, 2);
  const streamed = await run("curl", ["-sSN", "--cacert", certificate, `${server.base}/v1/completions`, "-d", JSON.stringify({ prompt: "one", stream: true, max_tokens: 4 })]);
  assert.equal(sseData(streamed.stdout).at(-1), "[DONE]");
  await assert.rejects(run("curl", ["-sS", `${server.base}/health`]), /certificate/i, "a stranger's certificate is not trusted");
  await assert.rejects(fetch(`http://127.0.0.1:${server.port}/health`));
});
