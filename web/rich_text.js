// SPDX-License-Identifier: Apache-2.0
// A text that grows, set as Markdown. A block behind which another has begun never changes again: it is left alone, and only what
// follows is read anew. Of that, only the parts that have changed are made anew. Thinking is folded away.

import { element } from "./dom.js";
import { blocksOf, elementsOf } from "./markdown.js";
import { splitThinking } from "./thinking.js";

// The elements of one block. Parts that have not changed stay.
class Block {
  constructor(frame) {
    this.frame = frame;
    this.node = element("div", { class: "block" }, ...(frame ? [elementsOf(frame)] : []));
    this.inside = frame ? this.node.firstElementChild : this.node;
    this.parts = [];  // {part, nodes}
  }

  update(parts) {
    let same = 0;
    while (same < parts.length && this.parts[same]?.part === parts[same]) ++same;
    for (const { nodes } of this.parts.splice(same)) nodes.forEach((node) => node.remove());
    for (const part of parts.slice(same)) {
      const made = elementsOf(part);
      const nodes = made instanceof DocumentFragment ? [...made.childNodes] : [made];
      this.inside.append(made);
      this.parts.push({ part, nodes });
    }
  }
}

class GrowingBlocks {
  constructor(parent, heading) {
    this.parent = parent;
    this.heading = heading;
    this.settled = 0;  // characters before the last block that is in the page
    this.open = [];    // the blocks from there on
  }

  update(written, growing) {
    const text = written.includes("\r") ? written.replace(/\r\n?/g, "\n") : written;
    if (text.length < this.settled) {
      this.parent.replaceChildren();
      this.settled = 0;
      this.open = [];
    }
    const tail = text.slice(this.settled);
    const blocks = blocksOf(tail, { heading: this.heading, growing });
    blocks.forEach(({ frame, parts }, at) => {
      if (this.open[at]?.frame !== frame) this.replace(at, frame);
      this.open[at].update(parts);
    });
    for (const { node } of this.open.splice(blocks.length)) node.remove();
    if (blocks.length < 2) return;
    const lines = tail.split("\n", blocks.at(-1).line);
    this.settled += lines.reduce((sum, line) => sum + line.length + 1, 0);
    this.open = this.open.slice(-1);
  }

  replace(at, frame) {
    for (const { node } of this.open.splice(at)) node.remove();
    const block = new Block(frame);
    this.open.push(block);
    this.parent.append(block.node);
  }
}

export class RichText {
  // heading: the level of titles in the text, below those that it stands under; marks: of the model's thinking.
  constructor(parent, heading, marks) {
    this.parent = parent;
    this.marks = marks;
    this.body = element("div", { class: "rich" });
    this.blocks = new GrowingBlocks(this.body, heading);
    parent.append(this.body);
  }

  // growing: whether more may follow.
  update(text, growing = false) {
    const { thought, answer, thinking } = splitThinking(text, this.marks, growing);
    if (thought !== "") this.think(thought, thinking);
    if (this.had && !answer.startsWith(this.had)) this.blocks.update("", growing);
    this.had = answer.slice(0, 64);
    this.blocks.update(answer, growing);
  }

  think(thought, thinking) {
    if (!this.details) {
      this.summary = element("summary");
      this.thought = element("div", { class: "thought", dir: "auto" });
      this.thoughtSoFar = "";
      this.details = element("details", { class: "thinking" }, this.summary, this.thought);
      this.details.open = thinking;
      this.parent.prepend(this.details);
    }
    if (this.wasThinking && !thinking) this.details.open = false;
    this.wasThinking = thinking;
    this.summary.textContent = thinking ? "Thinking" : "What it thought";
    if (thought === this.thoughtSoFar) return;
    // What is there stays as it is laid out, and what is new stands behind it.
    if (thought.startsWith(this.thoughtSoFar)) this.thought.append(thought.slice(this.thoughtSoFar.length));
    else this.thought.textContent = thought;
    this.thoughtSoFar = thought;
  }
}
