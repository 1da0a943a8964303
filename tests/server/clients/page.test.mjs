// SPDX-License-Identifier: Apache-2.0
// A run on the page, with lanes that really write: what grows, what lights up, what can be done to lanes, what is said in the end.
// Screenshots go to LANEROPE_SCREENSHOTS.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { finished, launch, openPage, pictures, set, written } from "./page_browser.mjs";
import { startServer } from "./server.mjs";

let browser;
let server;

before(async () => {
  server = await startServer(["--cells", "65536"], { model: process.env.LANEROPE_PAGE_MODEL ?? process.env.LANEROPE_MODEL });
  browser = await launch();
});
after(() => browser?.close());

// Four lanes, shown token by token.
async function open(options = {}, { budget = 120 } = {}) {
  const page = await openPage(browser, server.base, options);
  await page.evaluate(() => (localStorage.lanerope = JSON.stringify({ version: 1, view: "tokens" })));
  await page.reload();
  await page.locator("#run:not([disabled])").waitFor();
  await set(page, { n: 4, budget, seed: 7 });
  return page;
}

test("nothing moves while the lanes write", async () => {
  const page = await open({}, { budget: 2000 });
  await page.locator("#prompt").fill("Write as much as you can.");
  await page.evaluate(() => {
    globalThis.shifts = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shifts += entry.value;
    }).observe({ type: "layout-shift", buffered: false });
  });
  await page.locator("#run").click();
  await page.locator(".lane .token").nth(50).waitFor();
  await page.locator(".status", { hasText: /\d+ tokens · [\d.]+ tokens\/s/ }).waitFor();
  const spent = () => page.locator(".lane .bar > i").evaluateAll((bars) => bars.map((bar) => Number(bar.style.transform.match(/[\d.]+/)[0])));
  const before = await spent();
  await page.waitForFunction((least) => document.querySelector(".lane .bar > i").style.transform.match(/[\d.]+/)[0] > least, before[0]);
  assert.ok((await spent()).every((share, k) => share > before[k] && share < 1), "budget bars grow with the lanes");
  const boxes = () => page.locator(".lane").evaluateAll((lanes) => lanes.map((lane) => JSON.stringify(lane.getBoundingClientRect())));
  const early = await boxes();
  await page.waitForTimeout(700);
  assert.deepEqual(await boxes(), early);
  assert.ok((await page.evaluate(() => globalThis.shifts)) < 0.01);
  await page.locator("#stop").click();
  await finished(page);
  await page.context().close();
});

test("a token that is pointed at lights up what it read, also by keyboard", async () => {
  const page = await open();
  await page.getByRole("button", { name: "Primes" }).click();
  await set(page, { coupling: "lanerope", budget: 120 });
  await page.locator("#run").click();
  await finished(page);
  const token = page.locator(".lane").nth(1).locator(".token").nth(12);
  await token.hover();
  await page.locator(".run.probing").waitFor();
  const lit = await page.locator(".lane").evaluateAll((lanes) =>
    lanes.map((lane) => [...lane.querySelectorAll(".token")].filter((one) => Number(one.style.getPropertyValue("--w")) > 0).length));
  assert.ok(lit.every((count) => count > 0), `lit tokens of each lane: ${lit}`);
  assert.match(await page.locator(".shares").innerText(), /prompt[^]*lane 2, itself/);
  await page.screenshot({ path: `${pictures}/attention.png` });
  await page.locator(".lane .text").nth(2).focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await page.locator(".lane").nth(2).locator(".token.current").waitFor();
  // Any layer, averaged over its heads or one of them: each is another question, with another answer.
  const answers = [await page.locator(".shares").innerText()];
  for (const [label, value] of [["Layer", "0"], ["Head", "1"], ["Layer", "5"]]) {
    const asked = page.waitForResponse((response) => new URL(response.url()).searchParams.get(label.toLowerCase()) === value);
    await page.locator(`[aria-label="${label}"]`).selectOption(value);
    await asked;
    await page.waitForFunction((old) => document.querySelector(".shares").innerText !== old, answers.at(-1));
    answers.push(await page.locator(".shares").innerText());
  }
  assert.equal(new Set(answers).size, 4);
  await page.keyboard.press("Escape");
  await page.context().close();
});

