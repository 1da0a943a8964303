// SPDX-License-Identifier: Apache-2.0
// Many lanes on the page: the strip that has all of them, and columns that are there only while they can be seen.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, begin, end, finished, launch, openPage, say, set, tell, token } from "./page_browser.mjs";
import { startServer } from "./server.mjs";

let browser;
let server;
before(async () => {
  server = await startServer(["--cells", "16384"]);
  browser = await launch();
});
after(() => browser?.close());

async function open(lanes, options = { told: true }) {
  const page = await openPage(browser, server.base, options);
  await set(page, { n: lanes, budget: 64 });
  await ask(page, "Say it.");
  return page;
}
const shown = (page) => page.locator(".lane").evaluateAll((lanes) => lanes.map((lane) => Number(lane.dataset.lane)));
const cellSaying = (page, name) => page.locator(".strip").getByRole("button", { name, exact: true });
const cell = (page, index) => page.locator(".strip button").nth(index);

for (const [lanes, expected] of [[15, 15], [16, 5], [200, 5]]) {
  test(`of ${lanes} lanes ${expected} columns are in the page, and all in the strip`, async () => {
    const page = await open(lanes);
    await begin(page, lanes);
    await say(page, ...Array.from({ length: lanes }, (_, lane) => token(lane, 0, `I am ${lane + 1}.`)));
    await page.locator(".lane", { hasText: "I am 1." }).first().waitFor();
    assert.deepEqual(await shown(page), Array.from({ length: expected }, (_, k) => k));
    assert.equal(await page.locator(".strip button").count(), lanes);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });
}

test("the row of columns scrolls, and what was written out of view is there", async () => {
  const page = await open(64);
  await begin(page, 64);
  await say(page, ...Array.from({ length: 64 }, (_, lane) => token(lane, 0, `I am ${lane + 1}.`)));
  await page.locator(".lanes").evaluate((row) => (row.scrollLeft = row.scrollWidth / 2));
  await page.locator(".lane[data-lane='33']", { hasText: "I am 34." }).waitFor();
  assert.ok((await shown(page)).length <= 6);
  assert.ok((await shown(page)).every((index) => index >= 30 && index <= 37), String(await shown(page)));
  await say(page, token(33, 1, " And more."));
  await page.locator(".lane[data-lane='33']", { hasText: "And more." }).waitFor();
  assert.deepEqual(await page.locator(".strip .in-view b").allInnerTexts(), ["33", "34", "35", "36"]);
  await page.context().close();
});

test("a cell of the strip leads to its lane, also by keyboard", async () => {
  const page = await open(64);
  await begin(page, 64);
  await cell(page, 49).click();
  await page.locator(".lane[data-lane='49'] .text:focus").waitFor();
  const [row, column] = await Promise.all([".lanes", ".lane[data-lane='49']"].map((what) => page.locator(what).boundingBox()));
  assert.ok(column.x >= row.x - 1 && column.x + column.width <= row.x + row.width + 1, "the whole column is in view");
  // One stop of the Tab key for all cells.
  await cell(page, 49).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => document.activeElement.querySelector("b").textContent), "2");
  assert.equal(await page.locator(".strip button[tabindex='0']").count(), 1);
  await page.keyboard.press("Enter");
  await page.locator(".lane[data-lane='1'] .text:focus").waitFor();
  await page.context().close();
});

test("a column that has the focus stays when it is scrolled away", async () => {
  const page = await open(32);
  await begin(page, 32);
  await page.locator(".lane[data-lane='0'] .text").focus();
  await page.locator(".lanes").evaluate((row) => (row.scrollLeft = row.scrollWidth));
  await page.locator(".lane[data-lane='31']").waitFor();
  assert.ok((await shown(page)).includes(0));
  await page.locator("#prompt").focus();
  await page.locator(".lane[data-lane='0']").waitFor({ state: "detached" });
  await page.context().close();
});

