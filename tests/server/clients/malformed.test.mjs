// SPDX-License-Identifier: Apache-2.0
// Requests that no client should send. LANEROPE_MALFORMED says how many (10000 in the long form; 400 otherwise).

import assert from "node:assert/strict";
import { connect } from "node:net";
import { before, test } from "node:test";
import { loadSchemas } from "./schema.mjs";
import { post, startServer } from "./server.mjs";

const count = Number(process.env.LANEROPE_MALFORMED ?? 400);
let server;
let check;

before(async () => {
  server = await startServer(["--request-timeout", "2", "--max-body", "1", "--connections", "24"]);
  ({ check } = await loadSchemas(server.base));
});

// A generator of its own, so that a failure can be repeated.
let state = 12345;
const random = (below) => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return (state >>> 8) % below;
};
const pick = (list) => list[random(list.length)];

const paths = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/completion", "/v1/groups", "/tokenize", "/detokenize", "/apply-template", "/lora-adapters", "/v1/groups/x/lanes", "/v1/groups/x/lanes/0/text", "/nowhere"];
const values = ["", "x", -1, 0, 1e308, -1e308, 2 ** 63, 1.5, true, null, [], {}, [[[]]], [null], { a: 1 }, "\u0000", "<|im_end|>", "9".repeat(400), [1e99], [-1], { 5: 1e300 }, { "-1": 0 }];
const keys = ["messages", "prompt", "input", "instructions", "model", "echo", "n", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "seed", "stop", "logprobs", "top_logprobs", "logit_bias", "stream", "stream_options", "lora", "lanes", "content", "tokens", "text", "parent"];
const laneKeys = ["count", "coupling", "init", "stride", "window", "visibility", "tag", "text", "select", "consensus", "return", "reserve", "attention", "hold"];

function wrongObject() {
  const inputs = [{ prompt: "x" }, { messages: [{ role: "user", content: "x" }] }, { input: "x" }];
  const body = { ...pick(inputs), max_tokens: 1 };
  for (let i = 0; i <= random(3); ++i) body[pick(keys)] = pick(values);
  if (random(2)) body.lanes = { [pick(laneKeys)]: pick(values) };
  return JSON.stringify(body);
}

const shapes = [
  wrongObject,
  wrongObject,
  () => wrongObject().slice(0, random(60)),
  () => "[".repeat(1 + random(20000)),
  () => '{"a":'.repeat(1 + random(5000)),
  () => `{"prompt":"x","max_tokens":1,"n":${"9".repeat(1 + random(400))}}`,
  () => Buffer.from([0x7b, 0x22, 0x70, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0xc0, 0x80, 0x22, 0x7d]),
  () => Buffer.from(Array.from({ length: random(200) }, () => random(256))),
  () => "",
  () => "null",
  () => `{"prompt":"${"\\ud800".repeat(1 + random(5))}","max_tokens":1}`,
];

test(`${count} malformed requests are answered, and leave the server healthy`, async () => {
  const statuses = new Map();
  const workers = Array.from({ length: 8 }, async (_, worker) => {
    for (let i = worker; i < count; i += 8) {
      const path = pick(paths);
      const response = await fetch(server.base + path, { method: "POST", body: pick(shapes)() });
      const text = await response.text();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      assert.ok([200, 400, 404, 413].includes(response.status), `${response.status} at ${path}: ${text.slice(0, 300)}`);
      if (response.status !== 200) check("Error", JSON.parse(text));
    }
  });
  await Promise.all(workers);
  assert.ok(statuses.get(400) > count / 3);
  check("Health", await (await fetch(`${server.base}/health`)).json());
});

const rawRequest = (text) =>
  new Promise((resolve) => {
    const socket = connect(server.port, "127.0.0.1");
    let answer = "";
    socket.on("data", (data) => (answer += data));
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
    socket.write(text);
    setTimeout(() => socket.destroy(), 8000).unref();
  });

test("raw nonsense on the wire", async () => {
  const body = "x".repeat(2 << 20);
  const tooLarge = await rawRequest(`POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  assert.match(tooLarge, /^HTTP\/1\.1 413/);
  await rawRequest("\r\n\r\n\r\n");
  const status = async (text) => Number((await rawRequest(text)).match(/^HTTP\/1\.1 (\d+)/)?.[1]);
  assert.equal(await status(`GET /${"a".repeat(20000)} HTTP/1.1\r\nHost: a\r\n\r\n`), 414);
  assert.equal(await status(`GET /health HTTP/1.1\r\n${"A: b\r\n".repeat(500)}\r\n`), 400);
  assert.equal(await status(`GET /health HTTP/1.1\r\nA: ${"b".repeat(20000)}\r\n\r\n`), 400);
  assert.equal(await status("NONSENSE\r\n\r\n"), 400);
  await rawRequest("POST /v1/completions HTTP/1.1\r\nContent-Length: -5\r\n\r\n");
  await rawRequest("POST /v1/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  assert.equal((await fetch(`${server.base}/health`)).status, 200);
});

test("slow lorises are cut off, and others are served meanwhile", async () => {
  const started = Date.now();
  const drips = Array.from({ length: 16 }, () =>
    new Promise((resolve) => {
      const socket = connect(server.port, "127.0.0.1");
      socket.write("POST /v1/completions HTTP/1.1\r\nHost: a\r\n");
      const drip = setInterval(() => socket.write("X"), 200);
      socket.on("error", () => {});
      socket.on("close", () => {
        clearInterval(drip);
        resolve(Date.now() - started);
      });
    }));
  const reply = await post(server.base, "/v1/completions", { prompt: "one", max_tokens: 2 });
  assert.equal(reply.status, 200);
  for (const milliseconds of await Promise.all(drips)) assert.ok(milliseconds < 6000, `held for ${milliseconds} ms`);
});
