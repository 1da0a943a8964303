// SPDX-License-Identifier: Apache-2.0
// Formulas in Markdown, as models write them: \( \), \[ \], $ $, $$ $$, and \boxed{ } by itself. A sum of money is none: the sign
// that opens stands before something, the one that closes behind something and before no digit.

// From `from`, where `\boxed{` has just opened: the place behind the brace that closes it, or -1.
function behindBrace(text, from) {
  let depth = 1;
  for (let at = from; at < text.length; ++at) {
    if (text[at] === "\\") ++at;
    else if (text[at] === "{") ++depth;
    else if (text[at] === "}" && --depth === 0) return at + 1;
  }
  return -1;
}

// The sign itself, not one that is escaped.
function closing(text, sign, from) {
  for (let at = text.indexOf(sign, from); at >= 0; at = text.indexOf(sign, at + 1)) {
    let slashes = 0;
    while (text[at - 1 - slashes] === "\\") ++slashes;
    if (slashes % 2 === 0) return at;
  }
  return -1;
}

function dollars(text, at) {
  if (text.startsWith("$$", at)) {
    const end = closing(text, "$$", at + 2);
    return end > at + 2 ? { content: text.slice(at + 2, end), display: true, next: end + 2 } : null;
  }
  if (/\s|^$/.test(text[at + 1] ?? "")) return null;
  const end = closing(text, "$", at + 1);
  if (end < 0 || /\s/.test(text[end - 1]) || /\d/.test(text[end + 1] ?? "")) return null;
  return { content: text.slice(at + 1, end), display: false, next: end + 1 };
}

function bracketed(text, at) {
  if (text.startsWith("\\boxed{", at)) {
    const next = behindBrace(text, at + 7);
    return next < 0 ? null : { content: text.slice(at, next), display: false, next };
  }
  const sign = { "(": "\\)", "[": "\\]" }[text[at + 1]];
  const end = sign ? closing(text, sign, at + 2) : -1;
  return end < 0 ? null : { content: text.slice(at + 2, end), display: text[at + 1] === "[", next: end + 2 };
}

function inline(state, silent) {
  const sign = state.src[state.pos];
  if (sign !== "$" && sign !== "\\") return false;
  const found = sign === "$" ? dollars(state.src, state.pos) : bracketed(state.src, state.pos);
  if (!found || found.next > state.posMax || !found.content.trim()) return false;
  if (!silent) {
    const token = state.push("math", "span", 0);
    token.content = found.content.trim();
    token.meta = { display: found.display };
  }
  state.pos = found.next;
  return true;
}

// A formula of several lines, which lists and headings must not be seen in. Where the text ends before it does, its end may be
// still to come: it is shown as it is written.
function block(state, first, last, silent) {
  const lineOf = (line) => state.src.slice(state.bMarks[line] + state.tShift[line], state.eMarks[line]);
  const opening = lineOf(first).match(/^(\$\$|\\\[)/)?.[0];
  if (!opening || state.sCount[first] - state.blkIndent >= 4) return false;
  const sign = opening === "$$" ? "$$" : "\\]";
  const lines = [];
  let finished = false;
  let line = first;
  for (; line < last && !finished; ++line) {
    const text = line === first ? lineOf(line).slice(opening.length) : lineOf(line);
    if (line > first && text.trim() === "") return false;
    const end = closing(text, sign, 0);
    finished = end >= 0;
    if (finished && !/^\s*[.,;:]?\s*$/.test(text.slice(end + sign.length))) return false;
    lines.push(finished ? text.slice(0, end) + text.slice(end + sign.length) : text);
  }
  if (lines.join("").trim() === "" && finished) return false;
  if (silent) return true;
  const token = state.push(finished ? "math_block" : "math_open", "div", 0);
  token.content = finished ? lines.join("\n").trim() : `${opening}${lines.join("\n")}`;
  token.map = [first, line];
  state.line = line;
  return true;
}

export function addMath(markdown) {
  const { escapeHtml } = markdown.utils;
  markdown.inline.ruler.before("escape", "math", inline);
  markdown.block.ruler.before("fence", "math_block", block, { alt: ["paragraph", "reference", "blockquote", "list"] });
  markdown.renderer.rules.math = (tokens, at) =>
    `<span class="math${tokens[at].meta.display ? " display" : ""}">${escapeHtml(tokens[at].content)}</span>`;
  markdown.renderer.rules.math_block = (tokens, at) => `<div class="math display">${escapeHtml(tokens[at].content)}</div>`;
  markdown.renderer.rules.math_open = (tokens, at) => `<div class="unfinished">${escapeHtml(tokens[at].content)}</div>`;
}
