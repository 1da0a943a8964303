// SPDX-License-Identifier: Apache-2.0
// What the server offers beside OpenAI's API, as curl and scripts use it; every response against the OpenAPI file.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { checked, loadSchemas } from "./schema.mjs";
import { eventually, groupEvents, post, sseData, startServer } from "./server.mjs";

const run = promisify(execFile);
let base;
let slow;  // its lanes write long enough that this client can act meanwhile
let check;
let document;

before(async () => {
  ({ base } = await startServer(["--cells", "32768"]));
  ({ base: slow } = await startServer(["--cells", "32768"], { model: process.env.LANEROPE_PAGE_MODEL }));
  ({ check, document } = await loadSchemas(base));
});

async function* events(body) {
  for await (const event of groupEvents(slow, body)) yield check("GroupEvent", event);
}

test("curl, as in the manual", async () => {
  const body = JSON.stringify({ messages: [{ role: "user", content: "hi" }], n: 2, max_tokens: 4 });
  const whole = await run("curl", ["-sS", `${base}/v1/chat/completions`, "-H", "Content-Type: application/json", "-d", body]);
  assert.equal(check("ChatCompletion", JSON.parse(whole.stdout)).choices.length, 2);
  const streamed = await run("curl", ["-sSN", `${base}/v1/chat/completions`, "--compressed", "-d", body.replace("{", '{"stream":true,')]);
  const lines = sseData(streamed.stdout);
  assert.equal(lines.pop(), "[DONE]");
  lines.forEach((line) => check("ChatCompletionChunk", JSON.parse(line)));
  const older = await run("curl", ["-sSN", `${base}/v1/completions`, "-d", '{"prompt":"hi","n":2,"max_tokens":4,"stream":true,"logprobs":2,"lanes":{}}']);
  sseData(older.stdout).slice(0, -1).forEach((line) => check("CompletionChunk", JSON.parse(line)));
});

test("health, props, tokens, templates, adapters", async () => {
  const get = async (path) => (await fetch(base + path)).json();
  check("Health", await get("/health"));
  check("Health", await get("/v1/health"));
  check("Props", await get("/props"));
  check("ModelList", await get("/v1/models"));
  check("Adapters", await get("/lora-adapters"));
  check("Adapters", (await post(base, "/lora-adapters", "[]")).json);
  const { tokens } = check("Tokens", (await post(base, "/tokenize", { content: "héllo wörld" })).json);
  assert.equal(check("Content", (await post(base, "/detokenize", { tokens })).json).content, "héllo wörld");
  check("Tokens", (await post(base, "/tokenize", { content: "hello", with_pieces: true })).json);
  const { prompt } = check("Prompt", (await post(base, "/apply-template", { messages: [{ role: "user", content: "hi" }] })).json);
  assert.match(prompt, /hi[^]*assistant/);
});

