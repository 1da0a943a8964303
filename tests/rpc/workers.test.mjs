// SPDX-License-Identifier: Apache-2.0
// Several machines, as somebody uses them: workers are processes on loopback, or in network namespaces where this machine has them.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { eventually, freePort, groupEvents, post } from "../server/clients/server.mjs";
import { call, killAll, slowLine, start, startWorker } from "./workers.mjs";

const model = process.env.LANEROPE_RPC_MODEL;  // large enough that something can happen to it meanwhile
const question = ["-m", model, "-n", "3", "-b", "20", "--temp", "0", "--seed", "1", "-t", "1", "--ignore-end", "--plain", "one two three"];
const long = { prompt: "one two three", n: 2, max_tokens: 1500, ignore_eos: true };
const rpc = (...workers) => ["--rpc", workers.map((worker) => worker.address).join(",")];
// Pairs of "pid:address", one a network namespace, made by script/test-rpc.
const namespaces = (process.env.LANEROPE_NAMESPACES ?? "").split(",").filter(Boolean)
  .map((pair) => ({ pid: pair.split(":")[0], address: pair.split(":")[1] }));

const expected = call(["run", "--backend", "ggml", ...question]).then(({ status, out, notes }) => {
  assert.equal(status, 0, notes);
  return out;
});
after(killAll);  // where a test failed half-way
async function assertSame(words) {
  const { status, out, notes } = await call(["run", ...words, ...question]);
  assert.equal(status, 0, notes);
  assert.equal(out, await expected);
}

// `lanerope serve` on a port of its own; nobody waits for it to be healthy.
async function startServer(words) {
  const port = await freePort();
  const server = start(["serve", "-m", model, "-t", "1", "--port", String(port), "--cells", "8192", ...words]);
  const base = `http://127.0.0.1:${port}`;
  const health = () => fetch(`${base}/health`).then(async (reply) => ({ status: reply.status, ...(await reply.json()) })).catch(() => ({}));
  return { ...server, base, health, notes: () => server.notes, healthy: () => eventually(async () => (await health()).status === "ok", 60) };
}

describe("two and three workers", () => {
  test("write what this machine writes alone", async () => {
    const workers = [await startWorker(), await startWorker(), await startWorker()];
    await assertSame(rpc(workers[0]));
    await assertSame(rpc(workers[0], workers[1]));
    await assertSame(rpc(...workers));
    await assertSame([...rpc(workers[2], workers[0]), "-ngl", "4", "-ts", "1,2", "--backend", "ggml"]);
    for (const worker of workers) assert.equal(await worker.kill("SIGTERM"), 0);
  });

  test("are listed with their memory", async () => {
    const workers = [await startWorker(), await startWorker()];
    const { out } = await call(["run", ...rpc(...workers), "--list-devices"]);
    for (const [i, worker] of workers.entries()) assert.match(out, new RegExp(`RPC${i} .*${worker.address}`));
    for (const worker of workers) await worker.kill("SIGTERM");
  });

  test("are used by one program at a time, and the other one is told", async () => {
    const worker = await startWorker();
    const server = await startServer(rpc(worker));
    await server.healthy();
    const second = await call(["run", ...rpc(worker), ...question]);
    assert.equal(second.status, 5);
    assert.match(second.notes, /^lanerope: error: the worker at \S+ does not answer; it serves one program at a time.*\n$/);
    assert.equal(await server.kill("SIGTERM"), 0);
    await assertSame(rpc(worker));
    await worker.kill("SIGTERM");
  });

  test("write the same over a line that is slow and loses pieces", async () => {
    const worker = await startWorker();
    const line = await slowLine(worker.address, { delay: 2, stall: 100 });
    await assertSame(rpc(line));
    assert.ok(line.pieces() > 200, "it went over the line");
    line.close();
    await worker.kill("SIGTERM");
  });

  test("write the same from other namespaces", { skip: namespaces.length < 2 && "this machine gives no network namespaces" }, async () => {
    const workers = [];
    for (const namespace of namespaces) workers.push(await startWorker({ namespace }));
    for (const worker of workers) assert.match(worker.notes(), /WARNING: .* no authentication and no encryption/);
    await assertSame(rpc(...workers));
    for (const worker of workers) assert.equal(await worker.kill("SIGINT"), 0);
  });
});

