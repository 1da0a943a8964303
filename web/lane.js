// SPDX-License-Identifier: Apache-2.0
// One lane: a column of tokens, each an element that knows its step.

import { element } from "./dom.js";

const endings = {
  end: "ended",
  stop: "stopped",
  length: "budget spent",
  retired: "retired",
  consensus: "consensus",
  cancelled: "cut off",
  failed: "failed",
};

// Where an answer was found in the text.
const places = {
  box: "in a box",
  mark: "behind its mark",
  frame: "in a sentence that names it",
  last_expression: "the last expression",
  format: "all of the text",
};

export function laneColour(index, count) {
  return `oklch(0.66 0.1 ${Math.round((index * 360) / Math.max(count, 6) + 205) % 360})`;
}

export class Lane {
  constructor(index, options) {
    this.index = index;
    this.budget = options.budget;
    this.tokens = new Map();  // step -> element
    this.tagSteps = new Set();
    this.used = 0;
    this.startStep = 0;
    this.generated = 0;
    this.plainText = "";
    this.finish = null;
    this.pending = [];
    this.build(options);
  }

  build({ tag, onAction, count }) {
    const name = `Lane ${this.index + 1}`;
    this.state = element("span", { class: "state" }, "waiting");
    this.tag = element("span", { class: "tag", title: "What this lane is fed first" }, tag);
    const push = element("button", { type: "button", class: "plain", "aria-label": `Push text into ${name}` }, "push");
    const retire = element("button", { type: "button", class: "plain", "aria-label": `Retire ${name}` }, "retire");
    push.addEventListener("click", () => onAction("push", this));
    retire.addEventListener("click", () => onAction("retire", this));
    this.buttons = element("span", { class: "actions" }, push, retire);
    this.bar = element("i");
    this.origin = element("p", { class: "origin", hidden: "" });
    this.answer = element("p", { class: "answer", hidden: "" });
    this.text = element("div", { class: "text", tabindex: "0", role: "document", "aria-label": `Text of ${name}` });
    this.element = element("article", { class: "lane", "aria-label": name },
      element("header", {},
        element("div", { class: "line" }, element("h3", {}, name), this.tag, this.buttons, this.state),
        element("div", { class: "bar", title: "Budget used" }, this.bar), this.origin, this.answer),
      this.text);
    this.element.style.setProperty("--lane-colour", laneColour(this.index, count));
  }

  // The last token that a lane writes is never read back, so nothing can be asked about it.
  lastFedStep() {
    return this.startStep + this.used - 2;
  }

  started(step, text) {
    this.startStep = step;
    this.state.textContent = "writing";
    if (text) {
      this.plainText += text;
      this.pending.push(element("span", { class: "inherited" }, text));
    }
  }

  comesFrom(parent, step) {
    this.origin.hidden = false;
    this.origin.textContent = `forked from lane ${parent + 1} at token ${step}`;
  }

  add(event) {
    this.used += 1;
    if (!event.forced) this.generated += 1;
    if (event.forced && this.generated === 0 && event.text === "") {
      this.tagSteps.add(event.step);
      return;
    }
    const token = element("span", { class: event.forced ? "token forced" : "token" }, event.text);
    token.dataset.step = event.step;
    this.tokens.set(event.step, token);
    this.plainText += event.text;
    this.pending.push(token);
  }

  end(event) {
    this.finish = event.finish;
    if (event.text) {
      this.plainText += event.text;
      this.pending.push(element("span", { class: "inherited" }, event.text));
    }
    this.state.textContent = endings[event.finish] ?? event.finish;
    this.buttons.hidden = true;
    this.element.classList.add("ended");
  }

  select() {
    this.element.classList.add("selected");
    this.state.textContent = "selected";
  }

  // What was read as its answer, as the server's reply says.
  judged({ answer, answer_from: from }) {
    this.answer.hidden = false;
    this.answer.textContent = answer === null ? "no answer could be read" : `answer ${answer}`;
    if (from) this.answer.append(element("span", { class: "quiet" }, ` ${places[from] ?? from}`));
  }

  // Puts what has come since the last frame on the page, and stays at the end unless the reader has scrolled up.
  draw() {
    this.bar.style.transform = `scaleX(${Math.min(this.used / this.budget, 1)})`;
    if (this.pending.length === 0) return;
    const atEnd = this.text.scrollTop + this.text.clientHeight >= this.text.scrollHeight - 24;
    this.text.append(...this.pending);
    this.pending = [];
    if (atEnd) this.text.scrollTop = this.text.scrollHeight;
  }

  scrollTo(step) {
    const token = this.tokens.get(step);
    if (!token) return;
    this.text.scrollTop = token.offsetTop - this.text.offsetTop - this.text.clientHeight / 2;
  }

  light(part, scale) {
    part.weights.forEach((weight, i) => {
      const step = part.first_step + i;
      const target = this.tagSteps.has(step) ? this.tag : this.tokens.get(step);
      if (!target) return;
      const share = Math.min(weight * scale, 1);
      const before = Number(target.style.getPropertyValue("--w") || 0);
      target.style.setProperty("--w", Math.max(before, share * 0.85).toFixed(3));
    });
  }

  unlight() {
    this.tag.style.removeProperty("--w");
    for (const token of this.tokens.values()) token.style.removeProperty("--w");
  }
}
