// SPDX-License-Identifier: Apache-2.0
// What the operator chose for clients that say nothing of lanes: flags of serve, presets in a file, adapters by name.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import OpenAI from "openai";
import { loadSchemas } from "./schema.mjs";
import { startServer } from "./server.mjs";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "lanerope-presets-"));
const presets = join(folder, "presets.json");
const messages = [{ role: "user", content: "Count to three." }];
let client;
let check;

before(async () => {
  writeFileSync(presets, JSON.stringify({ brief: { max_tokens: 2, lanes: { count: 2, select: "logprob" } } }));
  const flags = ["--lanes", "4", "--coupling", "lanerope", "--select", "vote", "--consensus", "3", "--presets", presets, "--alias", "some/base"];
  const { base } = await startServer([...flags, "--budget", "24", "--lora", process.env.LANEROPE_ADAPTER]);
  ({ check } = await loadSchemas(base));
  client = new OpenAI({ baseURL: `${base}/v1`, apiKey: "none", maxRetries: 0 });
});
after(() => rmSync(folder, { recursive: true }));

const chat = async (more) => check("ChatCompletion", await client.chat.completions.create({ model: "any", messages, max_tokens: 8, ...more }));

test("an unknowing client gets one answer of four lanes, whole and streamed", async () => {
  const reply = await chat({ seed: 3 });
  assert.equal(reply.choices.length, 1);
  assert.equal(reply.lanes.lanes.length, 4);
  assert.equal(reply.lanes.coupling.kind, "lanerope");
  assert.equal(reply.lanes.select, "vote");
  let streamed = "";
  for await (const chunk of await client.chat.completions.create({ model: "any", messages, max_tokens: 8, seed: 3, stream: true })) {
    assert.ok(!("lanes" in chunk), "which the client did not ask for");
    streamed += chunk.choices[0]?.delta.content ?? "";
  }
  assert.equal(streamed, reply.choices[0].message.content);
  assert.equal((await chat({ n: 2 })).groups.length, 2);
  assert.equal((await client.responses.create({ model: "any", input: "Count." })).lanes.lanes.length, 4);
});

test("a client that speaks of lanes is heard", async () => {
  assert.equal((await chat({ n: 2, lanes: { select: "none" } })).choices.length, 2);
});

test("models are the base, the adapter and the preset", async () => {
  const ids = (await client.models.list()).data.map((model) => model.id);
  assert.deepEqual(ids, ["some/base", "some/base:adapter", "brief"]);
  for (const id of ids) assert.equal((await client.models.retrieve(id)).id, id);
  const brief = await chat({ model: "brief", max_tokens: undefined });
  assert.equal(brief.model, "brief");
  assert.equal(brief.lanes.lanes.length, 2);
  assert.ok(brief.usage.completion_tokens <= 4);
  assert.equal((await chat({ model: "some/base:adapter" })).model, "some/base:adapter");
  await assert.rejects(chat({ model: "some/base:nobody" }), OpenAI.NotFoundError);
});

test("what no request could ask for is refused at the start, with a sentence", async () => {
  const refusal = async (...flags) => {
    const words = ["serve", "-m", process.env.LANEROPE_MODEL, "--port", "0", ...flags];
    return run(process.env.LANEROPE_PROGRAM, words, { timeout: 20000 }).then(() => assert.fail("it started"), (error) => error.stderr);
  };
  assert.match(await refusal("--consensus", "3"), /the lanes of this server: lanes\.consensus must not exceed/);
  writeFileSync(join(folder, "bad.json"), JSON.stringify({ bad: { temprature: 1 } }));
  assert.match(await refusal("--presets", join(folder, "bad.json")), /the preset "bad": temprature is no field/);
  assert.match(await refusal("--presets", join(folder, "missing.json")), /cannot be read/);
  // These need the model to be told.
  for (const policy of ["refill", "fork-on-doubt", "adaptive"]) {
    assert.match(await refusal("--policy", policy), /the lanes of this server: a policy that adds lanes needs one answer/);
  }
  assert.match(await refusal("--lanes", "4", "--select", "verifier"), /the lanes of this server: .*started without a verifier/);
  assert.match(await refusal("--select", "logprob", "--vote-weight", "logprob"), /a vote weight goes with selection by vote/);
});
