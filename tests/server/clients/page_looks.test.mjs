// SPDX-License-Identifier: Apache-2.0
// How the page looks at phone and desktop width, light and dark: screenshots to be looked at, nothing too wide, and no fault that
// axe-core finds. And what a keyboard alone can do.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { ask, begin, end, file, finished, launch, openPage, pictures, say, set, tell, token } from "./page_browser.mjs";
import { startServer } from "./server.mjs";

const axe = createRequire(import.meta.url)("axe-core");
let browser;
let server;
before(async () => {
  server = await startServer(["--chat-template", "chatml"]);
  browser = await launch();
});
after(() => browser?.close());

const texts = [
  "# Roots\n\nBoth roots of $ax^2 + bx + c$ are\n\n\\[\nx = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}\n\\]\n\nso the larger one is \\boxed{3}.",
  "In **Python**:\n\n```python\nfrom math import sqrt\n\ndef larger(a, b, c):  # of two roots\n    return (-b + sqrt(b * b - 4 * a * c)) / (2 * a)\n```\n\n\\boxed{3}",
  "| a | b | root |\n|--:|--:|:----:|\n| 1 | -2 | 3 |\n| 2 | 0 | 1 |\n\n> By inspection.\n\n1. Factor it.\n2. Read [the roots](https://example.invalid) off.\n\nIt is \\boxed{2}.",
  "<think>\nSquare first.\n</think>\n\nThe answer is `x = 3`: \\boxed{3}.",
];
const votes = [{ answer: "3", count: 3 }, { answer: "2", count: 1 }];

async function faults(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} (${node.any[0]?.message ?? ""})`).join(", ")}`);
}

