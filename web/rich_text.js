// SPDX-License-Identifier: Apache-2.0
// A text that grows, set as Markdown. A block behind which another has begun never changes again: it is left alone, and only what
// follows is read anew. Thinking is folded away.

import { element } from "./dom.js";
import { blocksOf } from "./markdown.js";
import { splitThinking } from "./thinking.js";

class GrowingBlocks {
  constructor(parent, heading) {
    this.parent = parent;
    this.heading = heading;
    this.settled = 0;  // characters before the last block that is in the page
    this.open = [];    // {source, node} of the blocks from there on
  }

  update(written) {
    const text = written.includes("\r") ? written.replace(/\r\n?/g, "\n") : written;
    if (text.length < this.settled) {
      this.parent.replaceChildren();
      this.settled = 0;
      this.open = [];
    }
    const tail = text.slice(this.settled);
    const starts = [0];
    for (let at = tail.indexOf("\n"); at >= 0; at = tail.indexOf("\n", at + 1)) starts.push(at + 1);
    const blocks = blocksOf(tail, this.heading);
    blocks.forEach((block, i) => {
      block.start = i === 0 ? 0 : starts[block.line];
      block.source = tail.slice(block.start, i + 1 < blocks.length ? starts[blocks[i + 1].line] : tail.length);
    });
    let same = 0;
    while (same < blocks.length && this.open[same]?.source === blocks[same].source) ++same;
    for (const { node } of this.open.splice(same)) node.remove();
    for (const { source, make } of blocks.slice(same)) {
      const node = element("div", { class: "block" }, make());
      this.parent.append(node);
      this.open.push({ source, node });
    }
    if (blocks.length > 1) {
      this.settled += blocks.at(-1).start;
      this.open = this.open.slice(-1);
    }
  }
}

export class RichText {
  // heading: the level of titles in the text, below those that it stands under.
  constructor(parent, heading) {
    this.parent = parent;
    this.body = element("div", { class: "rich" });
    this.blocks = new GrowingBlocks(this.body, heading);
    parent.append(this.body);
  }

  update(text) {
    const { thought, answer, thinking } = splitThinking(text);
    if (thought !== "") this.think(thought, thinking);
    if (this.had && !answer.startsWith(this.had)) this.blocks.update("");
    this.had = answer.slice(0, 64);
    this.blocks.update(answer);
  }

  think(thought, thinking) {
    if (!this.details) {
      this.summary = element("summary");
      this.thought = element("div", { class: "thought" });
      this.details = element("details", { class: "thinking" }, this.summary, this.thought);
      this.details.open = thinking;
      this.parent.prepend(this.details);
    }
    if (this.wasThinking && !thinking) this.details.open = false;
    this.wasThinking = thinking;
    this.summary.textContent = thinking ? "Thinking" : "What it thought";
    if (this.thought.textContent !== thought) this.thought.textContent = thought;
  }
}
