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

function coloured(code, language) {
  if (code.length > longest || !highlighter.getLanguage(language)) return "";
  return highlighter.highlight(code, { language, ignoreIllegals: true }).value;
}

const markdown = new MarkdownIt({ html: false, linkify: false, breaks: true, highlight: coloured, maxNesting: 40 });
addMath(markdown);

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
  const { escapeHtml } = markdown.utils;
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

function made(tokens, environment) {
  const fragment = DOMPurify.sanitize(markdown.renderer.render(tokens, markdown.options, environment), clean);
  for (const link of fragment.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
  }
  for (const table of fragment.querySelectorAll("table")) {
    const box = element("div", { class: "table", tabindex: "0", role: "group", "aria-label": "Table" });
    table.replaceWith(box);
    box.append(table);
  }
  fragment.querySelectorAll(".math").forEach(typeset);
  fragment.querySelectorAll("pre").forEach(withCopy);
  return fragment;
}

// The blocks of a text, in order: the line that each begins in, and what makes its elements. `heading`: the level of its titles.
export function blocksOf(text, heading) {
  const environment = { heading };
  const blocks = [];
  let open = [];
  for (const token of markdown.parse(text, environment)) {
    open.push(token);
    if (token.level > 0 || token.nesting > 0) continue;
    const tokens = open;
    blocks.push({ line: tokens[0].map[0], make: () => made(tokens, environment) });
    open = [];
  }
  return blocks;
}
