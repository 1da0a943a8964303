// SPDX-License-Identifier: Apache-2.0
// A group as it is seen: its head, the strip of all lanes, their columns, and what is known about them beneath. When the
// conversation has gone on it is folded to the answer that it went on with.

import { announce, ask, element } from "./dom.js";
import { Group } from "./group.js";
import { HeatMap } from "./heat_map.js";
import { Inspector } from "./inspector.js";
import { LaneGrid } from "./lane_grid.js";
import { LaneStrip } from "./lane_strip.js";
import { RichText } from "./rich_text.js";
import { splitThinking } from "./thinking.js";
import { answerOf, earlyVotes, Votes } from "./votes.js";
import { ended, laneSelected, progress } from "./words.js";

export class Run {
  // request: {messages, settings, properties}; hooks: changed(), notice(text), failed(error), compare(run, coupling),
  // viewed(view); settle(): it has ended, and may be the answer; preferred(run): the user chose a lane of it.
  constructor(request, view, hooks) {
    this.settings = request.settings;
    this.hooks = hooks;
    this.folded = false;
    this.chosen = null;
    this.dirty = new Set();
    this.grid = new LaneGrid({
      view, moved: () => this.strip.setInView(this.grid.inView()),
      actions: { push: (lane) => this.push(lane), retire: (lane) => this.act(() => this.group.retire(lane)), choose: (lane) => this.choose(lane) },
    });
    this.strip = new LaneStrip((index) => this.jump(index));
    this.group = new Group(request, {
      laneAdded: (lane) => this.group && this.addLane(lane), changed: (lane) => this.drawSoon(lane), progressed: () => this.showProgress(),
      ended: () => this.ended(),
    });
    this.build(request.properties);
  }

  build(properties) {
    const { settings } = this;
    this.status = element("p", { class: "status" }, "Starting");
    const named = (name) => (name === "lanerope" && settings.init ? `lanerope, omega ${settings.init}` : name);
    this.title = `${settings.n} ${settings.n === 1 ? "lane" : "lanes"}, ${named(settings.coupling)}`;
    const views = ["text", "tokens"].map((view) => {
      const button = element("button", { type: "button", "data-view": view }, view === "text" ? "Text" : "Tokens");
      button.addEventListener("click", () => this.setView(view));
      return button;
    });
    this.views = element("div", { class: "views", role: "group", "aria-label": "How the lanes are shown" }, ...views);
    // No model is said to have bridges, and few have.
    const others = properties.names.coupling.filter((name) => ![settings.coupling, "bridge"].includes(name));
    const other = element("select", { "aria-label": "Coupling to compare with" }, ...others.map((name) => element("option", { value: name }, name)));
    const compare = element("button", { type: "button" }, "Compare");
    compare.addEventListener("click", () => this.hooks.compare(this, other.value));
    this.again = element("div", { class: "again" }, "with", other, compare);
    this.foldButton = element("button", { type: "button", class: "plain", "aria-expanded": "true", hidden: "" }, "Hide the lanes");
    this.foldButton.addEventListener("click", () => this.fold(!this.folded));
    this.answerHead = element("p", { class: "quiet" });
    this.answerText = element("div", { class: "text set" });
    this.answer = element("div", { class: "folded", hidden: "" }, this.answerHead, this.answerText);
    this.votes = new Votes();
    this.heatMap = new HeatMap();
    this.section = element("section", { class: "run" });
    this.inspector = new Inspector(this, properties);
    this.beneath = element("div", { class: "beneath" }, this.votes.element, this.inspector.element, this.heatMap.element);
    this.section.append(element("header", {}, element("h3", {}, this.title), this.status, this.views, this.again, this.foldButton),
      this.strip.element, this.answer, this.grid.element, this.beneath);
    const few = settings.budget <= 128 ? "17rem" : "23rem";
    this.section.style.setProperty("--height", settings.n > 8 && settings.n < 16 ? "12rem" : settings.n > 4 && settings.n < 16 ? "17rem" : few);
    this.section.style.setProperty("--height-narrow", settings.n > 4 && settings.n < 16 ? "10rem" : "16rem");
    for (const lane of this.group.lanes) this.strip.add(lane);
    this.grid.addAll(this.group.lanes);
    this.showView();
  }

  addLane(lane) {
    this.strip.add(lane);
    this.grid.add(lane);
  }

  laneOf(token) {
    return this.group.lanes[Number(token.closest(".lane").dataset.lane)];
  }

  start() {
    this.timer = setInterval(() => this.showProgress(), 250);
    this.group.start();
  }

  stop() {
    this.group.stop();
  }

  release() {
    this.group.release();
  }

  setView(view) {
    if (view === this.grid.view) return;
    this.grid.setView(view);
    this.inspector.viewChanged();
    this.showView();
    if (this.folded) this.showAnswer();
    this.hooks.viewed(view);
  }

  showView() {
    for (const button of this.views.children) button.setAttribute("aria-pressed", String(button.dataset.view === this.grid.view));
  }

