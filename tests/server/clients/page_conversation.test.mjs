// SPDX-License-Identifier: Apache-2.0
// A conversation on the page: turns, stop, edit, retry, the system prompt, files; and what leaves it: links, exports, settings.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { ask, begin, bodies, finished, launch, openPage, say, set, tell, token } from "./page_browser.mjs";
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

async function turn(page, prompt, texts, outcome) {
  const before = (await bodies(page)).length;
  await ask(page, prompt);
  await page.waitForFunction((count) => globalThis.bodies.length > count, before);
  await tell(page, texts, outcome);
}

const user = (content) => ({ role: "user", content });
const assistant = (content) => ({ role: "assistant", content });
const lastMessages = async (page) => (await bodies(page)).at(-1).messages;
const file = (name, content) => ({ name, mimeType: "text/plain", buffer: Buffer.from(content) });

test("a turn is asked with what was said before: the selected lane's answer, or the one that the user prefers", async () => {
  const page = await open();
  await set(page, { n: 2 });
  await turn(page, "One?", ["lane one", "<think>hm</think>lane two"], { selected: 1 });
  await turn(page, "Two?", ["2a", "2b"]);
  assert.deepEqual(await lastMessages(page), [user("One?"), assistant("lane two"), user("Two?")]);
  await page.getByRole("button", { name: "Use the answer of Lane 2" }).click();
  await turn(page, "Three?", ["3a", "3b"]);
  assert.deepEqual((await lastMessages(page)).slice(2), [user("Two?"), assistant("2b"), user("Three?")]);
  assert.equal(await page.locator(".turn").count(), 3);
  // Turns that have been gone on from are folded to their answer, and open again.
  assert.equal(await page.locator(".lanes:visible").count(), 1);
  assert.match(await page.locator(".folded:visible").nth(1).innerText(), /Lane 2, chosen by you\s+2b/);
  await page.getByRole("button", { name: "Show the 2 lanes" }).first().click();
  assert.equal(await page.locator(".lanes:visible").count(), 2);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("the answer of a run that was compared is gone on with if the user prefers it", async () => {
  const page = await open();
  await set(page, { n: 2 });
  await turn(page, "One?", ["a", "b"]);
  await page.getByRole("button", { name: "Compare" }).click();
  await page.waitForFunction(() => globalThis.bodies.length === 2);
  await tell(page, ["c", "d"]);
  assert.equal((await bodies(page))[1].seed, 5, "the same seed");
  await turn(page, "Two?", ["x", "y"]);
  assert.deepEqual(await lastMessages(page), [user("One?"), assistant("a"), user("Two?")]);
  await page.getByRole("button", { name: "Show the 2 lanes" }).nth(1).click();
  await page.locator(".run").nth(1).getByRole("button", { name: "Use the answer of Lane 2" }).click();
  await turn(page, "Three?", ["x", "y"]);
  assert.deepEqual((await lastMessages(page)).slice(0, 2), [user("One?"), assistant("d")]);
  assert.match(await page.locator(".folded:visible").first().innerText(), /went on with another run/);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("where the model has no template for messages, its text goes on", async () => {
  const page = await openPage(browser, server.base, { told: true, props: { chat_template: "" } });
  await page.locator("#settings-toggle").click();
  assert.ok(await page.locator("[name=system]").isDisabled());
  assert.match(await page.locator("#system-hint").innerText(), /no chat template/);
  await set(page, { n: 1 });
  await turn(page, "One", ["two."]);
  await turn(page, "Three", ["four."]);
  const body = (await bodies(page)).at(-1);
  assert.equal(body.prompt, "One\n\ntwo.\n\nThree");
  assert.equal(body.messages, undefined);
  await page.context().close();
});

test("the system prompt comes first", async () => {
  const page = await open();
  await set(page, { n: 1, system: "Be brief." });
  await turn(page, "One?", ["Yes."]);
  await turn(page, "Two?", ["No."]);
  assert.deepEqual(await lastMessages(page), [{ role: "system", content: "Be brief." }, user("One?"), assistant("Yes."), user("Two?")]);
  await page.context().close();
});

test("edit and retry ask again and drop what follows", async () => {
  const page = await open();
  await set(page, { n: 1 });
  await turn(page, "One?", ["1."]);
  await turn(page, "Two?", ["2."]);
  await page.getByRole("button", { name: "Retry message 2" }).click();
  await page.waitForFunction(() => globalThis.bodies.length === 3);
  await tell(page, ["2, again."]);
  assert.deepEqual(await lastMessages(page), [user("One?"), assistant("1."), user("Two?")]);
  await page.getByRole("button", { name: "Edit message 1" }).click();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".turn").count(), 2, "Esc leaves all as it was");
  await page.getByRole("button", { name: "Edit message 1" }).click();
  await page.locator(".editing textarea").fill("Another one?");
  await page.keyboard.press("Control+Enter");
  await page.waitForFunction(() => globalThis.bodies.length === 4);
  await tell(page, ["1, anew."]);
  assert.deepEqual(await lastMessages(page), [user("Another one?")]);
  assert.equal(await page.locator(".turn").count(), 1);
  assert.equal(await page.locator(".words").innerText(), "Another one?");
  await page.context().close();
});

test("an edited message that cannot be run stays in its field, and a line says why", async () => {
  const page = await open();
  await set(page, { n: 1 });
  await turn(page, "One?", ["1."]);
  await page.getByRole("button", { name: "Edit message 1" }).click();
  const field = page.locator(".editing textarea");
  await field.fill("Long edited?");
  const refused = async (why) => {
    await field.press("Control+Enter");
    await page.locator("#notice", { hasText: why }).waitFor();
    assert.equal(await field.inputValue(), "Long edited?");
  };
  await set(page, { budget: 1 });
  await refused("Budget");
  await set(page, { budget: 99 });
  await ask(page, "Two?");
  await page.waitForFunction(() => globalThis.bodies.length === 2);
  await refused("still writing");
  await tell(page, ["2."]);
  await field.press("Control+Enter");
  await page.waitForFunction(() => globalThis.bodies.length === 3 && !document.querySelector(".editing"));
  assert.deepEqual(await lastMessages(page), [user("Long edited?")]);
  await page.context().close();
});

test("Esc stops; what was written stays and is gone on from", async () => {
  const page = await open();
  await set(page, { n: 2 });
  await ask(page, "Go on.");
  await begin(page, 2);
  await say(page, token(0, 0, "So far"), token(1, 0, "Else"));
  await page.locator(".lane", { hasText: "So far" }).waitFor();
  await page.locator(".lane .text").first().focus();
  await page.keyboard.press("Escape");
  await finished(page);
  assert.equal(await page.locator(".status").innerText(), "Stopped");
  assert.deepEqual(await page.locator(".lane .state").allInnerTexts(), ["in use", "cut off"]);
  await turn(page, "And?", ["x", "y"]);
  assert.deepEqual(await lastMessages(page), [user("Go on."), assistant("So far"), user("And?")]);
  await page.context().close();
});

test("Enter sends, Shift+Enter is a new line, and an empty message is told about", async () => {
  const page = await open();
  await page.locator("#prompt").press("Enter");
  assert.match(await page.locator("#notice").innerText(), /Write a prompt first/);
  await page.locator("#prompt").pressSequentially("a");
  await page.locator("#prompt").press("Shift+Enter");
  await page.locator("#prompt").pressSequentially("b");
  await page.locator("#prompt").press("Enter");
  await page.waitForFunction(() => globalThis.bodies.length === 1);
  assert.deepEqual(await lastMessages(page), [user("a\nb")]);
  await page.context().close();
});

test("files of text go along as text, with their size shown; others are refused with a sentence", async () => {
  const page = await open();
  const notice = () => page.locator("#notice").innerText();
  await page.locator("#choose-files").setInputFiles([file("notes.md", "Use ``` here.\nÄ"), file("a.csv", "1,2\n")]);
  await page.locator("#files li", { hasText: "notes.md" }).waitFor();
  assert.match(await page.locator("#files li").first().innerText(), /notes\.md\s*16 bytes/);
  await page.locator("#choose-files").setInputFiles([file("image.png", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1]))]);
  await page.locator("#notice", { hasText: "image.png is not text in UTF-8" }).waitFor();
  await page.locator("#choose-files").setInputFiles([file("latin.txt", Buffer.from([0x41, 0xe4, 0x41]))]);
  await page.locator("#notice", { hasText: "latin.txt is not text in UTF-8" }).waitFor();
  await page.locator("#choose-files").setInputFiles([file("long.txt", "x".repeat(600 * 1024))]);
  await page.locator("#notice", { hasText: "long.txt is too large: 600.0 KiB, and a file may have 512.0 KiB at most." }).waitFor();
  for (const name of ["b", "c"]) await page.locator("#choose-files").setInputFiles([file(name, "x".repeat(512 * 1024))]);
  await page.locator("#notice", { hasText: "c does not fit" }).waitFor();
  await page.getByRole("button", { name: "Remove b" }).click();
  assert.equal(await page.locator("#files li").count(), 2);
  await turn(page, "What is this?", ["Text."]);
  assert.deepEqual(await lastMessages(page), [user("What is this?\n\nnotes.md:\n````\nUse ``` here.\nÄ\n````\n\na.csv:\n```\n1,2\n```")]);
  assert.equal(await page.locator(".asked .files li").count(), 2);
  assert.equal(await page.locator("#files li").count(), 0);
  assert.equal(await notice(), "");
  await page.context().close();
});

