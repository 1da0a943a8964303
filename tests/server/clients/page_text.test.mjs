// SPDX-License-Identifier: Apache-2.0
// What lanes write, set as Markdown, mathematics and code: right, harmless whatever it is, and smoothly while it comes.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask, begin, bodies, channels, launch, openPage, say, set, tell, token } from "./page_browser.mjs";
import { startServer } from "./server.mjs";

let browser;
let server;
before(async () => {
  server = await startServer();
  browser = await launch();
});
after(() => browser?.close());

async function openTold(lanes, props) {
  const page = await openPage(browser, server.base, { told: true, props });
  await set(page, { n: lanes });
  await ask(page, "Say it.");
  return page;
}
const lane = (page, index = 0) => page.locator(".lane .text").nth(index);

test("Markdown, mathematics and code are set", async () => {
  const page = await openTold(1);
  await tell(page, ["# A title\n\nSome *words* and `x`.\nAnother line.\n\n- one\n- two\n\n7. seven\n\n| a | b |\n|--:|---|\n| 1 | 2 |\n\n" +
    "```python\nreturn 'x'  # why\n```\n\nInline \\(a^2\\), $b_1$ and $$c$$ and\n\n\\[\n\\frac{1}{2}\n- 3\n\\]\n\nso \\boxed{708}."]);
  for (const [what, count] of [[".rank-1", 1], ["em", 1], ["p code", 1], ["br", 1], ["ul li", 2], ["ol[start='7'] li", 1], ["td", 2], ["th.right", 1], [".hljs-keyword", 1],
    [".hljs-comment", 1], [".katex", 5], [".katex-display", 2], [".mfrac", 1]]) {
    assert.equal(await lane(page).locator(what).count(), count, what);
  }
  // The library's styles and fonts are there: a fraction's line, and letters in KaTeX's own face.
  const face = await page.locator(".mord.mathnormal").first().evaluate((node) => getComputedStyle(node).fontFamily);
  assert.match(face, /KaTeX_Math/);
  assert.ok(await page.evaluate(async () => (await document.fonts.ready) && document.fonts.check("16px KaTeX_Math")));
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("each paragraph runs by its own letters, code and formulas from the left", async () => {
  const page = await openTold(1);
  await page.locator("#prompt").fill("שלום");
  assert.equal(await page.locator("#prompt").evaluate((node) => getComputedStyle(node).direction), "rtl");
  await tell(page, ["שלום\n\nHello\n\n- אחד\n\n| א | b |\n|---|--:|\n| ג | d |\n\n```\nlet a;\n```\n\n\\[\nx\n\\]"]);
  const styles = (what) => lane(page).locator(what).evaluateAll((nodes) => nodes.map((node) => {
    const { unicodeBidi, textAlign } = getComputedStyle(node);
    return `${unicodeBidi}, ${textAlign}`;
  }));
  assert.deepEqual(await styles("p, li, th, td"), [...Array(4).fill("plaintext, start"), "plaintext, right", "plaintext, start", "plaintext, right"]);
  assert.deepEqual(await lane(page).locator("pre, .math").evaluateAll((nodes) => nodes.map(({ dir }) => dir)), ["ltr", "ltr"]);
  await page.context().close();
});

test("sums of money and what is no formula stay as they are", async () => {
  const page = await openTold(2);
  await tell(page, ["It costs $5 and then $10, or 2 $. \\$x\\$", "Wrong: $\\frac{1$ and <lane2> & <b>not bold</b>."]);
  assert.equal(await lane(page, 0).locator(".katex").count(), 0);
  assert.equal(await lane(page, 0).innerText(), "It costs $5 and then $10, or 2 $. $x$");
  assert.match(await lane(page, 1).innerText(), /^Wrong: .*\\frac\{1.* and <lane2> & <b>not bold<\/b>\.$/);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("nothing that a model writes runs, or makes the browser ask anybody", async () => {
  const page = await openTold(1);
  const hostile = ["<script>globalThis.ran = 1</script>", "<img src=x onerror='globalThis.ran = 2'>", "[a](javascript:globalThis.ran=3)",
    "[b](data:text/html,<script>globalThis.ran=4</script>)", "![c](https://example.invalid/c.png)", "<svg onload='globalThis.ran = 5'></svg>",
    "$\\href{javascript:globalThis.ran=6}{x}$", "$\\includegraphics{https://example.invalid/d.png}$", "$\\htmlStyle{background:url(https://example.invalid/e)}{x}$",
    "$\\def\\a{\\a\\a}\\a$", "```html\n<img src=x onerror='globalThis.ran = 7'>\n```", "```\" onclick=\"globalThis.ran=8\n.\n```", "<iframe src='https://example.invalid'></iframe>",
    "[d](https://example.invalid/f \"onmouseover=globalThis.ran=9\")", "<style>body { display: none }</style>", "<form action='https://example.invalid'><button>go</button></form>",
    "<https://example.invalid/\" onclick=\"globalThis.ran=10>", "| a |\n|---|\n| <img src=x onerror=globalThis.ran=11> |"];
  await tell(page, [hostile.join("\n\n")]);
  for (const link of await lane(page).locator("a").all()) {
    assert.match(await link.getAttribute("href"), /^https:\/\/example\.invalid\//);
    assert.equal(await link.getAttribute("rel"), "noopener noreferrer nofollow");
  }
  for (const button of await lane(page).locator("code, pre, p, td, li").all()) await button.dispatchEvent("click");
  assert.equal(await lane(page).locator("script, img, svg[onload], iframe, style, form, [onclick], [onerror], [onload], [onmouseover]").count(), 0);
  assert.equal(await page.evaluate(() => globalThis.ran), undefined);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("the page's policy forbids what would be needed to run something", async () => {
  const { headers } = await fetch(server.base);
  const policy = Object.fromEntries(headers.get("content-security-policy").split("; ").map((line) => line.split(/ (.*)/)));
  assert.equal(policy["default-src"], "'none'");
  assert.equal(policy["script-src"], "'self'");
  assert.equal(policy["style-src"], "'self'");
  assert.equal(policy["require-trusted-types-for"], "'script'");
  const page = await openPage(browser, server.base);
  await assert.rejects(page.evaluate(() => (document.body.innerHTML = "<p>")), /TrustedHTML/);
  await page.context().close();
});

test("files of the page are asked for again only when they have changed", async () => {
  for (const path of ["/", "/assets/page.js", "/assets/libraries/katex.min.js"]) {
    const first = await fetch(server.base + path);
    const again = await fetch(server.base + path, { headers: { "If-None-Match": first.headers.get("etag") } });
    assert.deepEqual([first.status, again.status, await again.text()], [200, 304, ""]);
    const other = await fetch(server.base + path, { headers: { "If-None-Match": '"another"' } });
    assert.equal((await other.text()).length, (await first.text()).length);
  }
});

test("a text that comes piece by piece becomes the same as one that comes at once", async () => {
  const text = "First $x^2$ and\n\n\\[\ny\n- 1\n\\]\n\n1. one\n2. two\n\n   more\n\n```js\nlet a = 1;\n```\n\n<think>not at the beginning</think>\n\n> so\n\nend **bold**";
  const page = await openTold(2);
  await begin(page, 2);
  await say(page, token(0, 0, text));
  for (let at = 0; at < text.length; at += 3) {
    await say(page, token(1, at, text.slice(at, at + 3)));
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  await page.waitForFunction(() => document.querySelectorAll(".lane strong").length === 2);
  const html = (index) => lane(page, index).evaluate((node) => node.innerHTML);
  assert.equal(await html(1), await html(0));
  await page.context().close();
});

test("boxes are found in a text that comes piece by piece", async () => {
  const page = await openPage(browser, server.base);
  const answers = (pieces, finish) => page.evaluate(async ([list, how]) => {
    const { earlyAnswer } = await import("/assets/votes.js");
    const lane = { text: "", finish: null };
    return list.map((piece, at) => {
      lane.text += piece;
      if (at === list.length - 1) lane.finish = how;
      return earlyAnswer(lane);
    });
  }, [pieces, finish]);
  assert.deepEqual(await answers(["so \\bo", "xed{1", "2}", " or \\boxed{3}", "."], null), [null, null, "12", "3", "3"]);
  assert.deepEqual(await answers(["\\boxed{\\frac", "{1}{2}}", "\\boxed{", "\\boxed{ 4 }"], null), [null, null, null, "4"]);
  assert.deepEqual(await answers(["7 or \\boxed{", "1,234"], "end"), [null, "1234"]);
  assert.deepEqual(await answers(["None", "."], "end"), [null, null]);
  await page.context().close();
});

test("long code is coloured when it has ended", async () => {
  const page = await openTold(1);
  const code = "```js\n" + "let a = 1;\n".repeat(400);
  await begin(page, 1);
  await say(page, token(0, 0, code));
  await page.locator(".lane code").waitFor();
  assert.equal(await page.locator(".hljs-keyword").count(), 0, "while it grows it would be coloured anew each time");
  await say(page, token(0, 1, "```\n\nSo."));
  await page.locator(".hljs-keyword").nth(399).waitFor();
  await page.context().close();
});

test("of a list that grows the items before the last stay", async () => {
  const page = await openTold(1);
  await begin(page, 1);
  await say(page, token(0, 0, "1. one $a$\n2. two"));
  await page.locator(".lane li").nth(1).waitFor();
  await page.evaluate(() => (document.querySelector(".lane li .katex").mine = true));
  await say(page, token(0, 1, " and\n3. three"));
  await page.locator(".lane li", { hasText: "three" }).waitFor();
  assert.ok(await page.evaluate(() => document.querySelector(".lane li .katex").mine));
  assert.equal(await page.locator(".lane ol").count(), 1);
  assert.match(await page.locator(".lane li").nth(1).innerText(), /two and/);
  await page.context().close();
});

test("thinking is folded away when the answer begins", async () => {
  const page = await openTold(1);
  await begin(page, 1);
  await say(page, token(0, 0, "<think>\nLet me see: 2 + 2"));
  await page.locator(".thinking[open] .thought", { hasText: "Let me see" }).waitFor();
  await say(page, token(0, 1, "\n</think>\n\nIt is **4**."));
  await page.locator(".thinking:not([open])").waitFor();
  assert.equal(await lane(page).locator(".rich").innerText(), "It is 4.");
  await page.context().close();
});

test("what was thought stays as it is laid out while more follows", async () => {
  const page = await openTold(1);
  await begin(page, 1);
  await say(page, token(0, 0, "<think>\nLet me see"));
  await page.locator(".thought", { hasText: "Let me see" }).waitFor();
  await page.evaluate(() => (document.querySelector(".thought").firstChild.mine = true));
  await say(page, token(0, 1, " and see"));
  await page.locator(".thought", { hasText: "Let me see and see" }).waitFor();
  assert.ok(await page.evaluate(() => document.querySelector(".thought").firstChild.mine));
  await page.context().close();
});

test("thinking between marks of the model's own is told from the answer, and no mark is ever seen", async () => {
  const page = await openTold(1, { thinking: channels });
  await begin(page, 1);
  const pieces = ["<|channel|>", "analysis", "<|message|>", "Hm: 2 + 2", "<|end|>", "<|start|>", "assistant", "<|channel|>", "final", "<|message|>", "It is ", "**4**."];
  for (const [step, piece] of pieces.entries()) {
    await say(page, token(0, step, piece));
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    assert.doesNotMatch(await lane(page).evaluate((node) => node.textContent), /<\||analysis|assistant|final/, piece);
  }
  await page.locator(".thinking:not([open])").waitFor();
  assert.equal(await page.locator(".thought").evaluate((node) => node.textContent), "Hm: 2 + 2");
  await page.locator(".rich strong").waitFor();
  assert.equal(await lane(page).locator(".rich").innerText(), "It is 4.");
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("what was thought between marks of the model's own is not said again", async () => {
  const { begin: opens, end: closes, message, answer } = channels;
  const page = await openPage(browser, server.base, { told: true, props: { thinking: channels } });
  await set(page, { n: 1 });
  const turns = [["One?", `${opens}Let me see.${closes}${message}${opens}1?${closes}${message}${answer}1.`],
    ["Two?", `${opens}Cut off while it th`], ["Three?", `${answer}3.`], ["Four?", "4."]];
  for (const [at, [prompt, text]] of turns.entries()) {
    await ask(page, prompt);
    await page.waitForFunction((count) => globalThis.bodies.length > count, at);
    await tell(page, [text]);
  }
  assert.deepEqual((await bodies(page)).at(-1).messages.map(({ role, content }) => `${role}: ${content}`),
    ["user: One?", "assistant: 1.", "user: Three?", "assistant: 3.", "user: Four?"]);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("the server names the marks of its model's thinking", async () => {
  const marks = async ({ base }) => (await (await fetch(`${base}/props`)).json()).thinking;
  assert.deepEqual(await marks(server), { begin: "", end: "", message: "", answer: "" });
  const folder = await mkdtemp(join(tmpdir(), "lanerope-"));
  const template = join(folder, "channels.jinja");
  await writeFile(template, "{% for message in messages %}{{ message.content }}{% endfor %}{# <|channel|>analysis #}");
  const other = await startServer(["--chat-template", template]);
  assert.deepEqual(await marks(other), channels);
  await other.stop();
  await rm(folder, { recursive: true });
});

test("what families of models mark as thinking", async () => {
  const page = await openPage(browser, server.base);
  const split = (text, marks) => page.evaluate(async ([said, given]) => (await import("/assets/thinking.js")).splitThinking(said, given), [text, marks]);
  const gemma = { begin: "<|channel>thought\n", end: "<channel|>", message: "", answer: "" };
  for (const [text, marks, thought, answer, thinking] of [
    ["<think>\na\n</think>\n\nb", null, "a", "b", false], ["a</think>b", null, "a", "b", false], ["[THINK]a[/THINK]b", null, "a", "b", false],
    ["<seed:think>a", null, "a", "", true], ["b", null, "", "b", false], ["<|channel>thought\na<channel|>b", gemma, "a", "b", false],
    ["b", gemma, "", "b", false], ["<|channel|>final<|message|>b<|end|>", channels, "", "b", false],
    ["<|channel|>analysis<|message|>a<|end|><|start|>assistant", channels, "a", "", true]]) {
    assert.deepEqual(await split(text, marks), { thought, answer, thinking }, text);
  }
  await page.context().close();
});

test("only the lane that wrote is drawn again, and of it only its last block, at most once a frame", async () => {
  const page = await openTold(3);
  await begin(page, 3);
  await say(page, token(0, 0, "settled $a$\n\nopen"), token(1, 0, "quiet *lane*\n\nopen"), token(2, 0, "x"));
  await page.locator(".lane .block").nth(4).waitFor();
  await page.evaluate(() => {
    globalThis.changes = { 0: 0, 1: 0, 2: 0, settled: 0, frames: 0 };
    const texts = [...document.querySelectorAll(".lane .text")];
    new MutationObserver((list) => {
      const lanes = new Set(list.map(({ target }) => texts.findIndex((text) => text.contains(target))));
      for (const one of lanes) globalThis.changes[one] += 1;
      const settled = document.querySelector(".lane .block");
      if (list.some(({ target, removedNodes }) => settled.contains(target) || [...removedNodes].includes(settled))) globalThis.changes.settled += 1;
    }).observe(document.querySelector(".lanes"), { childList: true, characterData: true, subtree: true });
    const count = () => {
      globalThis.changes.frames += 1;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    for (let step = 1; step <= 400; ++step) globalThis.say({ kind: "token", lane: 0, step, forced: false, text: ` word${step}` });
  });
  await page.locator(".lane .text", { hasText: "word400" }).waitFor();
  const changes = await page.evaluate(() => globalThis.changes);
  assert.equal(changes[1] + changes[2], 0, "the other lanes");
  assert.equal(changes.settled, 0, "what is settled");
  assert.ok(changes[0] >= 1 && changes[0] <= changes.frames + 1, JSON.stringify(changes));
  await page.context().close();
});

test("the same text token by token, and back", async () => {
  const page = await openTold(2);
  await tell(page, ["*a* $x$", "b"]);
  await page.getByRole("button", { name: "Tokens", exact: true }).click();
  assert.equal(await lane(page).innerText(), "*a* $x$");
  assert.equal(await page.locator(".token").count(), 2);
  await page.getByRole("button", { name: "Text", exact: true }).click();
  assert.equal(await lane(page).locator("em").count(), 1);
  await page.context().close();
});
