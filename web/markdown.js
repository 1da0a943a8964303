// SPDX-License-Identifier: Apache-2.0
// Markdown, mathematics and code into elements. What a model writes is never HTML: tags in it are shown as they are read, what
// markdown-it makes is stripped by DOMPurify of all but a list of elements, KaTeX builds its elements itself and trusts nothing,
// images become links, so that no text makes a browser ask anybody for anything. web/plain/markdown.js is this without libraries.

import "./libraries/katex.min.js";
import "./libraries/purify.min.js";
import highlighter from "./libraries/highlight.js";
import MarkdownIt from "./libraries/markdown-it.js";
import { copyText, element } from "./dom.js";
import { addMath } from "./markdown_math.js";

const { DOMPurify, katex } = globalThis;
document.head.append(element("link", { rel: "stylesheet", href: "/assets/libraries/katex.min.css" }));

const elements = ["p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "a", "ul", "ol", "li", "blockquote", "pre",
  "code", "span", "div", "table", "thead", "tbody", "tr", "th", "td"];
const clean = {
  ALLOWED_TAGS: elements,
  ALLOWED_ATTR: ["href", "title", "class", "start"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ADD_URI_SAFE_ATTR: ["start"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

const longest = 20000;  // characters of a piece of code that is coloured, and of a formula that is typeset
const longestGrowing = 3000;  // of code that still grows: it is coloured anew each time

const markdown = new MarkdownIt({ html: false, linkify: false, breaks: true, maxNesting: 40 });
const { escapeHtml } = markdown.utils;
addMath(markdown);

markdown.renderer.rules.fence = (tokens, at, options, { growing }) => {
  const code = tokens[at].content;
  const language = tokens[at].info.trim().split(/\s+/)[0];
  const known = code.length <= (growing ? longestGrowing : longest) && highlighter.getLanguage(language);
  const inside = known ? highlighter.highlight(code, { language, ignoreIllegals: true }).value : escapeHtml(code);
  return `<pre><code class="language-${escapeHtml(language)}">${inside}</code></pre>`;
};

// Without styles of their own, which the page's policy forbids: a column's side is a class.
for (const cell of ["th_open", "td_open"]) {
  markdown.renderer.rules[cell] = (tokens, at) => {
    const side = tokens[at].attrGet("style")?.match(/text-align:(\w+)/)?.[1];
    return `<${tokens[at].tag}${side ? ` class="${side}"` : ""}>`;
  };
}

// A title in a text stands below the page's own, whatever rank it has in the text.
markdown.renderer.rules.heading_open = (tokens, at, options, { heading }) => `<h${heading} class="rank-${tokens[at].tag[1]}">`;
markdown.renderer.rules.heading_close = (tokens, at, options, { heading }) => `</h${heading}>`;

// The address in words, and a way to it, instead of the image.
markdown.renderer.rules.image = (tokens, at) => {
  const source = tokens[at].attrGet("src");
  return `<a href="${escapeHtml(source)}">${escapeHtml(tokens[at].content || source)}</a>`;
};

function typeset(place) {
  const source = place.textContent;
  if (source.length > longest) return;
  try {
    katex.render(source, place, {
      displayMode: place.classList.contains("display"), throwOnError: true, trust: false, strict: "ignore", maxExpand: 300, maxSize: 30,
    });
  } catch {
    place.textContent = source;
    place.classList.add("source");
    place.title = "This formula cannot be typeset.";
  }
}

function withCopy(pre) {
  const code = pre.querySelector("code");
  const language = code?.className.match(/language-(\S+)/)?.[1] ?? "";
  const copy = element("button", { type: "button", class: "plain", "aria-label": "Copy this code" }, "copy");
  copy.addEventListener("click", async () => {
    copy.textContent = (await copyText(pre.textContent)) ? "copied" : "not copied";
    setTimeout(() => (copy.textContent = "copy"), 1500);
  });
  const box = element("div", { class: "code" }, element("div", { class: "code-head" }, element("span", {}, language), copy));
  pre.replaceWith(box);
  pre.tabIndex = 0;  // what is too wide is scrolled by keyboard too
  pre.setAttribute("role", "group");
  pre.setAttribute("aria-label", language ? `Code in ${language}` : "Code");
  box.append(pre);
}

// The elements of a part of a block.
export function elementsOf(html) {
  const fragment = DOMPurify.sanitize(html, clean);
  for (const link of fragment.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
  }
  for (const table of fragment.querySelectorAll("table")) {
    const box = element("div", { class: "table", tabindex: "0", role: "group", "aria-label": "Table" });
    table.replaceWith(box);
    box.append(table);
  }
  for (const source of fragment.querySelectorAll("pre, .math, .unfinished")) source.dir = "ltr";  // also where all around it is Arabic
  fragment.querySelectorAll(".math").forEach(typeset);
  fragment.querySelectorAll("pre").forEach(withCopy);
  return fragment;
}

// A list has a frame, and its items are parts of their own: the last one grows, and the others are left alone.
function blockOf(tokens, environment) {
  const render = (some) => markdown.renderer.render(some, markdown.options, environment);
  const block = { line: tokens[0].map[0], frame: "", parts: [] };
  if (!tokens[0].type.endsWith("_list_open")) return { ...block, parts: [render(tokens)] };
  block.frame = render([tokens[0], tokens.at(-1)]);
  for (let at = 1, from = 1; at < tokens.length - 1; ++at) {
    if (tokens[at].level > 1 || tokens[at].nesting >= 0) continue;
    block.parts.push(render(tokens.slice(from, at + 1)));
    from = at + 1;
  }
  return block;
}

// The blocks of a text, in order: the line that each begins in, and what it is made of. `heading`: the level of its titles;
// `growing`: whether more may follow.
export function blocksOf(text, { heading, growing }) {
  const blocks = [];
  let open = [];
  const tokens = markdown.parse(text, {});
  tokens.forEach((token, at) => {
    open.push(token);
    if (token.level > 0 || token.nesting > 0) return;
    blocks.push(blockOf(open, { heading, growing: growing && at === tokens.length - 1 }));
    open = [];
  });
  return blocks;
}