async function look(page, name) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${name} is ${overflow} pixels too wide`);
  assert.deepEqual(await faults(page), [], name);
  await page.evaluate(() => (document.querySelector(".composer").style.position = "static"));  // not in the midst of a long picture
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
  await page.evaluate(() => (document.querySelector(".composer").style.position = ""));
}

for (const [size, viewport] of [["desktop", { width: 1360, height: 950 }], ["phone", { width: 390, height: 844 }]]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`${size}, ${colorScheme}`, async () => {
      const page = await openPage(browser, server.base, { told: true, viewport, colorScheme, reducedMotion: "reduce" });
      const name = `${size}-${colorScheme}`;
      await look(page, `${name}-empty`);
      await page.locator("#settings-toggle").click();
      await look(page, `${name}-settings`);
      await page.locator("#settings-toggle").click();

      await page.locator("#choose-files").setInputFiles([{ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("x = 3?") }]);
      await ask(page, "Which is the larger root of x² − 2x − 3?");
      await begin(page, 4, 60);
      await say(page, ...texts.flatMap((text, lane) => text.slice(0, lane === 3 ? 18 : 60).match(/[^]{1,4}/g).map((piece, step) => token(lane, step, piece))));
      await page.locator(".lane .thinking[open]").waitFor();
      await look(page, `${name}-writing`);
      await page.keyboard.press("Escape");
      await finished(page);

      await page.getByRole("button", { name: "Retry message 1" }).click();
      await page.waitForFunction(() => globalThis.bodies.length === 2);
      await tell(page, texts, { votes, selected: 0, answers: ["3", "3", "2", "3"] });
      await look(page, `${name}-text`);
      await page.getByRole("button", { name: "Tokens", exact: true }).click();
      await look(page, `${name}-tokens`);
      await page.getByRole("button", { name: "Text", exact: true }).click();

      await set(page, { n: 40 });
      await ask(page, "And of forty lanes?");
      await page.waitForFunction(() => globalThis.bodies.length === 3);
      await tell(page, Array.from({ length: 40 }, (_, k) => texts[k % 4]), {
        votes: [{ answer: "3", count: 20 }, { answer: "2", count: 10 }], selected: 1, answers: Array.from({ length: 40 }, (_, k) => ["3", "3", "2", null][k % 4]),
      });
      await look(page, `${name}-40-lanes`);
      await page.getByRole("button", { name: "Edit message 1" }).click();
      await look(page, `${name}-editing`);
      assert.deepEqual(page.problems, []);
      await page.context().close();
    });
  }
}

test("by keyboard alone: the order of the stops, a run, a lane, and back", async () => {
  const page = await openPage(browser, server.base, { told: true });
  const focus = () => page.evaluate(() => {
    const node = document.activeElement;
    return node.getAttribute("aria-label") ?? (node.labels?.[0]?.firstChild.textContent.trim() || node.textContent.trim());
  });
  const tab = async (count) => {
    const stops = [];
    for (let k = 0; k < count; ++k) {
      await page.keyboard.press("Tab");
      stops.push(await focus());
    }
    return stops;
  };
  assert.deepEqual(await tab(5), ["Skip to the message", "Theme: switch between light and dark", "Primes", "Split the work", "Prompt"]);
  assert.deepEqual(await tab(5), ["Lanes", "Coupling", "Settings", "+Files", "Run"]);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  assert.ok(await page.locator("#settings").isVisible());
  await page.locator("[name=budget]").focus();
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#settings").isHidden());
  assert.equal(await focus(), "Settings");

  await page.locator(".skip").focus();
  await page.keyboard.press("Enter");
  assert.equal(await focus(), "Prompt");
  await page.keyboard.type("Go.");
  await page.keyboard.press("Enter");
  await begin(page, 4);
  await say(page, token(0, 0, "a"));
  // From a lane's text Esc stops.
  await page.locator(".lane .text").first().focus();
  assert.equal(await focus(), "Text of lane 1");
  await page.keyboard.press("Escape");
  await finished(page);
  assert.equal(await page.locator("#announcer").innerText(), "Stopped.");
  await page.context().close();
});

test("Stop gives the focus to the message when it has stopped", async () => {
  const page = await openPage(browser, server.base, { told: true });
  await ask(page, "Go.");
  await begin(page, 4);
  await page.locator("#stop").focus();
  await page.keyboard.press("Enter");
  await finished(page);
  assert.equal(await page.evaluate(() => document.activeElement.id), "prompt");
  await page.context().close();
});

const focus = (page) => page.evaluate(() => {
  const node = document.activeElement;
  return node.id || node.getAttribute("aria-label") || node.textContent.trim();
});
const press = async (page, name) => {
  await page.getByRole("button", { name, exact: true }).focus();
  await page.keyboard.press("Enter");
};
const begun = (page, count) => page.waitForFunction((least) => globalThis.bodies.length >= least, count);

test("a control that goes away while it has the focus hands it on", async () => {
  const page = await openPage(browser, server.base, { told: true });
  await set(page, { n: 2 });
  await page.locator("#prompt").fill("Go.");
  await press(page, "Run");
  assert.equal(await focus(page), "stop");
  await begin(page, 2);
  await say(page, token(0, 0, "a"), token(1, 0, "b"));
  await page.getByRole("button", { name: "Retire Lane 1" }).focus();
  await say(page, { kind: "lane_finished", lane: 0, step: 1, text: "", finish: "retired" });
  await page.locator(".lane[data-lane='0'] .text:focus").waitFor();
  await end(page, [{}, {}]);
  await press(page, "Use the answer of Lane 2");
  await page.locator(".lane[data-lane='1'] .text:focus").waitFor();
  await press(page, "Show the lanes as tokens");
  assert.equal(await focus(page), "Tokens");

  await press(page, "Retry message 1");
  assert.equal(await focus(page), "stop");
  await begun(page, 2);
  await tell(page, ["a", "b"]);
  assert.equal(await focus(page), "prompt");
  await press(page, "Edit message 1");
  await page.locator(".editing textarea:focus").waitFor();
  await page.locator(".editing").getByRole("button", { name: "Run" }).focus();
  await page.keyboard.press("Enter");
  assert.equal(await focus(page), "stop");
  await begun(page, 3);
  await tell(page, ["a", "b"]);

  await page.locator("#choose-files").setInputFiles([file("a.txt", "a"), file("b.txt", "b")]);
  await page.locator("#files li").nth(1).waitFor();
  await press(page, "Remove a.txt");
  assert.equal(await focus(page), "Remove b.txt");
  await page.keyboard.press("Enter");
  assert.equal(await focus(page), "attach");
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("Enter and Esc are an input method's while it composes", async () => {
  const page = await openPage(browser, server.base, { told: true });
  await set(page, { n: 1 });
  await ask(page, "Go.");
  await begin(page, 1);
  await say(page, token(0, 0, "a"));
  const down = (place, key, isComposing) => page.locator(place).evaluate(async (node, keys) => {
    node.dispatchEvent(new KeyboardEvent("keydown", { ...keys, bubbles: true, cancelable: true }));
    await new Promise(requestAnimationFrame);
  }, { key, isComposing });
  await down("#prompt", "Escape", true);
  assert.ok(await page.locator("#run").isDisabled(), "the lanes still write");
  await page.getByRole("button", { name: "Push text into Lane 1" }).click();
  await down("#ask-text", "Enter", true);
  assert.ok(await page.locator("#ask").isVisible());
  await down("#ask-text", "Enter", false);
  await page.locator("#ask").waitFor({ state: "hidden" });
  await down("#prompt", "Escape", false);
  await finished(page);
  await page.getByRole("button", { name: "Edit message 1" }).click();
  await down(".editing textarea", "Escape", true);
  assert.ok(await page.locator(".editing").isVisible());
  await down(".editing textarea", "Escape", false);
  await page.locator(".editing").waitFor({ state: "detached" });
  await page.context().close();
});

test("what has happened is told to those who do not see it", async () => {
  const page = await openPage(browser, server.base, { told: true });
  await ask(page, "Go.");
  await tell(page, ["a", "b", "c", "d"], { votes, selected: 2 });
  await page.locator("#announcer", { hasText: "The lanes have finished. lane 3 selected by vote, 100 %" }).waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Use the answer of Lane 1" }).click();
  await page.locator("#announcer", { hasText: "goes on with the answer of lane 1" }).waitFor({ state: "attached" });
  await page.context().close();
});
