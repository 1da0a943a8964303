// SPDX-License-Identifier: Apache-2.0
// The server as somebody runs it: its end, its keys, its doors, its log, and a verifier that misbehaves.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import OpenAI from "openai";
import { loadSchemas } from "./schema.mjs";
import { eventually, groupEvents, metric, post, startServer } from "./server.mjs";

const run = promisify(execFile);
const long = { prompt: "one two three", n: 2, max_tokens: 1500, ignore_eos: true };

test("the page's examples are those of the cards beside the model and its adapters", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lanerope-"));
  const adapter = join(folder, "adapter.gguf");
  const examples = [{ name: "One", prompt: "1 + 1 =", budget: 32 }];
  copyFileSync(process.env.LANEROPE_ADAPTER, adapter);
  writeFileSync(join(folder, "model.json"), JSON.stringify({ files: [{ name: "adapter.gguf" }], examples }));
  const server = await startServer(["--lora", adapter]);
  assert.deepEqual((await (await fetch(`${server.base}/props`)).json()).examples, examples);
  await server.stop();
  rmSync(folder, { recursive: true });
});

describe("SIGTERM", () => {
  test("lets running groups finish, takes no new ones, and exits 0", async () => {
    const server = await startServer(["--drain", "300"], { model: process.env.LANEROPE_PAGE_MODEL });
    const running = post(server.base, "/v1/completions", { ...long, max_tokens: 400 });
    await eventually(async () => (await metric(server.base, "lanes_live")) === 2);
    const code = server.stop("SIGTERM");
    await eventually(() => /finishing what runs/.test(server.output()));
    const late = await post(server.base, "/v1/completions", long).catch(() => null);
    assert.ok(late === null || late.status === 503, late?.text);
    const { choices } = (await running).json;
    assert.deepEqual(choices.map((choice) => choice.finish_reason), ["length", "length"]);
    assert.equal(await code, 0);
  });

  test("cuts off at the deadline what still runs, says so, and exits 0", async () => {
    const server = await startServer(["--drain", "1", "--cells", "20000"], { model: process.env.LANEROPE_PAGE_MODEL });
    const seen = [];
    const running = (async () => {
      for await (const event of groupEvents(server.base, { ...long, n: 4, max_tokens: 3500 })) seen.push(event);
    })();
    await eventually(() => seen.some((event) => event.kind === "token"));
    assert.equal(await server.stop("SIGTERM"), 0);
    await running;
    assert.match(seen.at(-1).error.message, /shutting down/);
    assert.match(server.output(), /cut off/);
  });
});

describe("a verifier", () => {
  const request = { prompt: "one two", n: 2, max_tokens: 3, lanes: { select: "verifier" } };
  const noteOf = async (command) => {
    const { base } = await startServer(["--verifier", command, "--verifier-timeout", "0.5"]);
    const { check } = await loadSchemas(base);
    const reply = await post(base, "/v1/completions", request);
    assert.equal(reply.status, 200, reply.text);
    return check("Completion", reply.json).lanes;
  };

  test("that hangs is cut off, with what it started, and named in the result", async () => {
    const began = Date.now();
    const lanes = await noteOf("sleep 4321 & sleep 4321");
    assert.ok(Date.now() - began < 10000);
    assert.match(lanes.note, /verifier/);
    assert.equal(lanes.lanes.length, 2);
    const { stdout } = await run("ps", ["-eo", "args"]);
    assert.ok(!stdout.split("\n").includes("sleep 4321"), "nothing of it is left");
  });

  test("that dies, or says what is no score, is named in the result", async () => {
    assert.match((await noteOf("exit 3")).note, /verifier/);
    assert.match((await noteOf("kill -9 $$")).note, /verifier/);
    assert.match((await noteOf("echo nonsense")).note, /verifier/);
  });

  test("that works chooses the lane", async () => {
    const lanes = await noteOf("printf '0.25\\n0.75\\n'");
    assert.equal(lanes.note, undefined);
    assert.equal(lanes.selected, 1);
    assert.equal(lanes.confidence, 0.75);
  });
});

