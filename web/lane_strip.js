// SPDX-License-Identifier: Apache-2.0
// All lanes at a glance: of each its number, how it stands, how much of its budget it has used, its answer, and how many give the
// same one. A cell leads to its lane. One stop of the Tab key; arrows go from cell to cell.

import { element } from "./dom.js";

const ranks = 6;  // answers that have a colour of their own

export class LaneStrip {
  constructor(jump) {
    this.jump = jump;
    this.cells = [];
    this.tally = new Map();
    this.element = element("div", { class: "strip", role: "toolbar", "aria-label": "All lanes" });
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  add(lane) {
    const fill = element("i");
    const told = element("span", { class: "offstage" });
    const number = element("b", { "aria-hidden": "true" }, lane.secondStage ? "Σ" : String(lane.index + 1));
    const answer = element("span", { class: "of-answer", "aria-hidden": "true" });
    const share = element("span", { class: "of-share", "aria-hidden": "true" });
    const button = element("button", { type: "button", tabindex: this.cells.length === 0 ? "0" : "-1" }, told, number, answer, share,
      element("span", { class: "bar" }, fill));
    button.style.setProperty("--lane-colour", lane.colour);
    button.addEventListener("click", () => {
      this.rove(lane.index);
      this.jump(lane.index);
    });
    this.cells.push({ lane, button, told, fill, answer, share });
    this.element.append(button);
    this.element.classList.toggle("many", this.cells.length > 16);
    this.element.classList.toggle("crowd", this.cells.length > 64);
    this.element.hidden = this.cells.length < 2;
    this.draw(lane);
  }

  draw(lane, answerOf = this.answerOf) {
    this.answerOf = answerOf ?? (() => null);
    const { button, told, fill, answer, share } = this.cells[lane.index];
    const text = this.answerOf(lane);
    const alike = text === null ? null : this.tally.get(text);
    button.dataset.state = lane.selected ? "selected" : lane.finish ? "ended" : lane.asleep ? "asleep" : lane.begun ? "writing" : "waiting";
    fill.style.transform = `scaleX(${lane.spent()})`;
    answer.textContent = text ?? (lane.selected ? "selected" : lane.finish && lane.verdict ? this.noAnswer() : lane.stateName());
    answer.classList.toggle("none", text === null);
    share.textContent = alike ? `${alike.count}/${this.cells.length}` : "";
    if (alike && alike.rank < ranks) button.dataset.rank = alike.rank;
    else delete button.dataset.rank;
    const said = text === null ? "" : `, answer ${text}${alike ? `, given by ${alike.count} of ${this.cells.length}` : ""}`;
    const label = `${lane.name}: ${lane.stateName()}${said}`;
    if (told.textContent !== label) button.title = told.textContent = label;
  }

  noAnswer() {
    return this.cells.length > 16 ? "–" : "no answer";
  }

  // votes: [{answer, count}], the most frequent first.
  setVotes(votes) {
    const tally = new Map(votes.map(({ answer, count }, rank) => [answer, { count, rank }]));
    const same = tally.size === this.tally.size && [...tally].every(([answer, { count, rank }]) => {
      const old = this.tally.get(answer);
      return old?.count === count && old.rank === rank;
    });
    if (same) return;
    this.tally = tally;
    for (const { lane } of this.cells) this.draw(lane);
  }

  setInView([first, last]) {
    const all = last - first >= this.cells.length;
    this.cells.forEach(({ button }, k) => button.classList.toggle("in-view", !all && k >= first && k < last));
  }

  rove(index) {
    this.cells.forEach(({ button }, k) => (button.tabIndex = k === index ? 0 : -1));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.cells.findIndex(({ button }) => button === event.target);
    const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: this.cells.length - 1 }[event.key];
    if (at < 0 || next === undefined || !this.cells[next]) return;
    event.preventDefault();
    this.rove(next);
    this.cells[next].button.focus();
  }
}