test("a group: push, fork, retire, attention, and its end", async () => {
  const request = { prompt: "one two three", n: 2, max_tokens: 3500, seed: 1, ignore_eos: true, lanes: { coupling: "lanerope", hold: true, attention: true } };
  const seen = [];
  let id;
  let acted = null;
  for await (const event of events(request)) {
    seen.push(event);
    if (event.kind === "group_created") ({ id } = event);
    if (event.kind === "token" && event.step === 20 && !acted) {
      acted = (async () => {
        const lane = `${slow}/v1/groups/${id}/lanes`;
        const pushed = await post(lane, "/1/text", { text: " Stop: check the sum." });
        const forked = await post(lane, "", { parent: 0, fork_step: 15 });
        const retired = await fetch(`${lane}/0`, { method: "DELETE" });
        await eventually(() => {
          const written = seen.filter((one) => one.kind === "token" && one.lane === 1);
          return written.some((one) => one.forced) && !written.at(-1).forced && written.at(-1).step > 30;
        });
        for (const rest of [1, 2]) await fetch(`${lane}/${rest}`, { method: "DELETE" });
        return { pushed, forked, retired: await retired.json() };
      })();
    }
  }
  const { pushed, forked, retired } = await acted;
  check("LaneChanged", pushed.json);
  assert.equal(forked.status, 201);
  assert.equal(check("LaneCreated", forked.json).lane, 2);
  check("LaneChanged", retired);
  const of = (kind) => seen.filter((event) => event.kind === kind);
  assert.equal(of("lane_started").length, 3);
  assert.notEqual(of("lane_started")[2].text, "");
  const forced = of("token").filter((event) => event.lane === 1 && event.forced).map((event) => event.text).join("");
  assert.match(forced, /Stop: check the sum\./);
  assert.equal(of("lane_finished").find((event) => event.lane === 0).finish, "retired");
  assert.ok(of("attention")[0].rows.every((row) => Math.abs(row.slice(2).reduce((a, b) => a + b, 0) - 1) < 0.01));
  assert.equal(seen.at(-1).kind, "group_finished");
  const probe = check("Attention", await (await fetch(`${slow}/v1/groups/${id}/lanes/1/attention?step=30`)).json());
  const total = probe.parts.flatMap((part) => part.weights).reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(total - 1) < 0.02, `the weights add up to ${total}`);
  assert.ok(probe.parts.some((part) => part.lane === -1) && probe.parts.some((part) => part.lane === 0));
  const late = await post(slow, `/v1/groups/${id}/lanes/1/text`, { text: "too late" });
  assert.equal(late.status, 404);
  check("Error", late.json);
  check("GroupRemoved", await (await fetch(`${slow}/v1/groups/${id}`, { method: "DELETE" })).json());
});

test("a fresh lane joins a running group at its clock, with a text to begin with", async () => {
  const request = { prompt: "one two three", n: 1, max_tokens: 3500, seed: 1, ignore_eos: true, lanes: { coupling: "lanerope", reserve: 1 } };
  const seen = [];
  const lanes = () => `/v1/groups/${seen[0].id}/lanes`;
  let made;
  let retired;
  for await (const event of events(request)) {
    seen.push(event);
    if (event.kind === "token") made ??= post(slow, lanes(), { text: " I join." });
    if (event.kind === "token" && event.lane === 1 && !event.forced) {
      retired ??= Promise.all([0, 1].map((lane) => fetch(`${slow}${lanes()}/${lane}`, { method: "DELETE" })));
    }
  }
  assert.equal(check("LaneCreated", (await made).json).lane, 1);
  const started = seen.find((event) => event.kind === "lane_started" && event.lane === 1);
  assert.ok(started.step > 0, "the group had written by then");
  const spoken = seen.filter((event) => event.kind === "token" && event.lane === 1);
  assert.equal(spoken[0].step, started.step);
  assert.match(spoken.filter((event) => event.forced).map((event) => event.text).join(""), /I join\./);
  assert.equal(seen.at(-1).lanes.lanes.length, 2);
  assert.equal(seen.at(-1).lanes.lanes[1].start_step, started.step);
});

test("every route's responses were checked against the OpenAPI file, its errors too", async () => {
  const { data } = await (await fetch(`${base}/v1/models`)).json();
  await fetch(`${base}/v1/models/${data[0].id}`);
  const answers = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => [method, path]));
  for (const [method, path] of answers.filter(([, one]) => !["/metrics", "/openapi.json"].includes(one))) {
    const place = path.replace("{id}", "nothing").replace("{lane}", "0");
    if (method === "post" || path.includes("{id}")) {
      const refusal = await fetch(base + place, { method: method.toUpperCase(), body: method === "post" ? "{" : undefined });
      assert.ok(refusal.status >= 400, `${method} ${place}`);
      assert.ok(checked.has(`${method} ${path} error`));
    }
    if (/completions?$/.test(path)) await post(base, path, path.includes("chat") ? { messages: [{ role: "user", content: "x" }], max_tokens: 1 } : { prompt: "x", max_tokens: 1 });
    if (path === "/v1/responses") await post(base, path, { input: "x", max_output_tokens: 1 });
    if (method === "get" && !path.includes("{")) await fetch(base + path);
    if (path.endsWith("/embeddings") || path === "/v1/responses/{id}") continue;  // always a refusal
    const streams = path === "/v1/groups";  // its events were checked one by one
    assert.ok(streams || [...checked].some((one) => one.startsWith(`${method} ${path} 20`)), `${method} ${path} was never answered with success`);
  }
});
