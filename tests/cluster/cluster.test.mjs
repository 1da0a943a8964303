// SPDX-License-Identifier: Apache-2.0
// examples/cluster as somebody runs it: replicas of a small model behind nginx.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, freePort, metric, post } from "../server/clients/server.mjs";

const folder = mkdtempSync(join(tmpdir(), "lanerope-cluster-"));
let port, base, cluster, ended;
let notes = "";

// A port with two free ones after it.
async function threePorts() {
  for (;;) {
    const first = await freePort();
    const free = await Promise.all([1, 2].map((i) => fetch(`http://127.0.0.1:${first + i}/`).then(() => false, () => true)));
    if (free.every(Boolean) && first < 65000) return first;
  }
}

const replicas = () => [1, 2].map((i) => `127.0.0.1:${port + i}`);
const pidOf = (replica) => Number(readFileSync(join(folder, `replica-${replicas().indexOf(replica) + 1}.pid`), "utf8"));
const healthy = (replica) => fetch(`http://${replica}/health`).then((reply) => reply.ok, () => false);
const both = () => eventually(async () => (await Promise.all(replicas().map(healthy))).every(Boolean), 60);
const of = (conversation) => (conversation === null ? {} : { "X-Conversation": conversation });
async function complete(conversation, more = {}) {
  const reply = await post(base, "/v1/completions", { prompt: "one two three four five six", max_tokens: 2, ignore_eos: true, ...more }, of(conversation));
  assert.equal(reply.status, 200, reply.text);
  return reply.headers.get("x-replica").split(", ").at(-1);
}

before(async () => {
  port = await threePorts();
  base = `http://127.0.0.1:${port}`;
  const words = ["--replicas", "2", "--port", String(port), "--folder", folder, "--nginx", process.env.LANEROPE_NGINX, "--",
    "-m", process.env.LANEROPE_MODEL, "-t", "1", "--cells", "8192"];
  cluster = spawn(process.env.LANEROPE_CLUSTER, words, { stdio: ["ignore", "ignore", "pipe"] });
  cluster.stderr.on("data", (data) => (notes += data));
  ended = new Promise((resolve) => cluster.once("close", resolve));
  process.once("exit", () => cluster.kill("SIGTERM"));
  await both();
});

after(() => rmSync(folder, { recursive: true, force: true }));

describe("conversations", () => {
  test("stay with a replica, which knows their beginning, and are spread over all", async () => {
    const chosen = new Set();
    for (let i = 0; i < 16; ++i) {
      const replica = await complete(`conversation ${i}`);
      for (let k = 0; k < 2; ++k) assert.equal(await complete(`conversation ${i}`), replica);
      chosen.add(replica);
    }
    assert.deepEqual([...chosen].sort(), replicas());
    for (const replica of chosen) assert.ok((await metric(`http://${replica}`, "prompt_tokens_cached_total")) > 0);
  });

  test("without a name go where least is to do", async () => {
    const chosen = new Set();
    for (let i = 0; i < 8; ++i) chosen.add(await complete(null));
    assert.equal(chosen.size, 2);
  });
});

test("a live group is found whichever replica is asked first", async () => {
  const stop = new AbortController();
  const body = JSON.stringify({ prompt: "one", n: 2, max_tokens: 3000, ignore_eos: true });
  const stream = await fetch(`${base}/v1/groups`, { method: "POST", body, signal: stop.signal });
  const group = stream.headers.get("lanerope-group");
  for (let i = 0; i < 6; ++i) {
    const pushed = await post(base, `/v1/groups/${group}/lanes/0/text`, { text: " x" });
    assert.equal(pushed.status, 200, pushed.text);
  }
  assert.equal((await post(base, "/v1/groups/grp_of_nobody/lanes/0/text", { text: "x" })).status, 404);
  stop.abort();
});

describe("a replica", () => {
  test("that drains finishes what it writes, others take what comes, and it comes back", async () => {
    const name = "one that is long";
    const replica = await complete(name);
    const long = fetch(`${base}/v1/completions`, {
      method: "POST", headers: of(name), body: JSON.stringify({ prompt: "one", max_tokens: 1500, ignore_eos: true, stream: true }),
    });
    const reply = await long;
    assert.equal(reply.headers.get("x-replica"), replica);
    const text = reply.text();
    const pid = pidOf(replica);
    process.kill(pid, "SIGTERM");
    await eventually(async () => !(await healthy(replica)));
    assert.notEqual(await complete(name), replica);
    assert.match(await text, /"finish_reason":"length"[\s\S]*\[DONE\]/);
    await eventually(async () => (await healthy(replica)) && pidOf(replica) !== pid, 60);
    await eventually(async () => (await complete(name)) === replica, 30);
  });

  test("that is killed is missed by nobody who asks later", async () => {
    process.kill(pidOf(replicas()[0]), "SIGKILL");
    for (let i = 0; i < 12; ++i) await complete(`afterwards ${i}`);
    await both();
  });
});

test("SIGTERM lets what runs finish, and ends everything with status 0", async () => {
  const long = post(base, "/v1/completions", { prompt: "one", max_tokens: 1000, ignore_eos: true });
  await eventually(async () => (await Promise.all(replicas().map((replica) => metric(`http://${replica}`, "lanes_live")))).some((n) => n > 0));
  cluster.kill("SIGTERM");
  assert.equal((await long).json?.choices[0].finish_reason, "length");
  assert.equal(await ended, 0, notes);
  assert.deepEqual(await Promise.all(replicas().map(healthy)), [false, false]);
});
