// SPDX-License-Identifier: Apache-2.0
// Workers, programs that use them, and a bad line between, for the tests of script/test-rpc.

import { execFile, spawn } from "node:child_process";
import { connect, createServer } from "node:net";

export const program = process.env.LANEROPE_PROGRAM;

const running = new Set();
export const killAll = () => running.forEach((child) => child.kill("SIGKILL"));
process.once("exit", killAll);

function started(words, namespace) {
  const [command, ...rest] = namespace ? ["nsenter", "-t", namespace.pid, "-n", program, ...words] : [program, ...words];
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const process = { child, out: "", notes: "" };
  child.stdout.on("data", (data) => (process.out += data));
  child.stderr.on("data", (data) => (process.notes += data));
  process.ended = new Promise((resolve) => child.once("close", (code, signal) => {
    running.delete(child);
    resolve(code ?? signal);
  }));
  process.kill = (signal) => {
    child.kill(signal);
    return process.ended;
  };
  return process;
}

// `lanerope rpc-worker` on the CPU; namespace: { pid, address } of a network namespace to start it in.
export async function startWorker({ port = 0, namespace } = {}) {
  const host = namespace?.address ?? "127.0.0.1";
  const worker = started(["rpc-worker", "--host", host, "--port", String(port), "--device", "cpu", "-t", "1"], namespace);
  let over = false;
  worker.ended.then(() => (over = true));
  for (;;) {
    const listening = worker.notes.match(/lending cpu on (\S+):(\d+)\n/);
    if (listening) return { ...worker, address: `${listening[1]}:${listening[2]}`, port: Number(listening[2]), notes: () => worker.notes };
    if (over) throw new Error(`the worker ended: ${worker.notes}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// A program to the end: { status, out, notes }.
export function call(words) {
  return new Promise((resolve) => execFile(program, words, { maxBuffer: 1 << 26 }, (error, out, notes) =>
    resolve({ status: error ? error.code ?? error.signal : 0, out, notes })));
}

// A program that goes on while something happens to it.
export const start = (words) => started(words);

// A line to `address` that delivers every piece `delay` ms late, and each hundredth by `stall` ms more, which is what TCP makes of a
// lost packet.
export async function slowLine(address, { delay, stall }) {
  const [host, port] = address.split(":");
  let pieces = 0;
  const carry = (from, to) => {
    let last = Promise.resolve();
    from.on("data", (data) => {
      const due = Date.now() + delay + (++pieces % 100 === 0 ? stall : 0);
      last = last.then(() => new Promise((resolve) => setTimeout(resolve, due - Date.now()))).then(() => to.write(data));
    });
    from.on("end", () => last.then(() => to.end()));
    from.on("error", () => to.destroy());
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host, port: Number(port), allowHalfOpen: true });
    carry(near, far);
    carry(far, near);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  server.unref();
  return { address: `127.0.0.1:${server.address().port}`, close: () => server.close(), pieces: () => pieces };
}
