// SPDX-License-Identifier: Apache-2.0
// Starts `lanerope serve` for a test file and stops it afterwards.

import { execFile, spawn } from "node:child_process";
import { createServer } from "node:net";

const program = process.env.LANEROPE_PROGRAM ?? "build/release/bin/lanerope";

const running = new Set();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

export async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

// `authority`: the certificate of a server that speaks HTTPS, which fetch() would not trust.
async function healthy(base, authority) {
  if (!authority) return (await fetch(`${base}/health`).catch(() => null))?.ok;
  return new Promise((resolve) => execFile("curl", ["-sf", "--cacert", authority, `${base}/health`], (error) => resolve(!error)));
}

export async function startServer(options = [], { model = process.env.LANEROPE_MODEL, environment = {}, authority, threads = 1 } = {}) {
  const port = await freePort();
  const words = ["serve", "-m", model, "-t", String(threads), "--port", String(port), ...options];
  const child = spawn(program, words, { env: { ...process.env, ...environment }, detached: true });
  let output = "";
  child.stderr.on("data", (data) => (output += data));
  let stopped = false;
  const ended = new Promise((resolve) => child.once("exit", (code) => {
    if (code && !stopped) console.error(`the server ended by itself with ${code}:\n${output.split("\n").slice(-80).join("\n")}`);
    resolve(code);
  }));
  const base = `${authority ? "https" : "http"}://127.0.0.1:${port}`;
  const stop = async (signal = "SIGTERM") => {
    stopped = true;
    child.ref();
    child.kill(signal);  // false where it has ended already
    return ended;
  };
  child.unref();
  child.stdout.unref();
  child.stderr.unref();
  running.add(child);
  child.once("exit", () => running.delete(child));
  for (let i = 0; i < 300; ++i) {
    if (await healthy(base, authority)) return { base, port, stop, ended, pid: child.pid, output: () => output };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server did not start: ${output}`);
}

export async function post(base, path, body, headers = {}) {
  const response = await fetch(base + path, {
    method: "POST", headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : null };
}

export function sseData(text) {
  return text.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
}

// The events of a group that is started with this request; leaving the loop ends the connection.
export async function* groupEvents(base, body, signal) {
  const response = await fetch(`${base}/v1/groups`, { method: "POST", body: JSON.stringify(body), signal });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  let pending = "";
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (pending + part).split("\n\n");
    pending = blocks.pop();
    for (const data of blocks.flatMap(sseData)) yield JSON.parse(data);
  }
}

// Of counters, gauges, or a histogram's "_count" and "_sum", all read at one time.
export async function metrics(base, ...names) {
  const text = await (await fetch(`${base}/metrics`)).text();
  return names.map((name) => Number(text.match(new RegExp(`^lanerope:${name} (.*)$`, "m"))[1]));
}

export async function metric(base, name) {
  return (await metrics(base, name))[0];
}

// Until the condition holds; fails after so many seconds.
export async function eventually(condition, seconds = 20) {
  for (const end = Date.now() + 1000 * seconds; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not within ${seconds} s: ${condition}`);
}