describe("doors", () => {
  test("API keys come from a file and the environment, and are asked for everywhere but at /health", async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "lanerope-keys-"));
    context.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "keys"), "k2\nk3\r\n");
    const { base } = await startServer(["--api-key-file", join(folder, "keys")], { environment: { LANEROPE_API_KEY: "k1" } });
    const status = async (path, headers = {}) => (await fetch(base + path, { headers })).status;
    assert.equal(await status("/health"), 200);
    for (const path of ["/props", "/metrics", "/v1/models", "/lora-adapters", "/v1/groups/x/lanes/0/attention?step=1"]) assert.equal(await status(path), 401, path);
    for (const key of ["k1", "k2", "k3"]) {
      assert.equal(await status("/props", { Authorization: `Bearer ${key}` }), 200);
      assert.equal(await status("/props", { "X-Api-Key": key }), 200);
    }
    for (const key of ["", "k", "k4", "k1 k2", "k2\tk3"]) assert.equal(await status("/props", { Authorization: `Bearer ${key}` }), 401);
  });

  test("it listens on the loopback device unless told otherwise", async () => {
    const { port } = await startServer([]);
    const row = new RegExp(`([0-9A-F]{8}):${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`);
    assert.equal(readFileSync("/proc/net/tcp", "utf8").match(row)[1], "0100007F");
  });

  test("pages of other origins are refused, and CORS headers are sent to those that are let in alone", async () => {
    const { base } = await startServer(["--cors", "http://friend.example"]);
    const ask = (origin) => post(base, "/v1/completions", { prompt: "x", max_tokens: 1 }, { Origin: origin });
    const foreign = await ask("http://example.org");
    assert.equal(foreign.status, 403);
    assert.equal(foreign.headers.get("access-control-allow-origin"), null);
    assert.equal((await ask("http://friend.example")).headers.get("access-control-allow-origin"), "http://friend.example");
    const silent = await post(base, "/v1/completions", { prompt: "x", max_tokens: 1 });
    assert.equal(silent.headers.get("access-control-allow-origin"), null);
  });

  test("a page that is let in may use OpenAI's client, whose headers its browser asks for first", async () => {
    const { base } = await startServer(["--cors", "http://friend.example"], { environment: { LANEROPE_API_KEY: "k" } });
    let sent;
    const spy = (url, init) => {
      sent = [...new Headers(init.headers).keys()].sort();
      return fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), Origin: "http://friend.example" } });
    };
    await new OpenAI({ baseURL: `${base}/v1`, apiKey: "k", maxRetries: 0, fetch: spy }).models.list();
    assert.ok(sent.includes("authorization") && sent.some((name) => name.startsWith("x-stainless-")), sent.join());
    const preflight = (origin, names) => fetch(`${base}/v1/models`, {
      method: "OPTIONS", headers: { Origin: origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": names },
    });
    const allowed = await preflight("http://friend.example", sent.join());
    assert.equal(allowed.status, 204);
    assert.equal(allowed.headers.get("access-control-allow-origin"), "http://friend.example");
    assert.equal(allowed.headers.get("access-control-allow-headers"), sent.join());
    assert.match(allowed.headers.get("access-control-allow-methods"), /GET.*POST.*DELETE/);
    for (const header of ["Origin", "Access-Control-Request-Headers"]) assert.ok(allowed.headers.get("vary").includes(header));
    assert.equal((await preflight("http://friend.example", "a, b c")).headers.get("access-control-allow-headers"), null, "no list of names");
    const foreign = await preflight("http://example.org", sent.join());
    assert.equal(foreign.status, 403);
    assert.equal(foreign.headers.get("access-control-allow-headers"), null);
    const reply = await post(base, "/v1/completions", { prompt: "x", max_tokens: 1 }, { Origin: "http://friend.example", Authorization: "Bearer k" });
    const readable = reply.headers.get("access-control-expose-headers").split(", ");
    assert.deepEqual(readable, ["X-Request-Id", "Retry-After", "Lanerope-Group", "Lanerope-Unknown-Fields"]);
  });

  test("nothing of a path reaches the file system", async () => {
    const { base } = await startServer([]);
    for (const path of ["/../../../etc/passwd", "/assets/../server.cpp", "/assets/%2e%2e/%2e%2e/etc/passwd", "/models/", "//etc/passwd", "/assets//etc/passwd"]) {
      const { stdout } = await run("curl", ["-sS", "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", base + path]);
      assert.equal(stdout, "404", path);
    }
  });
});

test("every reply carries a request's name, and the log as JSON has it", async () => {
  const server = await startServer(["--log-format", "json"]);
  const ask = (id) => fetch(`${server.base}/health`, { headers: id === undefined ? {} : { "X-Request-Id": id } });
  assert.equal((await ask("order-66/a")).headers.get("x-request-id"), "order-66/a");
  assert.match((await ask()).headers.get("x-request-id"), /^req_[0-9a-f]{32}$/);
  assert.match((await ask("x".repeat(129))).headers.get("x-request-id"), /^req_/);
  assert.match((await ask("with space")).headers.get("x-request-id"), /^req_/);
  const refused = await fetch(`${server.base}/nothing`, { headers: { "X-Request-Id": "lost" } });
  assert.equal(refused.headers.get("x-request-id"), "lost");
  await server.stop();
  const lines = server.output().split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const line = lines.find((entry) => entry.request_id === "order-66/a");
  assert.equal(line.method, "GET");
  assert.equal(line.path, "/health");
  assert.equal(line.status, 200);
  assert.equal(line.level, "info");
  assert.ok(line.milliseconds >= 0);
  assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(lines.find((entry) => entry.request_id === "lost").status, 404);
});

test("a request that nobody can read has a name too, and a time of its own", async () => {
  const server = await startServer(["--log-format", "json"]);
  const socket = connect(server.port, "127.0.0.1");
  let answer = "";
  socket.on("data", (data) => (answer += data));
  const closed = once(socket, "close");
  socket.write("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
  await eventually(() => answer.includes('"ok"'));
  await new Promise((resolve) => setTimeout(resolve, 1000));  // which is none of the next request's
  socket.write("NONSENSE\r\n\r\n");
  await closed;
  const [, id] = answer.match(/HTTP\/1\.1 400 [^]*\r\nX-Request-Id: (req_[0-9a-f]{32})\r\n/);
  await server.stop();
  const line = server.output().split("\n").filter((text) => text.startsWith("{")).map((text) => JSON.parse(text)).find((entry) => entry.request_id === id);
  assert.equal(line.status, 400);
  assert.ok(line.milliseconds < 1000, `${line.milliseconds} ms`);
});

test("prompts and answers are not logged unless asked", async () => {
  const secret = "a prompt that nobody else reads";
  const logOf = async (options) => {
    const server = await startServer(options);
    const reply = await post(server.base, "/v1/completions", { prompt: secret, n: 2, max_tokens: 4 });
    assert.equal(reply.status, 200);
    await server.stop();
    return server.output();
  };
  assert.ok(!(await logOf([])).includes("nobody"));
  const log = await logOf(["--log"]);
  assert.match(log, /POST \/v1\/completions 200/);
  assert.ok(!log.includes("nobody"));
  assert.ok((await logOf(["--log-prompts"])).includes(secret));
});