describe("a worker that is not there", () => {
  test("is named in one sentence", async () => {
    const port = await freePort();
    const { status, out, notes } = await call(["run", "--rpc", `127.0.0.1:${port}`, ...question]);
    assert.deepEqual({ status, out }, { status: 5, out: "" });
    assert.match(notes, new RegExp(`^lanerope: error: nobody answers at 127.0.0.1:${port}; .*\n$`));
  });

  test("is waited for by serve, which tells requests so, and ends when it is told", async () => {
    const port = await freePort();
    const server = await startServer(["--rpc", `127.0.0.1:${port}`]);
    await eventually(async () => /nobody answers/.test((await server.health()).error?.message));
    const early = await post(server.base, "/v1/completions", long);
    assert.equal(early.status, 503);
    assert.match(early.json.error.message, new RegExp(`nobody answers at 127.0.0.1:${port}`));
    const worker = await startWorker({ port });
    await server.healthy();
    assert.equal((await post(server.base, "/v1/completions", { ...long, max_tokens: 3 })).status, 200);
    assert.equal(await server.kill("SIGTERM"), 0);
    await worker.kill("SIGTERM");
    const alone = await startServer(["--rpc", `127.0.0.1:${port}`]);
    await eventually(async () => /nobody answers/.test((await alone.health()).error?.message));
    assert.equal(await alone.kill("SIGTERM"), 0);
  });
});

describe("a worker that is killed in mid-step", () => {
  test("ends a program with one sentence", async () => {
    const workers = [await startWorker(), await startWorker()];
    const words = ["-m", model, "-n", "2", "-b", "1500", "-t", "1", "--ignore-end", "--json", "one two three"];
    const running = start(["run", ...rpc(...workers), ...words]);
    await eventually(() => running.out.includes('"token"'), 60);
    await workers[1].kill("SIGKILL");
    assert.equal(await running.ended, 5);
    const notes = running.notes.trimEnd().split("\n");
    assert.ok(notes.every((line) => line.startsWith("lanerope: ")), running.notes);
    assert.equal(notes.at(-1), `lanerope: error: the worker at ${workers[1].address} is gone: it ended, or its machine cannot be reached; ` +
      "what was computed there is lost");
    await assertSame(rpc(workers[0]));  // which noticed that the program is gone
    await workers[0].kill("SIGTERM");
  });

  test("ends serve's groups with a sentence, and serve goes on once it is back", async () => {
    const workers = [await startWorker(), await startWorker()];
    const server = await startServer(rpc(...workers));
    await server.healthy();
    const seen = [];
    const streams = [1, 2].map(async () => {
      const events = [];
      for await (const event of groupEvents(server.base, long)) {
        events.push(event);
        seen.push(event.kind);
      }
      return events;
    });
    const whole = post(server.base, "/v1/completions", long);
    await eventually(() => seen.filter((kind) => kind === "token").length > 20, 60);
    await workers[0].kill("SIGKILL");
    for (const stream of streams) assert.match((await stream).at(-1).error.message, new RegExp(`the worker at ${workers[0].address} is gone`));
    const { status, json } = await whole;
    assert.equal(status, 503);
    assert.match(json.error.message, new RegExp(`the worker at ${workers[0].address} is gone`));
    await eventually(async () => /nobody answers/.test((await server.health()).error?.message), 60);
    assert.equal(server.child.exitCode, null, "the same process");
    const back = await startWorker({ port: workers[0].port });
    await server.healthy();
    const after = await post(server.base, "/v1/completions", { ...long, max_tokens: 4 });
    assert.equal(after.status, 200, after.text);
    assert.equal(await server.kill("SIGTERM"), 0);
    for (const worker of [back, workers[1]]) assert.equal(await worker.kill("SIGTERM"), 0);
  });
});
