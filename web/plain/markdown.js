// SPDX-License-Identifier: Apache-2.0
// In the place of web/markdown.js where the server was built without the page's libraries: paragraphs, as they were written.

import { element } from "./dom.js";

export const elementsOf = (text) => element("p", { class: "as-is" }, text);

export function blocksOf(text) {
  const blocks = [];
  text.split("\n").forEach((line, at, all) => {
    if (at === 0 || (line !== "" && all[at - 1] === "")) blocks.push({ line: at, lines: [] });
    blocks.at(-1).lines.push(line);
  });
  return blocks.map(({ line, lines }) => ({ line, frame: "", parts: [lines.join("\n").trimEnd()] }));
}
