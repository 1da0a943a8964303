// SPDX-License-Identifier: Apache-2.0
// The page in a real Chromium, for the tests of it; and a group whose events a test says itself, so that lanes write what it wants.

import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

export const pictures = process.env.LANEROPE_SCREENSHOTS ?? "build/screenshots";

export async function launch() {
  mkdirSync(pictures, { recursive: true });
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--no-proxy-server"] });
}

// options: Playwright's, `told` and `blocked` (below), and `props`, which are put over what the server says of itself.
// page.problems: errors, everything that the page's policy kept from happening, and requests to anybody but the server.
export async function openPage(browser, base, options = {}, fragment = "") {
  const { told, blocked, props, ...others } = options;
  const context = await browser.newContext({ viewport: { width: 1360, height: 950 }, ...others });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|TrustedHTML/.test(message.text())) page.problems.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith("blob:") && new URL(request.url()).origin !== base) page.problems.push(`asked ${request.url()}`);
  });
  if (told) await page.addInitScript(tellGroups);
  if (blocked) await page.addInitScript(blockStorage);
  if (props) await page.route("**/props", async (route) => route.fulfill({ json: { ...(await (await route.fetch()).json()), ...props } }));
  await page.goto(`${base}/${fragment}`);
  await page.locator("#run:not([disabled])").waitFor();
  return page;
}

export async function set(page, settings) {
  const closed = await page.locator("#settings").isHidden();
  if (closed) await page.locator("#settings-toggle").click();
  for (const [name, value] of Object.entries(settings)) {
    const field = page.locator(`[name=${name}]`);
    if (["coupling", "init", "select"].includes(name)) await field.selectOption(value);
    else await field.fill(String(value));
  }
  if (closed) await page.locator("#settings-toggle").click();
}

export async function ask(page, prompt) {
  await page.locator("#prompt").fill(prompt);
  await page.locator("#run").click();
}

// The page draws at most once a frame: the frame behind the end has all of it.
export async function finished(page) {
  await page.locator("#run:not([disabled])").waitFor({ timeout: 60000 });
  await page.evaluate(() => new Promise(requestAnimationFrame));
}
export const written = (page, lane) => page.locator(".lane").nth(lane).locator(".token").count();

// In the page, before its own scripts: groups are not started; `bodies` has what was asked, `say` is one event of the newest group.
function tellGroups() {
  const ask = globalThis.fetch;
  globalThis.bodies = [];
  globalThis.fetch = (path, options = {}) => {
    if (!String(path).startsWith("/v1/groups")) return ask(path, options);
    if (path !== "/v1/groups") return Promise.resolve(new Response("{}", { status: options.method === "GET" ? 404 : 200 }));
    globalThis.bodies.push(JSON.parse(options.body));
    const stream = new ReadableStream({
      start: (controller) => {
        options.signal.addEventListener("abort", () => controller.error(new DOMException("stopped", "AbortError")));
        globalThis.say = (event) => controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`));
      },
    });
    return Promise.resolve(new Response(stream));
  };
}

// In the page: as a browser that keeps nothing of a site.
function blockStorage() {
  for (const name of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(globalThis, name, {
      get() {
        throw new DOMException("site data is blocked", "SecurityError");
      },
    });
  }
}

export const say = (page, ...events) => page.evaluate((list) => list.forEach((event) => globalThis.say(event)), events);
export const bodies = (page) => page.evaluate(() => globalThis.bodies);

// The beginning of a group whose lanes are told.
export async function begin(page, lanes, budget = 1000) {
  await page.waitForFunction(() => globalThis.say);
  await say(page, { kind: "group_created", id: "g1", budget, prompt_tokens: 3, tag: "", seed: 5 }, { kind: "prompt_read", step: 0 },
    ...Array.from({ length: lanes }, (_, lane) => ({ kind: "lane_started", lane, step: 0, text: "" })));
}

// How gpt-oss marks its thinking, as /props says it.
export const channels = {
  begin: "<|channel|>analysis<|message|>", end: "<|end|>", message: "<|start|>assistant", answer: "<|channel|>final<|message|>",
};

export const token = (lane, step, text) => ({ kind: "token", lane, step, token: 1, forced: false, text });

// The events of its end: of each lane {answer, from}, by the server's word.
export const ending = (lanes, { votes = [], selected = 0 } = {}) => [
  ...lanes.map((_, lane) => ({ kind: "lane_finished", lane, step: 9, text: "", finish: "end" })), {
    kind: "group_finished", step: 9, finish: "end", prompt_tokens: 3, lanes: {
      selected, confidence: 1, confidence_kind: "vote_share", select: "vote", votes, consensus: false, seed: 5, prompt_ms: 1, predicted_ms: 1000,
      lanes: lanes.map(({ answer = null, from = null } = {}, index) => ({
        index, finish: "end", answer, answer_from: from, generated: 1, used: 1, budget: 9, start_step: 0,
      })),
    },
  }];

export async function end(page, lanes, outcome) {
  await say(page, ...ending(lanes, outcome));
  await finished(page);
}

// One answer of several lanes, from beginning to end.
export async function tell(page, texts, outcome = {}) {
  await begin(page, texts.length);
  await say(page, ...texts.map((text, lane) => token(lane, 0, text)));
  await end(page, texts.map((_, lane) => ({ answer: outcome.answers?.[lane] ?? null, from: outcome.answers ? "box" : null })), outcome);
}

// A message of a conversation, and what its lanes are told to answer.
export async function turn(page, prompt, texts, outcome) {
  const before = (await bodies(page)).length;
  await ask(page, prompt);
  await page.waitForFunction((count) => globalThis.bodies.length > count, before);
  await tell(page, texts, outcome);
}

export const user = (content) => ({ role: "user", content });
export const assistant = (content) => ({ role: "assistant", content });
export const lastMessages = async (page) => (await bodies(page)).at(-1).messages;
export const file = (name, content) => ({ name, mimeType: "text/plain", buffer: Buffer.from(content) });