test("files may be dropped on the page, or pasted", async () => {
  const page = await open();
  const handed = (kind) => page.evaluate((name) => {
    const data = new DataTransfer();
    data.items.add(new File(["text"], `${name}.txt`));
    const event = name === "drop" ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
      : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
    document.querySelector(name === "drop" ? "body" : "#prompt").dispatchEvent(event);
    return event.defaultPrevented;
  }, kind);
  for (const kind of ["drop", "paste"]) {
    assert.ok(await handed(kind), "the browser does not open it");
    await page.locator("#files li", { hasText: `${kind}.txt` }).waitFor();
  }
  await page.context().close();
});

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
  const packed = (request) => Buffer.from(JSON.stringify(request)).toString("base64url");
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
  await page.reload();
  await page.locator("#run:not([disabled])").waitFor();
  assert.equal(await page.locator(".turn").count(), 2);
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

test("lanes may be given the tokens that they wait with", async () => {
  const page = await open();
  await set(page, { n: 2, wait: " await", ready: " done" });
  await turn(page, "x", ["a", "b"]);
  const { lanes } = (await bodies(page)).at(-1);
  assert.deepEqual([lanes.wait, lanes.ready], [" await", " done"]);
  await set(page, { wait: "", ready: "" });
  await turn(page, "y", ["a", "b"]);
  assert.equal("wait" in (await bodies(page)).at(-1).lanes, false);
  await page.context().close();
});

