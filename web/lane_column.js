// SPDX-License-Identifier: Apache-2.0
// A lane as a column: its head, and what it wrote, either set as text or token by token, each an element that knows its step.

import { copyText, element, losesFocus } from "./dom.js";
import { RichText } from "./rich_text.js";

// Where an answer was found in the text.
const places = {
  box: "in a box",
  mark: "behind its mark",
  frame: "in a sentence that names it",
  last_expression: "the last expression",
  format: "all of the text",
  call: "what it calls",
};

const patience = 6;  // a text that took a millisecond to set and to lay out is left alone for so many

export class LaneColumn {
  // actions: push(lane), retire(lane), choose(lane).
  constructor(lane, { view, actions }) {
    this.lane = lane;
    this.view = view;
    this.build(actions);
    this.setView(view);
  }

  build(actions) {
    const { lane } = this;
    const button = (text, label, act) => {
      const made = element("button", { type: "button", class: "plain", "aria-label": `${label} ${lane.name}` }, text);
      made.addEventListener("click", act);
      return made;
    };
    this.state = element("span", { class: "state" });
    this.tag = element("span", { class: "tag", title: "What this lane is fed first" });
    this.live = element("span", { class: "actions" },
      button("push", "Push text into", () => actions.push(lane)), button("retire", "Retire", () => actions.retire(lane)));
    this.choose = button("use", "Use the answer of", () => actions.choose(lane));
    this.choose.title = "The conversation goes on with this lane's answer";
    this.copy = button("copy", "Copy the text of", async () => {
      this.copy.textContent = (await copyText(lane.text)) ? "copied" : "not copied";
      setTimeout(() => (this.copy.textContent = "copy"), 1500);
    });
    this.done = element("span", { class: "actions", hidden: "" }, this.copy, this.choose);
    this.bar = element("i");
    this.origin = element("p", { class: "origin", tabindex: "0", role: "group", "aria-label": `What happened to ${lane.name.toLowerCase()}`, hidden: "" });
    this.told = 0;  // of its acts
    this.answer = element("p", { class: "answer" });
    this.text = element("div", { class: "text", tabindex: "0", role: "group", "aria-label": `Text of ${lane.name.toLowerCase()}` });
    this.element = element("article", { class: "lane", "aria-label": lane.name },
      element("header", {},
        element("div", { class: "line" }, element("h4", {}, lane.name), this.tag, this.live, this.done, this.state),
        element("div", { class: "bar", title: "Budget used" }, this.bar), this.origin, this.answer),
      this.text);
    this.element.style.setProperty("--lane-colour", lane.colour);
    this.element.dataset.lane = lane.index;
  }

  setView(view) {
    this.view = view;
    this.tokens = new Map();  // step -> element
    this.drawn = 0;
    this.drawnEnd = false;
    this.moved = this.lane.moves.length;
    this.rest = 0;
    this.text.replaceChildren();
    this.text.classList.toggle("set", view === "text");
    this.rich = view === "text" ? new RichText(this.text, 5, this.lane.marks) : null;
    this.draw();
  }

  // Stays at the end of the text unless the reader has scrolled up. To ask where the end is makes the browser lay the text out,
  // which takes longer than all else where it is long: it counts as drawing, and happens before the column rests.
  draw() {
    const began = performance.now();
    const ended = this.lane.finish !== null;
    if (this.rich && !ended && began < this.rest) return this.drawLater();
    const atEnd = this.text.scrollTop + this.text.clientHeight >= this.text.scrollHeight - 24;
    this.drawHead();
    this.moveTokens();
    if (this.drawn < this.lane.pieces.length || ended !== this.drawnEnd) this.drawText(ended);
    const end = this.text.scrollHeight;
    if (atEnd) this.text.scrollTop = end;
    this.rest = began + patience * (performance.now() - began);
    return undefined;
  }

  drawText(ended) {
    if (this.rich) this.rich.update(this.lane.text, !ended);
    else this.appendTokens();
    this.drawn = this.lane.pieces.length;
    this.drawnEnd = ended;
  }

  drawLater() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.element.isConnected && this.draw(), this.rest - performance.now());
  }

  // What a sleep held back stands at another step now.
  moveTokens() {
    for (const { from, to } of this.lane.moves.slice(this.moved)) {
      const token = this.tokens.get(from);
      if (!token) continue;
      token.dataset.step = to;
      this.tokens.delete(from);
      this.tokens.set(to, token);
    }
    this.moved = this.lane.moves.length;
  }

  drawHead() {
    const { lane } = this;
    const focused = this.element.contains(document.activeElement) ? document.activeElement : null;
    this.state.textContent = lane.chosen && !lane.selected ? "in use" : lane.stateName();
    this.bar.style.transform = `scaleX(${lane.spent()})`;
    this.tag.textContent = lane.tag;
    this.drawOrigin();
    this.live.hidden = lane.finish !== null;
    this.done.hidden = lane.finish === null;
    this.choose.setAttribute("aria-pressed", String(lane.chosen));
    this.choose.hidden = lane.chosen || lane.text === "";
    if (losesFocus(focused)) this.text.focus({ preventScroll: true });
    this.element.classList.toggle("ended", lane.finish !== null);
    this.element.classList.toggle("selected", lane.selected);
    this.element.classList.toggle("chosen", lane.chosen);
    this.answer.hidden = !lane.verdict;
    if (!lane.verdict) return;
    const { answer, answer_from: from } = lane.verdict;
    this.answer.textContent = answer === null ? "no answer could be read" : `answer ${answer}`;
    if (from) this.answer.append(element("span", { class: "quiet" }, ` ${places[from] ?? from}`));
  }

  // Only when there is more, so that what is read or selected stays; the newest is in view.
  drawOrigin() {
    const { origin, acts } = this.lane;
    if (this.told === acts.length && this.from === origin) return;
    this.told = acts.length;
    this.from = origin;
    const join = (clauses) => [origin, ...clauses].filter(Boolean).join("; ");
    const [text, whole] = [join(acts.map((act) => act.text)), join(acts.map((act) => act.whole))];
    this.origin.textContent = text;
    this.origin.title = whole === text ? "" : whole;
    this.origin.hidden = text === "";
    this.origin.scrollTop = this.origin.scrollHeight;
  }

  appendTokens() {
    const made = this.lane.pieces.slice(this.drawn).map(({ text, step, forced }) => {
      if (step === undefined) return element("span", { class: "inherited" }, text);
      const token = element("span", { class: forced ? "token forced" : "token" }, text);
      token.dataset.step = step;
      const share = this.lane.lit.get(step);
      if (share) token.style.setProperty("--w", share.toFixed(3));
      if (step === this.lane.current) token.classList.add("current");
      this.tokens.set(step, token);
      return token;
    });
    this.text.append(...made);
  }

  // How bright each token is, and which one is pointed at, as the lane says.
  drawLight() {
    const { lane } = this;
    this.tag.style.setProperty("--w", lane.tagLight.toFixed(3));
    for (const [step, token] of this.tokens) {
      const share = lane.lit.get(step);
      if (share) token.style.setProperty("--w", share.toFixed(3));
      else if (token.style.length > 0) token.style.removeProperty("--w");
      token.classList.toggle("current", step === lane.current);
    }
  }

  scrollTo(step) {
    const token = this.tokens.get(step);
    if (token) this.text.scrollTop = token.offsetTop - this.text.offsetTop - this.text.clientHeight / 2;
  }
}
