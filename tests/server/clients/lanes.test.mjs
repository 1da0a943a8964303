// SPDX-License-Identifier: Apache-2.0
// The `lanes` objects of request and response with the model that comes with lanerope: what a user gets for adding one
// field. And what /metrics says of it.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { join } from "node:path";
import { loadSchemas } from "./schema.mjs";
import { eventually, groupEvents, metric, metrics, post, startServer } from "./server.mjs";

const question = "Amy counts tiles in 8 stores. Store 3: 20 full boxes of 5 tiles. Store 5: 28 cases of 3 tiles each less 36 tiles. Store 1: 13 bags of 2 tiles. Store 8: 30 crates with 3 tiles each and 42 more tiles. Store 4: 25 packs holding 2 tiles each. Store 2: 31 tins with 5 tiles each. Store 6: 21 sets, each with 5 tiles. Store 7: 11 cases with 4 tiles each plus 48 tiles. Give the total number of tiles.";
const messages = [{ role: "user", content: question }];
let base;
let check;

before(async () => {
  ({ base } = await startServer([], { model: join(process.env.LANEROPE_BUNDLED, "model.gguf") }));
  ({ check } = await loadSchemas(base));
});

async function chat(body) {
  const reply = await post(base, "/v1/chat/completions", { messages, n: 4, max_tokens: 96, seed: 1, ...body });
  assert.equal(reply.status, 200, reply.text);
  return check("ChatCompletion", reply.json);
}

test("four lanes vote, and the reply says how, how surely, how long and at what cost", async () => {
  const { choices, lanes } = await chat({ lanes: {} });
  assert.equal(choices.length, 4);
  assert.deepEqual(lanes.votes, [{ answer: "708", count: 4 }]);
  assert.equal(lanes.confidence, 1);
  assert.ok(lanes.selected >= 0 && lanes.selected < 4);
  assert.equal(lanes.coupling.kind, "lanerope");
  for (const lane of lanes.lanes) {
    assert.equal(lane.answer, "708");
    assert.ok(lane.generated <= 96 && lane.used >= lane.generated && lane.used <= lane.budget);
  }
  assert.equal(lanes.clock, Math.max(...lanes.lanes.map((lane) => lane.used)) - 1, "the last token is not fed any more");
});