  // At most once a frame, and only the lanes that have changed.
  drawSoon(lane) {
    this.dirty.add(lane);
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      for (const one of this.dirty) {
        this.grid.draw(one);
        this.strip.draw(one, answerOf);
      }
      this.dirty.clear();
      if (this.group.running && !this.folded) this.heatMap.follow(this.group.id, this.group.lanes);
    });
  }

  showProgress() {
    const { group } = this;
    if (!group.running) return;
    this.status.textContent = progress(group);
    if (group.readAt) this.showVotes(earlyVotes(group.lanes.filter((lane) => !lane.secondStage)));
  }

  showVotes(votes) {
    this.votes.show(votes, this.group.lanes.filter((lane) => !lane.secondStage).length);
    this.strip.setVotes(votes);
  }

  ended() {
    clearInterval(this.timer);
    const { group } = this;
    this.status.textContent = this.status.title = ended(group);
    this.status.classList.toggle("error", group.error !== null);
    announce(group.error ? group.error.message : group.stopped ? "Stopped." : `The lanes have finished. ${laneSelected(group)}`);
    if (group.reply) {
      this.showVotes(group.reply.votes);
      if (group.reply.votes.length === 0) this.votes.none();
      this.heatMap.fill(group.id, group.lanes).catch(() => {});
    }
    this.inspector.showButtons();
    this.hooks.settle();
    if (group.error) this.hooks.failed(group.error);
    this.hooks.changed(this);
  }

  // The selected lane, or where there is none the first that wrote something.
  best() {
    const written = this.group.lanes.filter((lane) => lane.text.trim() !== "");
    return written.find((lane) => lane.selected) ?? written[0] ?? null;
  }

  // The lane whose answer the conversation goes on with; null: none of this run.
  choose(lane, byHand = true) {
    this.chosen = lane;
    this.byHand = byHand;
    for (const one of this.group.lanes) {
      if (one.chosen !== (one === lane)) this.drawSoon(one);
      one.chosen = one === lane;
    }
    if (byHand) {
      announce(`The conversation goes on with the answer of ${lane.name.toLowerCase()}.`);
      this.hooks.preferred(this);
      this.hooks.changed(this);
    }
    if (this.folded) this.showAnswer();
  }

  // What it answered, without what it thought before.
  replyText() {
    return this.chosen ? splitThinking(this.chosen.text, this.chosen.marks).answer.trim() : "";
  }

  fold(folded) {
    this.folded = folded;
    this.foldButton.hidden = false;
    this.foldButton.textContent = folded ? `Show the ${this.group.lanes.length > 1 ? `${this.group.lanes.length} lanes` : "lane"}` : "Hide the lanes";
    this.foldButton.setAttribute("aria-expanded", String(!folded));
    this.inspector.clear();
    this.grid.hide(folded);
    this.answer.hidden = !folded;
    this.views.hidden = this.again.hidden = folded;
    if (folded) {
      this.beneath.remove();
      this.showAnswer();
    } else {
      this.section.append(this.beneath);
      if (this.group.reply) this.heatMap.fill(this.group.id, this.group.lanes).catch(() => {});
    }
  }

  showAnswer() {
    const why = this.chosen?.selected ? laneSelected(this.group, "how") : this.byHand ? "chosen by you" : "the first that wrote";
    this.answerHead.textContent = this.chosen ? `${this.chosen.name}, ${why}` : this.best() ? "The conversation went on with another run." : "No lane wrote anything.";
    this.answerText.replaceChildren();
    this.answerText.classList.toggle("set", this.grid.view === "text");
    if (this.chosen && this.grid.view === "text") new RichText(this.answerText, 4, this.chosen.marks).update(this.chosen.text);
    else if (this.chosen) this.answerText.textContent = this.chosen.text;
  }

  jump(index) {
    if (this.folded) this.fold(false);
    this.grid.reveal(index);
  }

  unlight() {
    this.section.classList.remove("probing");
    for (const lane of this.group.lanes) lane.unlight();
    this.grid.drawLight();
  }

  // Scrolls the other lanes to where they were at that step.
  align({ lane, step }) {
    for (const [index, column] of this.grid.columns) {
      if (index !== lane.index) column.scrollTo(step);
    }
  }

  async act(what) {
    try {
      await what();
    } catch (error) {
      this.hooks.notice(error.message);
    }
  }

  async push(lane) {
    const text = await ask({
      title: `Push text into lane ${lane.index + 1}`,
      help: "It is what the lane writes next, as if it had thought of it itself; the other lanes read it too.",
    });
    // The button that the dialog gives the focus back to is hidden where the lane has ended meanwhile.
    if (document.activeElement === document.body) this.grid.column(lane.index)?.text.focus({ preventScroll: true });
    if (text) await this.act(() => this.group.push(lane, text));
  }

  fork({ lane, step }) {
    return this.group.running ? this.act(() => this.group.fork(lane, step)) : undefined;
  }
}
