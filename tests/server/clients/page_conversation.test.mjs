// SPDX-License-Identifier: Apache-2.0
// A conversation on the page: turns, stop, edit, retry, compare, the system prompt, files, and the settings that each is asked with.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  ask, assistant, begin, bodies, ending, file, finished, lastMessages, launch, openPage, say, set, tell, token, turn, user,
} from "./page_browser.mjs";
import { startServer } from "./server.mjs";

let browser;
let server;
before(async () => {
  server = await startServer(["--chat-template", "chatml"]);
  browser = await launch();
});
after(() => browser?.close());

const open = () => openPage(browser, server.base, { told: true });

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

// The run at that place with another coupling, whose lanes are told to answer this.
async function compare(page, place, texts) {
  const before = (await bodies(page)).length;
  await page.getByRole("button", { name: "Compare" }).nth(place).click();
  await page.waitForFunction((count) => globalThis.bodies.length > count, before);
  await tell(page, texts);
}

test("where the run whose lane was used is compared anew, the first run's answer is gone on with", async () => {
  const page = await open();
  await set(page, { n: 2 });
  await turn(page, "One?", ["a", "b"]);
  await compare(page, 0, ["c", "d"]);
  await page.locator(".run").nth(1).getByRole("button", { name: "Use the answer of Lane 2" }).click();
  await compare(page, 0, ["e", "f"]);
  assert.equal(await page.locator(".run").count(), 2);
  await turn(page, "Two?", ["x", "y"]);
  assert.deepEqual(await lastMessages(page), [user("One?"), assistant("a"), user("Two?")]);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("what ends before the run that it is compared with is not the answer for that", async () => {
  const page = await open();
  await set(page, { n: 1 });
  await ask(page, "One?");
  await begin(page, 1);
  await say(page, token(0, 0, "first"));
  await page.evaluate(() => (globalThis.sayFirst = globalThis.say));
  await page.getByRole("button", { name: "Compare" }).click();
  await page.waitForFunction(() => globalThis.bodies.length === 2);
  await begin(page, 1);
  await say(page, token(0, 0, "second"), ...ending([{}]));
  await page.locator(".run").nth(1).locator(".state", { hasText: "selected" }).waitFor();
  await page.evaluate((events) => events.forEach((event) => globalThis.sayFirst(event)), ending([{}]));
  await finished(page);
  await turn(page, "Two?", ["x"]);
  assert.deepEqual(await lastMessages(page), [user("One?"), assistant("first"), user("Two?")]);
  await page.context().close();
});

test("to compare with is offered what the server does, and what the other coupling does not read is left out", async () => {
  const page = await open();
  await set(page, { n: 2, coupling: "lanerope", wait: " await", ready: " done" });
  await turn(page, "x", ["a", "b"]);
  const other = page.getByLabel("Coupling to compare with");
  const names = await other.locator("option").evaluateAll((options) => options.map(({ value }) => value));
  assert.ok(names.includes("groupthink") && names.includes("hogwild") && !names.includes("bridge"), String(names));
  await other.selectOption("hogwild");
  await compare(page, 0, ["c", "d"]);
  const [first, second] = (await bodies(page)).map(({ lanes }) => lanes);
  assert.deepEqual([first.wait, first.ready], [" await", " done"]);
  assert.equal(second.coupling, "hogwild");
  assert.ok(!("wait" in second) && !("ready" in second));
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

test("a setting that is none is named, though it stands where nobody sees it", async () => {
  const page = await open();
  await set(page, { n: 1, budget: 4 });
  await ask(page, "x");
  await page.locator("#notice", { hasText: "Budget: " }).waitFor();
  await page.locator("[name=budget]:focus").waitFor();
  await set(page, { budget: 64, temperature: "" });
  await page.locator("#run").click();
  await page.locator("#notice", { hasText: "Temperature: " }).waitFor();
  assert.deepEqual(await bodies(page), []);
  await set(page, { temperature: 0.75 });
  await turn(page, "x", ["y"]);
  assert.equal((await bodies(page))[0].temperature, 0.75);
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

test("of what a spreadsheet copies the text is pasted, and not its picture", async () => {
  const page = await open();
  const taken = (name, kind) => page.evaluate(([called, type]) => {
    const data = new DataTransfer();
    data.setData("text/plain", "1\t2");
    data.items.add(new File(["x"], called, { type }));
    const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
    document.getElementById("prompt").dispatchEvent(event);
    return event.defaultPrevented;
  }, [name, kind]);
  assert.equal(await taken("image.png", "image/png"), false);
  assert.equal(await taken("a.csv", "text/csv"), true, "a file manager's name for a file is not what is meant");
  await page.locator("#files li", { hasText: "a.csv" }).waitFor();
  assert.equal(await page.locator("#files li").count(), 1);
  assert.ok(await page.locator("#notice").isHidden());
  await page.context().close();
});

test("lanes may be given the tokens that they wait with", async () => {
  const page = await open();
  assert.ok(await page.locator("[name=wait]").isDisabled(), "independent lanes see nobody who could wake them");
  await set(page, { n: 2, coupling: "lanerope", wait: " await", ready: " done" });
  await turn(page, "x", ["a", "b"]);
  const { lanes } = (await bodies(page)).at(-1);
  assert.deepEqual([lanes.wait, lanes.ready], [" await", " done"]);
  const waiting = async () => Object.keys((await bodies(page)).at(-1).lanes).filter((name) => ["wait", "ready"].includes(name));
  await set(page, { coupling: "hogwild" });
  assert.ok(await page.locator("[name=wait]").isDisabled(), "its lanes cannot wait");
  await turn(page, "x", ["a", "b"]);
  assert.deepEqual(await waiting(), []);
  await set(page, { coupling: "lanerope" });
  await turn(page, "x", ["a", "b"]);
  assert.deepEqual(await waiting(), ["wait", "ready"]);
  await set(page, { wait: "", ready: "" });
  await turn(page, "y", ["a", "b"]);
  assert.deepEqual(await waiting(), []);
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