test("a client that changes one line gets the better answer as its single choice", async () => {
  const { choices, lanes } = await chat({ lanes: { return: "selected" } });
  assert.equal(choices.length, 1);
  assert.match(choices[0].message.content, /#### 708/);
  assert.equal(lanes.lanes.length, 4);
});

test("votes weigh what the request says, and the reply says why an answer was taken and how sure each lane was", async () => {
  const { lanes } = await chat({ lanes: { vote_weight: "self-certainty", certainty_window: 16 } });
  assert.equal(lanes.vote_weight, "self-certainty");
  assert.equal(lanes.confidence_kind, "weight_share");
  assert.ok(lanes.votes[0].weight > 0);
  for (const lane of lanes.lanes) {
    assert.equal(lane.answer_from, "mark");
    assert.ok(lane.self_certainty > 0 && lane.lowest_window > 0);
  }
  const reply = await post(base, "/v1/chat/completions", { messages, lanes: { select: "first", vote_weight: "logprob" } });
  assert.equal(reply.status, 400, "a weight without a vote is refused");
});

test("consensus ends the group as soon as so many lanes agree, and what that saved is counted", async () => {
  const whole = await chat({ lanes: {} });
  const { lanes } = await chat({ lanes: { consensus: 2 } });
  assert.equal(lanes.consensus, true);
  assert.ok(lanes.votes[0].count >= 2);
  const spent = (of) => of.lanes.reduce((sum, lane) => sum + lane.used, 0);
  assert.ok(spent(lanes) < spent(whole.lanes));
  assert.ok(lanes.lanes.some((lane) => lane.finish === "consensus"));
  assert.equal(await metric(base, "consensus_stops_total"), 1);
  assert.ok((await metric(base, "tokens_saved_total")) > 0);
});

describe("each field of `lanes` does what it says", () => {
  const contents = async (lanes, more = {}) => {
    const reply = await chat({ lanes, max_tokens: 40, ...more });
    return { texts: reply.choices.map((choice) => choice.message.content), lanes: reply.lanes };
  };
  let plain;
  before(async () => (plain = await contents({})));

  for (const [field, value] of Object.entries({ window: 4, visibility: "strict", topology: "ring", init: "gt", stride: 64, coupling: "independent" })) {
    test(field, async () => {
      const force = field === "visibility" ? { force: true } : {};
      const more = field === "stride" ? { init: "gt" } : {};
      const changed = await contents({ [field]: value, ...more, ...force });
      assert.equal(changed.lanes.coupling[field === "coupling" ? "kind" : field], value);
      assert.notDeepEqual(changed.texts, plain.texts, "the lanes see something else");
    });
  }

  test("tag and text are what a lane begins with", async () => {
    const request = { messages, n: 2, max_tokens: 8, seed: 1, lanes: { tag: "<lane{k}>", text: ["1:13*2", "2:31*5"] } };
    const begun = ["", ""];
    let written = 0;
    for await (const event of groupEvents(base, request)) {
      check("GroupEvent", event);
      if (event.kind === "token" && event.forced) begun[event.lane] += event.text;
      if (event.kind === "token" && !event.forced) written += 1;
    }
    assert.deepEqual(begun, ["1:13*2", "2:31*5"], "a tag is a special token without text");
    assert.ok(written <= 16);
  });

  test("select", async () => {
    const first = await contents({ select: "first" }, { max_tokens: 96 });
    const ended = first.lanes.lanes.map((lane) => lane.used);
    assert.equal(ended[first.lanes.selected], Math.min(...ended));
    const surest = await contents({ select: "logprob" });
    assert.equal(surest.lanes.selected, surest.lanes.lanes.reduce((a, b) => (b.mean_logprob > a.mean_logprob ? b : a)).index);
    assert.equal((await contents({ select: "none" })).lanes.selected, null);
  });
});

test("/metrics has llama-server's stems and what lanes add to them", async () => {
  await chat({});
  const response = await fetch(`${base}/metrics`);
  assert.match(response.headers.get("content-type"), /^text\/plain/);
  const text = await response.text();
  const stems = ["prompt_tokens_total", "prompt_seconds_total", "tokens_predicted_total", "tokens_predicted_seconds_total", "n_decode_total", "n_tokens_max", "n_busy_slots_per_decode", "prompt_tokens_seconds", "predicted_tokens_seconds"];
  const ours = ["lanes_per_step", "consensus_stops_total", "tokens_saved_total", "kv_cells_free", "queue_seconds_count", "first_token_seconds_count", "step_seconds_count"];
  for (const name of [...stems, ...ours]) {
    assert.match(text, new RegExp(`^# HELP lanerope:${name.replace("_count", "")} \\S`, "m"));
    assert.ok((await metric(base, name)) > 0, name);
  }
  for (const name of ["lanes_live", "requests_processing", "requests_deferred", "kv_cells_used"]) await eventually(async () => (await metric(base, name)) === 0);
  assert.equal((await metric(base, "kv_cells_free")) + (await metric(base, "kv_cells_used")), 8192);
});

test("/metrics counts the lanes and the cells of a group while it runs", async () => {
  const request = { prompt: "one two three", n: 3, max_tokens: 2500, ignore_eos: true, lanes: { coupling: "independent" } };
  const slow = await startServer(["--cells", "8192"], { model: process.env.LANEROPE_PAGE_MODEL });
  let seen;
  for await (const event of groupEvents(slow.base, request)) {
    if (event.kind !== "token") continue;
    seen = await metrics(slow.base, "lanes_live", "requests_processing", "kv_cells_used");
    break;
  }
  const [lanes, groups, cells] = seen;
  assert.deepEqual([lanes, groups], [3, 1]);
  assert.equal(cells, 4 * 64, "a page for the prompt and one for each lane, which take more as they write");
});
