// SPDX-License-Identifier: Apache-2.0
// load.mjs [SECONDS] [CLIENTS] [CELLS]: clients with n = 4 that go away at random, on loopback. Every event is checked: none may
// be lost, doubled or of another group, and every lane must write what its request's seed gave it before the load began.
// Prints times to the first token and of a step, and the server's memory, which must not grow after the first third.

import { readFileSync } from "node:fs";
import { request } from "node:http";
import { startServer } from "./server.mjs";

const seconds = Number(process.argv[2] ?? 5);
const clients = Number(process.argv[3] ?? 16);
const cells = process.argv[4] ?? "2048";  // too few for the groups that run at once: some are put back, and go on later
const n = 4;
const server = await startServer(["--cells", cells, "--queue", "16"]);

const memory = () => Number(readFileSync(`/proc/${server.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024;  // MiB

const tally = { whole: 0, left: 0, refused: 0, wrong: [] };
const started = performance.now();
const wrong = (what) => tally.wrong.push({ what, second: Math.round((performance.now() - started) / 1000) });
const firstToken = [];
const quantile = (list, q) => list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))];

// Node's own client: one connection a request, destroyed half-way where the client goes away.
function stream(body, onEvent) {
  return new Promise((resolve, reject) => {
    const sent = request({ port: server.port, host: "127.0.0.1", method: "POST", path: "/v1/groups", agent: false }, (response) => {
      let pending = "";
      response.setEncoding("utf8");
      response.on("data", (part) => {
        const blocks = (pending + part).split("\n\n");
        pending = blocks.pop();
        if (response.statusCode !== 200) return;
        for (const block of blocks) {
          const event = JSON.parse(block.split("\n").find((line) => line.startsWith("data: ")).slice(6));
          if (onEvent(event) === "leave") {
            sent.destroy();
            resolve("left");
            return;
          }
        }
      });
      response.on("end", () => resolve(response.complete ? response.statusCode : "cut"));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(body));
  });
}

const longest = 140;
const kinds = 12;
const expected = [];  // [kind][lane]: token ids, alone
const bodyOf = (kind, budget) => ({
  prompt: kind % 3 === 0 ? `A beginning that some of the prompts share, then ${kind}` : `${kind} is on its own`,
  n, max_tokens: budget, seed: kind, ignore_eos: true, temperature: 1,
  lanes: { coupling: kind % 2 === 0 ? "independent" : "lanerope", init: kind % 2 === 0 ? undefined : "rope", tag: "" },
});

for (let kind = 0; kind < kinds; ++kind) {
  const tokens = Array.from({ length: n }, () => []);
  await stream(bodyOf(kind, longest), (event) => {
    if (event.kind === "token") tokens[event.lane].push(event.token);
    return "stay";
  });
  expected.push(tokens);
}

async function one(random) {
  const kind = Math.floor(random() * kinds);
  const budget = 20 + Math.floor(random() * (longest - 20));
  const leaves = random() < 0.25 ? Math.floor(random() * budget) : Infinity;
  const began = performance.now();
  const next = Array(n).fill(0);
  let ended = 0;
  let first = true;
  const outcome = await stream(bodyOf(kind, budget), (event) => {
    if (event.kind === "token") {
      if (first) firstToken.push(performance.now() - began);
      first = false;
      if (event.step !== next[event.lane]++) wrong(`lane ${event.lane}: step ${event.step}`);
      if (event.token !== expected[kind][event.lane][event.step]) wrong(`lane ${event.lane}, step ${event.step}: not its token`);
      if (event.step >= leaves) return "leave";
    }
    if (event.kind === "group_finished") {
      ended += 1;
      if (event.lanes.lanes.some((lane) => lane.generated !== budget)) wrong("a lane without its tokens");
    }
    return "stay";
  }).catch((error) => String(error));
  if (outcome === "left") {
    tally.left += 1;
  } else if (outcome === 429) {
    tally.refused += 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
  } else {
    tally.whole += 1;
    if (outcome !== 200 || ended !== 1 || next.some((count) => count !== budget)) {
      wrong(`${outcome}: ${ended} ends, ${next} of ${budget}`);
    }
  }
}

const until = Date.now() + seconds * 1000;
const memories = [];
const sampler = setInterval(() => memories.push(memory()), Math.max(200, seconds * 20));
await Promise.all(Array.from({ length: clients }, async (_, k) => {
  let state = k + 1;
  const random = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
  while (Date.now() < until) await one(random);
}));
clearInterval(sampler);
await new Promise((resolve) => setTimeout(resolve, 300));
const metrics = await (await fetch(`${server.base}/metrics`)).text();
const metric = (name) => Number(metrics.match(new RegExp(`^lanerope:${name} (.*)$`, "m"))[1]);
const stepQuantile = (q) => {
  const rows = [...metrics.matchAll(/^lanerope:step_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)].map((row) => [row[1], Number(row[2])]);
  return rows.find((row) => row[1] >= q * rows.at(-1)[1])[0];
};
const most = (list) => Math.round(Math.max(0, ...list));
const third = Math.floor(memories.length / 3);
const report = {
  seconds, clients, n, ...tally, wrong: tally.wrong.length,
  first_token_ms: { p50: Math.round(quantile(firstToken, 0.5)), p99: Math.round(quantile(firstToken, 0.99)) },
  step_seconds_at_most: { p50: stepQuantile(0.5), p99: stepQuantile(0.99) },
  tokens: metric("tokens_predicted_total"), put_back: metric("groups_put_back_total"),
  memory_mib: { second_third: most(memories.slice(third, 2 * third)), last_third: most(memories.slice(2 * third)) },
  lanes_left: metric("lanes_live"), groups_left: metric("requests_processing"), cells_used: metric("kv_cells_used"),
};
console.log(JSON.stringify(report, null, 1));
const grown = report.memory_mib.last_third - report.memory_mib.second_third;
const good = tally.wrong.length === 0 && tally.whole > 0 && report.lanes_left === 0 && report.groups_left === 0 && report.cells_used === 0 && memories.length > 9 && grown < 16;
// Each kind of fault once, numbers left out: how often, and from when to when.
const kindsOfWrong = new Map();
for (const one of tally.wrong) {
  const kind = one.what.replaceAll(/\d+/g, "#");
  if (!kindsOfWrong.has(kind)) kindsOfWrong.set(kind, []);
  kindsOfWrong.get(kind).push(one);
}
for (const [kind, all] of kindsOfWrong) console.error(`${all.length} x ${kind} (second ${all[0].second} to ${all.at(-1).second}), such as: ${all[0].what}`);
await server.stop("SIGTERM");
process.exit(good ? 0 : 1);
