// SPDX-License-Identifier: Apache-2.0
// What leaves the page, links and exports; and what the browser keeps of it: settings, the view, the conversation of a tab.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { assistant, bodies, file, lastMessages, launch, openPage, set, tell, turn, user } from "./page_browser.mjs";
import { startServer } from "./server.mjs";

let browser;
let server;
before(async () => {
  server = await startServer(["--chat-template", "chatml"]);
  browser = await launch();
});
after(() => browser?.close());

const permissions = ["clipboard-read", "clipboard-write"];
const open = (fragment = "") => openPage(browser, server.base, { told: true, permissions }, fragment);
const packed = (request) => Buffer.from(JSON.stringify(request)).toString("base64url");

test("a link holds the request and is never sent to the server", async () => {
  const page = await open();
  await set(page, { n: 3, temperature: 0.5, coupling: "groupthink", system: "Be kind." });
  await turn(page, "Where?", ["Here.", "b", "c"]);
  await page.locator("#choose-files").setInputFiles([file("a.txt", "α")]);
  await page.locator("#files li").waitFor();
  await turn(page, "Why? Ünïcödé ✓", ["So.", "b", "c"]);
  await page.getByRole("button", { name: "Copy a link to request 2" }).click();
  await page.locator("#notice", { hasText: "The link is copied" }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  await page.context().close();

  assert.ok(link.startsWith(`${server.base}/#request=`));
  const other = await open(link.slice(server.base.length + 1));
  assert.match(await other.locator("#notice").innerText(), /came by a link/);
  assert.equal(await other.locator("#prompt").inputValue(), "Why? Ünïcödé ✓");
  assert.deepEqual(await bodies(other), [], "it is not run by itself");
  assert.equal(new URL(other.url()).hash, "");
  assert.ok(await other.locator("[name=system]").isVisible(), "what came with it is to be seen");
  await other.locator("#run").click();
  await tell(other, ["x", "y", "z"]);
  const body = (await bodies(other)).at(-1);
  assert.deepEqual(body.messages, [{ role: "system", content: "Be kind." }, user("Where?"), assistant("Here."),
    user("Why? Ünïcödé ✓\n\na.txt:\n```\nα\n```")]);
  assert.deepEqual([body.n, body.temperature, body.lanes.coupling, body.seed], [3, 0.5, "groupthink", 5]);
  await other.evaluate((fragment) => (location.hash = fragment), new URL(link).hash);
  await other.locator("#notice", { hasText: "would be lost" }).waitFor();
  assert.equal(await other.locator(".turn").count(), 2);
  assert.deepEqual(other.problems, []);
  await other.context().close();
});

test("a link that is broken, or of a stranger's making, harms nothing", async () => {
  for (const [fragment, notice] of [["#request=%%%", /cannot be read/], [`#request=${packed({ version: 9, prompt: "x" })}`, /cannot be read/],
    [`#request=${packed({ version: 1, prompt: 7 })}`, /cannot be read/], [`#request=${packed({ version: 1, prompt: "x", earlier: 5 })}`, /cannot be read/],
    [`#request=${packed({ version: 1, prompt: "x", settings: { coupling: "none such", n: 1e9, temperature: {}, evil: 1 } })}`,
      /does not have its coupling, n, temperature/]]) {
    const page = await open(fragment);
    await page.locator("#notice", { hasText: notice }).waitFor();
    assert.equal(await page.locator("[name=n]").inputValue(), "4");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }
});

test("what a link brings is not kept, and what the user changes himself is", async () => {
  const page = await open(`#request=${packed({ version: 1, prompt: "x", settings: { n: 2, temperature: 0.5, system: "Obey." } })}`);
  const kept = () => page.evaluate(() => JSON.parse(localStorage.lanerope ?? "{}").settings ?? null);
  await page.locator("#choose-files").setInputFiles([file("a.txt", "α")]);
  await page.locator("#files li").waitFor();
  await turn(page, "x, edited", ["a", "b"]);
  const body = (await bodies(page)).at(-1);
  assert.deepEqual([body.n, body.temperature, body.messages[0].content], [2, 0.5, "Obey."]);
  assert.equal(await kept(), null);
  await set(page, { budget: 64 });
  assert.deepEqual(await kept(), { budget: 64 });
  await page.reload();
  await page.locator("#run:not([disabled])").waitFor();
  const values = await page.evaluate(() => ["n", "budget", "temperature", "system"].map((name) => document.querySelector(`[name=${name}]`).value));
  assert.deepEqual(values, ["4", "64", "0.8", ""]);
  await page.context().close();
});

test("a link, or what is left of one, does not take the place of the conversation that the tab kept", async () => {
  const page = await open();
  await set(page, { n: 1 });
  await turn(page, "One?", ["Unus."]);
  for (const [fragment, why] of [["#request=%%%", "cannot be read"], [`#request=${packed({ version: 1, prompt: "x" })}`, "would be lost"]]) {
    await page.evaluate((address) => history.replaceState(null, "", address), fragment);
    await page.reload();
    await page.locator("#notice", { hasText: why }).waitFor();
    assert.match(await page.locator(".turn").innerText(), /One\?[^]*Unus\./);
  }
  await page.reload();
  await page.locator("#run:not([disabled])").waitFor();
  assert.equal(await page.locator(".turn").count(), 1);
  assert.equal(await page.locator("#prompt").inputValue(), "");
  await page.context().close();
});

test("a request that is too long for a link says so", async () => {
  const page = await open();
  await set(page, { n: 1 });
  await turn(page, "x".repeat(60000), ["y"]);
  await page.getByRole("button", { name: "Copy a link to request 1" }).click();
  await page.locator("#notice", { hasText: "too long for a link" }).waitFor();
  await page.context().close();
});

test("settings and the view are kept in the browser, under one key with a version", async () => {
  const page = await open();
  await set(page, { n: 7, budget: 99, temperature: 1.5, coupling: "hogwild", select: "logprob", consensus: 2, seed: 11, system: "Hm." });
  await turn(page, "x", ["y"]);
  await page.getByRole("button", { name: "Tokens", exact: true }).click();
  await page.locator("#theme").click();
  const theme = await page.locator("html").getAttribute("data-theme");
  const keys = await page.evaluate(() => Object.keys(localStorage));
  assert.deepEqual(keys, ["lanerope"]);
  assert.equal(JSON.parse(await page.evaluate(() => localStorage.lanerope)).version, 1);
  await page.reload();
  await page.locator("#run:not([disabled])").waitFor();
  const values = await page.evaluate(() => Object.fromEntries(["n", "budget", "temperature", "coupling", "select", "consensus", "seed", "system"]
    .map((name) => [name, document.querySelector(`[name=${name}]`).value])));
  assert.deepEqual(values, {
    n: "7", budget: "99", temperature: "1.5", coupling: "hogwild", select: "logprob", consensus: "2", seed: "11", system: "Hm.",
  });
  assert.equal(await page.locator("html").getAttribute("data-theme"), theme);
  await turn(page, "x", ["y"]);
  await page.locator(".token").waitFor();  // drawn with the next frame: still shown as tokens, and one of them
  // What another version wrote, or nobody, is forgotten.
  for (const kept of ["{", JSON.stringify({ version: 2, settings: { n: 3 } }), JSON.stringify({ version: 1, settings: { n: "many", coupling: 5 } })]) {
    await page.evaluate((text) => (localStorage.lanerope = text), kept);
    await page.reload();
    await page.locator("#run:not([disabled])").waitFor();
    assert.equal(await page.locator("[name=n]").inputValue(), "4");
  }
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("where site data is blocked the page works, and keeps nothing", async () => {
  const page = await openPage(browser, server.base, { told: true, blocked: true });
  await set(page, { n: 1 });
  await turn(page, "One?", ["1."]);
  await turn(page, "Two?", ["2."]);
  assert.deepEqual(await lastMessages(page), [user("One?"), assistant("1."), user("Two?")]);
  for (const theme of ["dark", "light"]) {
    await page.locator("#theme").click();
    assert.equal(await page.locator("html").getAttribute("data-theme"), theme);
  }
  const heard = page.waitForRequest("**/health");
  await page.evaluate(async () => {
    const { request, setApiKey } = await import("/assets/api.js");
    setApiKey("secret");
    await request("GET", "/health");
  });
  assert.equal((await heard).headers().authorization, "Bearer secret");
  await page.reload();
  await page.locator("#run:not([disabled])").waitFor();
  assert.equal(await page.locator(".turn").count(), 0);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("a conversation outlives a reload in its tab, and a new one begins with nothing", async () => {
  const page = await open();
  await set(page, { n: 2 });
  await page.locator("#choose-files").setInputFiles([file("a.txt", "α")]);
  await page.locator("#files li").waitFor();
  await turn(page, "One?", ["a", "b"], { selected: 1 });
  await page.reload();
  await page.locator("#run:not([disabled])").waitFor();
  assert.match(await page.locator(".turn").innerText(), /One\?[\s\S]*its lanes are gone[\s\S]*b/);
  await turn(page, "Two?", ["c", "d"]);
  assert.deepEqual(await lastMessages(page), [user("One?\n\na.txt:\n```\nα\n```"), assistant("b"), user("Two?")]);
  await page.getByRole("button", { name: "Use the answer of Lane 2" }).click();
  await page.reload();
  await page.locator("#run:not([disabled])").waitFor();
  assert.equal(await page.locator(".turn").count(), 2);
  assert.match(await page.locator(".turn").nth(1).innerText(), /its lanes are gone\s+d/, "the lane that was used last");
  await page.locator("#new").click();
  await page.reload();
  await page.locator("#run:not([disabled])").waitFor();
  assert.equal(await page.locator(".turn").count(), 0);
  // What is not ours is left alone.
  for (const kept of ["{", JSON.stringify({ version: 1, turns: [{ prompt: 5, reply: "x", files: [] }] }), JSON.stringify({ version: 1 })]) {
    await page.evaluate((text) => (sessionStorage.lanerope = text), kept);
    await page.reload();
    await page.locator("#run:not([disabled])").waitFor();
    assert.equal(await page.locator(".turn").count(), 0);
  }
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("the export has the conversation with all lanes", async () => {
  const page = await open();
  await set(page, { n: 2 });
  await turn(page, "One?", ["a", "b"], { selected: 1, votes: [{ answer: "b", count: 2 }] });
  await turn(page, "Two?", ["c", "d"]);
  const coming = page.waitForEvent("download");
  await page.locator("#export").click();
  const download = await coming;
  assert.match(download.suggestedFilename(), /^lanerope-\d{8}-\d{4}\.json$/);
  const record = JSON.parse(await readFile(await download.path(), "utf8"));
  assert.equal(record.format, "lanerope-conversation");
  assert.equal(record.version, 1);
  assert.deepEqual(record.turns.map(({ prompt, reply }) => [prompt, reply]), [["One?", "b"], ["Two?", "c"]]);
  const [run] = record.turns[0].runs;
  assert.deepEqual(run.lanes.map(({ index, text, finish }) => [index, text, finish]), [[0, "a", "end"], [1, "b", "end"]]);
  assert.equal(run.chosen, 1);
  assert.equal(run.seed, 5);
  assert.deepEqual(run.reply.votes, [{ answer: "b", count: 2 }]);
  assert.deepEqual(record.turns[1].runs[0].messages, [user("One?"), assistant("b"), user("Two?")]);
  await page.context().close();
});