test("the heat map grows while the lanes write, with one question at a time", async () => {
  const page = await open({}, { budget: 3500 });
  let [asked, underWay, most] = [0, 0, 0];
  page.on("request", (request) => {
    if (!request.url().includes("detail=sums")) return;
    asked += 1;
    most = Math.max(most, ++underWay);
  });
  for (const end of ["requestfinished", "requestfailed"]) {
    page.on(end, (request) => {
      if (request.url().includes("detail=sums")) underWay -= 1;
    });
  }
  await page.locator("#prompt").fill("Go on for long.");
  await page.locator("#run").click();
  const samples = () => page.locator('.heat input[type="range"]').evaluate((slider) => Number(slider.max));
  const more = (count) =>
    page.waitForFunction((least) => Number(document.querySelector('.heat input[type="range"]').max) >= least, count, { timeout: 60000 });
  await more(1);
  const early = await samples();
  await more(early + 1);
  assert.ok(await page.locator("#run").isDisabled(), "the lanes still write");
  assert.equal(most, 1);
  assert.ok(asked > 4 * early, "each lane was asked about");
  const step = Number((await page.locator(".heat p").innerText()).match(/step (\d+)/)[1]);
  assert.equal(step % 8, 0);
  await page.locator("#stop").click();
  await finished(page);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("fork, push and retire", async () => {
  const page = await open({}, { budget: 3000 });
  await page.locator("#prompt").fill("Go on for long.");
  await page.locator("#run").click();
  await page.locator(".lane").nth(0).locator(".token").nth(20).waitFor();
  await page.locator(".lane").nth(0).getByRole("button", { name: "Push" }).click();
  await page.locator("#ask-text").fill(" Look at this.");
  await page.locator("#ask-ok").click();
  await page.locator(".lane").nth(0).locator(".token.forced").first().waitFor();
  await page.locator(".lane").nth(1).getByRole("button", { name: "Retire" }).click();
  await page.locator(".lane").nth(1).locator(".state", { hasText: "retired" }).waitFor();
  await page.locator(".lane .text").nth(2).focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("f");
  await page.locator(".lane").nth(4).waitFor();
  await page.locator(".lane").nth(4).locator(".origin", { hasText: "forked from lane 3" }).waitFor();
  await page.screenshot({ path: `${pictures}/fork.png` });
  await page.locator(".lane").nth(3).locator(".token").nth(5).click();
  await page.getByRole("button", { name: "Fork here" }).click();
  await page.locator(".lane").nth(5).locator(".origin", { hasText: "forked from lane 4" }).waitFor();
  await page.locator("#stop").click();
  await finished(page);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("the same prompt with another coupling in a second row", async () => {
  const page = await open();
  await page.getByRole("button", { name: "Split the work" }).click();
  await page.locator("#run").click();
  await finished(page);
  await page.locator('[aria-label="Coupling to compare with"]').selectOption("lanerope");
  await page.getByRole("button", { name: "Compare" }).click();
  await page.locator(".run").nth(1).locator(".token").first().waitFor();
  await finished(page);
  assert.deepEqual(await page.locator(".run h3").allInnerTexts(), ["4 lanes, independent", "4 lanes, lanerope, omega ntk-by-parts"]);
  await page.screenshot({ path: `${pictures}/compare.png`, fullPage: true });
  await page.context().close();
});

test("the bundled model's example: votes, the winner, and where a sum came from", { skip: !process.env.LANEROPE_BUNDLED && "no bundled models" }, async () => {
  const bundled = await startServer([], { model: `${process.env.LANEROPE_BUNDLED}/model.gguf` });
  const page = await openPage(browser, bundled.base, { viewport: { width: 1240, height: 930 } });
  await set(page, { seed: 1 });
  await page.getByRole("button", { name: "Eight stores" }).click();
  await page.keyboard.press("Enter");  // on Run, where the focus is now
  await page.locator(".lane.selected").waitFor();
  await finished(page);
  assert.match(await page.locator(".votes li.first").innerText(), /708[^]*4 of 4/);
  assert.match(await page.locator(".status").innerText(), /selected by vote, 100 %/);
  assert.match(await page.locator(".lane.selected .answer").innerText(), /^answer 708 .+/, "and where it was found");
  const tokens = await page.locator(".lane").nth(0).locator(".token").allInnerTexts();
  await page.locator(".lane").nth(0).locator(".token").nth(tokens.indexOf("<lane2>") + 1).hover();
  await page.locator(".shares li", { hasText: "lane 2" }).waitFor();
  await page.waitForFunction(() => Number(document.querySelector('.heat input[type="range"]').max) > 30);
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${pictures}/bundled.png` });
  await page.context().close();
});

test("a server that stops is told about, and the text stays", async () => {
  const page = await open({}, { budget: 3500 });
  await page.locator("#prompt").fill("Go on for long.");
  await page.locator("#run").click();
  await page.locator(".lane .token").nth(30).waitFor();
  await server.stop("SIGKILL");
  await page.locator(".status.error").waitFor();
  assert.match(await page.locator(".status.error").innerText(), /server/i);
  assert.ok((await written(page, 0)) > 0);
  await page.screenshot({ path: `${pictures}/stopped.png` });
  await page.getByRole("button", { name: "Retry message 1" }).click();
  await page.locator(".status.error", { hasText: "cannot be reached" }).waitFor();
  await page.context().close();
});