test("the strip says of each lane how it stands, its answer, and how many share it", async () => {
  const page = await open(4);
  await page.waitForFunction(() => globalThis.say);
  await say(page, { kind: "group_created", id: "g1", budget: 10, prompt_tokens: 3, tag: "", seed: 5 }, { kind: "prompt_read", step: 0 });
  await page.locator(".strip [data-state=waiting]").nth(3).waitFor();
  await say(page, ...[0, 1, 2, 3].map((lane) => ({ kind: "lane_started", lane, step: 0, text: "" })), ...[0, 1].map((lane) => token(lane, 0, "\\boxed{7}")),
    token(2, 0, "\\boxed{8}"), { kind: "lane_slept", lane: 3, step: 1 }, { kind: "something_new", lane: 3, step: 1 }, { kind: "quite_new" });
  await cellSaying(page, "Lane 1: writing, answer 7, given by 2 of 4").waitFor();
  await cellSaying(page, "Lane 3: writing, answer 8, given by 1 of 4").waitFor();
  await cellSaying(page, "Lane 4: asleep").waitFor();
  await page.locator(".lane[data-lane='3'] .state", { hasText: "asleep" }).waitFor();
  assert.match(await cell(page, 0).locator("i").getAttribute("style"), /scaleX\(0\.1\)/);
  const rank = (index) => cell(page, index).getAttribute("data-rank");
  assert.deepEqual([await rank(0), await rank(1), await rank(2), await rank(3)], ["0", "0", "1", null], "who agrees has one colour");
  await say(page, { kind: "lane_woke", lane: 3, step: 2 }, token(3, 2, "Good morning."));
  await cellSaying(page, "Lane 4: writing").waitFor();
  await end(page, [{ answer: "7", from: "box" }, { answer: "7" }, { answer: "8" }, {}], { votes: [{ answer: "7", count: 2 }, { answer: "8", count: 1 }], selected: 1 });
  await cellSaying(page, "Lane 2: selected, answer 7, given by 2 of 4").waitFor();
  await cellSaying(page, "Lane 4: ended").and(page.locator("button", { hasText: "no answer" })).waitFor();
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("the token that a sleeping lane held back stands at the step at which it was fed", async () => {
  const page = await open(2);
  await page.getByRole("button", { name: "Tokens", exact: true }).click();
  await begin(page, 2);
  await say(page, token(1, 0, "a"), token(1, 1, " wait"), { kind: "lane_slept", lane: 1, step: 2 });
  const last = page.locator(".lane[data-lane='1'] .token", { hasText: "wait" });
  await last.waitFor();
  assert.equal(await last.getAttribute("data-step"), "1");
  await page.locator(".lane[data-lane='1'] .state", { hasText: "asleep" }).waitFor();
  await say(page, { kind: "lane_woke", lane: 1, step: 7 }, token(1, 8, " on"));
  await page.locator(".lane[data-lane='1'] .token", { hasText: "on" }).waitFor();
  assert.equal(await last.getAttribute("data-step"), "7");
  // It can be asked about where it stands now.
  const asked = page.evaluate(() => new Promise((resolve) => {
    const before = globalThis.fetch;
    globalThis.fetch = (path, options) => (String(path).includes("step=") && !String(path).includes("sums") && resolve(path), before(path, options));
  }));
  await last.hover();
  assert.match(await asked, /lanes\/1\/attention\?step=7$/);
  await page.context().close();
});

// What is asked about attention is answered in the page: by `parts`, and `probed` has what was asked while no lane wrote.
const answerProbes = (page, parts) => page.evaluate((list) => {
  const before = globalThis.fetch;
  globalThis.probed = [];
  globalThis.fetch = (path, options) => {
    const asked = String(path).match(/lanes\/(\d+)\/attention\?step=(\d+)/);
    if (!asked) return before(path, options);
    const [lane, step] = asked.slice(1).map(Number);
    if (!document.getElementById("run").disabled) globalThis.probed.push({ lane, step });
    return Promise.resolve(new Response(JSON.stringify({ lane, step, parts: list })));
  };
}, parts);

test("the heat map of many lanes that have finished asks 400 times at most, and about each of them", async () => {
  const lanes = 200;
  const page = await open(lanes);
  await begin(page, lanes);
  await say(page, ...Array.from({ length: 9 * lanes }, (_, at) => token(at % lanes, Math.floor(at / lanes), "a")));
  await answerProbes(page, []);
  await end(page, Array.from({ length: lanes }, () => ({})));
  await page.waitForFunction(() => globalThis.probed.some(({ lane, step }) => lane === 198 && step === 0));  // the last of all
  const probed = await page.evaluate(() => globalThis.probed);
  assert.ok(probed.length <= 400 && probed.length > 350, String(probed.length));
  assert.deepEqual([...new Set(probed.map(({ step }) => step))], [7, 5, 2, 0]);
  assert.equal(new Set(probed.map(({ lane }) => lane)).size, lanes);
  assert.equal(await page.locator(".heat input[type=range]").getAttribute("max"), "3");
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("a token may have looked at more cells than a call takes arguments", async () => {
  const page = await open(1);
  await page.getByRole("button", { name: "Tokens", exact: true }).click();
  await begin(page, 1);
  await say(page, token(0, 0, "a"), token(0, 1, " b"));
  await answerProbes(page, [{ lane: 0, first_step: 0, weights: [0.5, ...new Array(300000).fill(1e-6)] }]);
  await page.locator(".lane .token").nth(1).hover();
  await page.locator(".run.probing").waitFor();
  assert.equal(await page.locator(".lane .token").first().evaluate((node) => node.style.getPropertyValue("--w")), "0.850");
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("what was asked about a token is remembered while others are pointed at, and not for longer", async () => {
  const page = await open(1);
  await page.getByRole("button", { name: "Tokens", exact: true }).click();
  await begin(page, 1);
  await say(page, token(0, 0, "one"), token(0, 1, " two"), token(0, 2, " three"));
  await answerProbes(page, [{ lane: 0, first_step: 0, weights: [1] }]);
  await page.evaluate(() => {
    const before = globalThis.fetch;
    globalThis.pointed = [];
    globalThis.fetch = (path, options) => {
      const asked = String(path).match(/attention\?step=(\d+)$/);
      if (asked) globalThis.pointed.push(Number(asked[1]));
      return before(path, options);
    };
  });
  const point = async (at, expected) => {
    await page.locator(".lane .token").nth(at).hover();
    await page.waitForTimeout(300);
    assert.deepEqual(await page.evaluate(() => globalThis.pointed), expected);
  };
  await point(0, [0]);
  await point(1, [0, 1]);
  await point(0, [0, 1]);
  await page.locator("#prompt").hover();
  await point(0, [0, 1, 0]);
  await page.context().close();
});

test("F forks, with Shift too; Ctrl+F and Alt+Left are the browser's", async () => {
  const page = await open(1);
  await page.getByRole("button", { name: "Tokens", exact: true }).click();
  await begin(page, 1);
  await say(page, token(0, 0, "a"), token(0, 1, " b"));
  await page.locator(".lane .token").nth(1).waitFor();
  await page.evaluate(() => {
    const before = globalThis.fetch;
    globalThis.forks = [];
    globalThis.fetch = (path, options) => {
      if (options?.method !== "POST" || !String(path).endsWith("/lanes")) return before(path, options);
      globalThis.forks.push(JSON.parse(options.body));
      return Promise.resolve(new Response(JSON.stringify({ lane: 1 })));
    };
  });
  const text = page.locator(".lane[data-lane='0'] .text");
  await text.focus();
  await page.keyboard.press("ArrowLeft");
  await page.locator(".lane .token.current", { hasText: "b" }).waitFor();
  const taken = (press) => text.evaluate((node, what) => {
    const event = new KeyboardEvent("keydown", { ...what, bubbles: true, cancelable: true });
    node.dispatchEvent(event);
    return event.defaultPrevented;
  }, press);
  assert.equal(await taken({ key: "ArrowLeft", altKey: true }), false);
  for (const held of ["ctrlKey", "metaKey", "altKey"]) await taken({ key: "f", [held]: true });
  assert.deepEqual(await page.evaluate(() => globalThis.forks), []);
  await taken({ key: "F", shiftKey: true });
  await page.locator(".lane[data-lane='1'] .origin", { hasText: "forked from lane 1 at token 1" }).waitFor();
  assert.deepEqual(await page.evaluate(() => globalThis.forks), [{ parent: 0, fork_step: 2 }]);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("a token that the arrow keys come to is told, with what it looked at most", async () => {
  const page = await open(2);
  await page.getByRole("button", { name: "Tokens", exact: true }).click();
  await begin(page, 2);
  await say(page, token(0, 0, "one"), token(0, 1, " two"), token(1, 0, "x"));
  await page.locator(".lane[data-lane='0'] .token").nth(1).waitFor();
  await answerProbes(page, [[-1, 0.2], [0, 0.1], [1, 0.7]].map(([lane, weight]) => ({ lane, first_step: 0, weights: [weight] })));
  await page.locator(".lane[data-lane='0'] .text").focus();
  await page.keyboard.press("ArrowLeft");
  await page.locator("#announcer", { hasText: "two: most from lane 2, 70.0 %" }).waitFor({ state: "attached" });
  await page.context().close();
});

test("a text that was pushed can be read where it is lit", async () => {
  const page = await open(1);
  await page.getByRole("button", { name: "Tokens", exact: true }).click();
  await begin(page, 1);
  await say(page, token(0, 0, "a"), { ...token(0, 1, " b"), forced: true }, token(0, 2, " c"));
  await answerProbes(page, [{ lane: 0, first_step: 0, weights: [0.2, 0.8] }]);
  await page.locator(".lane .token").nth(2).hover();
  await page.locator(".run.probing").waitFor();
  const [colour, ink] = await page.locator(".token.forced").evaluate((node) => [node, document.body].map((one) => getComputedStyle(one).color));
  assert.equal(colour, ink);
  await page.context().close();
});

test("what a policy does is said of the lane that it is about, and of the group", async () => {
  const page = await open(2);
  await begin(page, 2);
  const act = (act) => ({ kind: "policy", step: 3, ...act });
  await say(page, token(0, 0, "a"), token(1, 0, "b"), act({ lane: 1, policy: "prune", act: "retire", reason: "its confidence is 2, below 4" }),
    act({ lane: 0, policy: "command", act: "push", text: "!", reason: "so", refused: "lane 0 has ended" }),
    act({ lane: 2, policy: "refill", act: "fork", parent: 0, reason: "lane 2 deviates" }), { kind: "lane_started", lane: 2, step: 3, text: "a" },
    act({ policy: "command", act: "end", reason: "enough" }));
  const line = (lane) => page.locator(`.lane[data-lane='${lane}'] .origin`);
  await page.locator(".lane[data-lane='2'] .origin", { hasText: "refill forks it from lane 1: lane 2 deviates" }).waitFor();
  assert.equal(await line(1).innerText(), "prune retires it: its confidence is 2, below 4");
  assert.equal(await line(0).innerText(), "command could not: lane 0 has ended");
  await end(page, [{}, {}, {}]);
  assert.match(await page.locator(".status").innerText(), /command ends the group: enough/);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("a call of a tool is said of its lane with the result", async () => {
  const page = await open(2);
  await begin(page, 2);
  const call = { step: 1, lane: 1, call: 0, name: "calculator", arguments: '{"expression":"48/2"}' };
  await say(page, token(0, 0, "a"), token(1, 0, "b"), { kind: "tool_called", ...call }, { kind: "tool_returned", ...call, result: "24", failed: false, milliseconds: 0.1 });
  const line = page.locator(".lane[data-lane='1'] .origin", { hasText: "calculator" });
  await line.waitFor();
  assert.equal(await line.innerText(), 'calculator {"expression":"48/2"}: 24');
  await end(page, [{}, {}]);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("what tools say at length leaves their lane its room, and is there as a whole", async () => {
  const page = await open(2);
  await begin(page, 2);
  const result = "a word ".repeat(1000).trim();
  const call = { kind: "tool_returned", step: 1, lane: 0, name: "search", arguments: "{}", result, failed: false, milliseconds: 1 };
  await say(page, token(0, 0, "a"), ...[0, 1, 2].map((number) => ({ ...call, call: number })));
  const line = page.locator(".lane[data-lane='0'] .origin", { hasText: "search" });
  await line.waitFor();
  assert.ok((await line.innerText()).length < 700);
  assert.ok((await line.getAttribute("title")).includes(result));
  const [text, whole] = await page.locator(".lane[data-lane='0']").evaluate((one) => [one.querySelector(".text").clientHeight, one.clientHeight]);
  assert.ok(text > whole / 2, `${text} of ${whole} pixels`);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("one lane has no strip", async () => {
  const page = await open(1);
  await tell(page, ["Alone."]);
  assert.ok(await page.locator(".strip").isHidden());
  await page.context().close();
});

test("forty lanes of a real group", async () => {
  const page = await open(40, {});
  await page.locator(".lane .text", { hasText: /./ }).first().waitFor();
  await finished(page);
  assert.equal(await page.locator(".strip button[data-state=selected]").count(), 1);
  const unfinished = page.locator(".strip button:not([data-state=ended]):not([data-state=selected])");
  assert.equal(await unfinished.count(), 0);
  await cell(page, 39).click();
  assert.ok((await page.locator(".lane[data-lane='39'] .text").innerText()).length > 0);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});
