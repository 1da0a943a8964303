// SPDX-License-Identifier: Apache-2.0
// Spans of groups, as an OpenTelemetry collector gets them.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { post, startServer } from "./server.mjs";

// Takes OTLP over HTTP and keeps the spans.
async function startCollector() {
  const spans = [];
  const resources = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    if (request.url === "/v1/traces") {
      for (const resource of JSON.parse(body).resourceSpans) {
        resources.push(resource.resource);
        for (const scope of resource.scopeSpans) spans.push(...scope.spans);
      }
    }
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { spans, resources, url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

const valueOf = (value) => value.stringValue ?? Number(value.intValue ?? value.doubleValue);
const attributesOf = (one) => Object.fromEntries(one.attributes.map(({ key, value }) => [key, valueOf(value)]));
const ask = (base, headers, more = {}) =>
  fetch(`${base}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ messages: [{ role: "user", content: "one two three" }], n: 3, max_tokens: 12, ignore_eos: true, ...more }),
  });

test("a group is a span of its client's trace, with one for each part of its way", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const server = await startServer(["--otlp", collector.url]);
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const caller = "00f067aa0ba902b7";
  const before = Date.now();
  const reply = await ask(server.base, { traceparent: `00-${trace}-${caller}-01`, "x-request-id": "mine" });
  assert.equal(reply.status, 200);
  const usage = (await reply.json()).usage;
  const after = Date.now();
  assert.equal((await ask(server.base, {})).status, 200);
  assert.equal((await ask(server.base, { traceparent: `00-${trace.replace("4", "5")}-${caller}-00` })).status, 200, "not sampled");
  assert.equal(await server.stop("SIGTERM"), 0);  // which sends what is left

  assert.equal(collector.spans.length, 10, "two groups; of the third its client wants none");
  assert.deepEqual(attributesOf(collector.resources[0])["service.name"], "lanerope");
  const mine = collector.spans.filter((span) => span.traceId === trace);
  const whole = mine.find((span) => span.name === "group");
  assert.equal(whole.parentSpanId, caller);
  const told = attributesOf(whole);
  assert.equal(told["lanerope.request_id"], "mine");
  assert.match(told["lanerope.group"], /^grp_/);
  assert.equal(told["lanerope.lanes"], 3);
  assert.equal(told["lanerope.coupling"], "independent");
  assert.equal(told["lanerope.steps"], 11, "the last token is fed to nobody");
  assert.equal(told["gen_ai.usage.input_tokens"], usage.prompt_tokens);
  assert.equal(told["gen_ai.usage.output_tokens"], usage.completion_tokens);

  const parts = ["queue", "prefill", "decode", "select"].map((name) => mine.find((span) => span.name === name));
  let at = BigInt(whole.startTimeUnixNano);
  const close = (a, b) => assert.ok((a > b ? a - b : b - a) < 20_000_000n, `${a} is not ${b}`);
  for (const part of parts) {
    assert.equal(part.parentSpanId, whole.spanId);
    close(BigInt(part.startTimeUnixNano), at);
    at = BigInt(part.endTimeUnixNano);
  }
  close(at, BigInt(whole.endTimeUnixNano));
  assert.ok(Number(whole.startTimeUnixNano) / 1e6 >= before - 20 && Number(whole.endTimeUnixNano) / 1e6 <= after + 20, "on the clock of this machine");
  assert.ok(BigInt(parts[2].endTimeUnixNano) > BigInt(parts[2].startTimeUnixNano), "the lanes took some time to write");
});

test("a collector that is not there costs the answers nothing, and is named once", async () => {
  const collector = await startCollector();
  const nobody = collector.url;
  collector.close();
  const server = await startServer(["--otlp", nobody]);
  assert.equal((await post(server.base, "/v1/completions", { prompt: "x", max_tokens: 4 })).status, 200);
  assert.equal(await server.stop("SIGTERM"), 0);
  assert.equal(server.output().split("does not take spans").length - 1, 1);
  assert.ok(!server.output().includes("[Error]"), server.output());
});