test("policies are asked for one a line, and the form says which there are", async () => {
  const page = await open();
  await set(page, { n: 2, policies: "prune:window=32,keep=1\n\n consensus \n" });
  await turn(page, "x", ["a", "b"]);
  assert.deepEqual((await bodies(page)).at(-1).lanes.policies, ["prune:window=32,keep=1", "consensus"]);
  await page.locator("#settings-toggle").click();
  await page.getByText("What policies there are").click();
  await page.getByText("prune:window=64,ratio=0.8,keep=2").waitFor();
  await set(page, { policies: "" });
  await page.locator("#settings-toggle").click();
  await turn(page, "y", ["a", "b"]);
  assert.equal("policies" in (await bodies(page)).at(-1).lanes, false);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("a policy that is not there is refused with the server's sentence", async () => {
  const page = await openPage(browser, server.base);
  await set(page, { n: 2, policies: "prun" });
  await ask(page, "x");
  await page.locator(".status.error", { hasText: "prun" }).waitFor();
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

test("a real conversation of two turns, and a new one", async () => {
  const page = await openPage(browser, server.base);
  await set(page, { n: 2, budget: 12, seed: 3 });
  for (const prompt of ["Hello", "Again"]) {
    await ask(page, prompt);
    await finished(page);
  }
  assert.equal(await page.locator(".status.error").count(), 0);
  assert.equal(await page.locator(".turn").count(), 2);
  await page.locator("#new").click();
  assert.equal(await page.locator(".turn").count(), 0);
  assert.ok(await page.locator("#empty").isVisible());
  assert.deepEqual(page.problems, []);
  await page.context().close();
});
