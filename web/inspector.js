// SPDX-License-Identifier: Apache-2.0
// What one token attended to: asked of the server when a token is pointed at, and lit up in the lanes.

import { request } from "./api.js";
import { announce, bars, element } from "./dom.js";

const patience = 60;  // milliseconds that the pointer rests before the server is asked
const remembered = 32;  // answers: of a large group each has megabytes

// Of as many as there are cells: more than a call takes as arguments.
const greatest = (parts) => parts.reduce((most, { weights }) => weights.reduce((one, other) => Math.max(one, other), most), 0);

export class Inspector {
  constructor(run, properties) {
    this.run = run;
    this.current = null;  // {lane, step}
    this.pinned = false;
    this.byKey = false;  // come to by the arrow keys
    this.serial = 0;
    this.cache = new Map();
    const options = (count, all) => [element("option", { value: "" }, all),
      ...Array.from({ length: count }, (_, i) => element("option", { value: i }, String(i)))];
    this.layer = element("select", { "aria-label": "Layer" }, ...options(properties.n_layer, "all"));
    this.head = element("select", { "aria-label": "Head" }, ...options(properties.n_head, "mean"));
    this.what = element("span", { class: "what" });
    this.forkButton = element("button", { type: "button", hidden: "" }, "Fork here");
    this.list = element("ol", { class: "shares" });
    this.hint = element("p", { class: "quiet" });
    this.line = element("div", { class: "probe-line" }, this.what, element("label", {}, "layer", this.layer),
      element("label", {}, "head", this.head), this.forkButton);
    this.element = element("div", {}, element("h4", {}, "What a token looked at"), this.line, this.list, this.hint);
    for (const select of [this.layer, this.head]) select.addEventListener("change", () => this.ask());
    this.forkButton.addEventListener("click", () => this.run.fork(this.current));
    this.listen(run.grid.element);
    this.viewChanged();
  }

  // Only single tokens can be pointed at.
  viewChanged() {
    const tokens = this.run.grid.view === "tokens";
    this.line.hidden = !tokens;
    this.clear();
    if (tokens) {
      this.hint.textContent = "Point at a token or tap it, or move through a lane with the arrow keys.";
    } else {
      const show = element("button", { type: "button", class: "link" }, "Show the lanes as tokens");
      show.addEventListener("click", () => {
        this.run.setView("tokens");
        this.run.views.querySelector("[aria-pressed='true']").focus();
      });
      this.hint.replaceChildren(show, " to see what each of them was written from.");
    }
  }

  listen(root) {
    const find = (event) => event.target.closest?.(".token");
    root.addEventListener("pointerover", (event) => {
      const token = find(event);
      if (token && !this.pinned) this.point(token);
    });
    root.addEventListener("pointerleave", () => {
      if (!this.pinned) this.clear();
    });
    root.addEventListener("click", (event) => {
      const token = find(event);
      const same = token !== null && token === this.token();
      this.pinned = Boolean(token) && !(this.pinned && same);
      if (token) this.point(token);
      if (this.pinned) this.run.align(this.current);
      this.showButtons();
    });
    root.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const text = event.target.closest?.(".text");
    if (!text || event.ctrlKey || event.metaKey || event.altKey) return;
    const tokens = [...text.querySelectorAll(".token")];
    const at = tokens.indexOf(this.token());
    const next = { ArrowRight: at + 1, ArrowLeft: at < 0 ? tokens.length - 1 : at - 1 }[event.key];
    if (next !== undefined && tokens[next]) {
      event.preventDefault();
      this.pinned = true;
      this.point(tokens[next], true);
      tokens[next].scrollIntoView({ block: "nearest", inline: "nearest" });
      this.run.align(this.current);
    } else if (event.key === "Escape" && this.current) {
      event.preventDefault();
      this.pinned = false;
      this.clear();
    } else if (event.key.toLowerCase() === "f" && this.current) {
      this.run.fork(this.current);
    }
    this.showButtons();
  }

  showButtons() {
    const had = document.activeElement === this.forkButton;
    this.forkButton.hidden = !(this.pinned && this.current && this.run.group.running);
    if (had && this.forkButton.hidden) this.head.focus({ preventScroll: true });
  }

  // Its element, while its lane is in the page.
  token() {
    return this.current ? this.run.grid.column(this.current.lane.index)?.tokens.get(this.current.step) : undefined;
  }

  point(token, byKey = false) {
    this.byKey = byKey;
    const lane = this.run.laneOf(token);
    const step = Number(token.dataset.step);
    if (this.current?.lane === lane && this.current.step === step) return;
    this.leave();
    token.classList.add("current");
    lane.current = step;
    this.current = { lane, step };
    this.what.textContent = JSON.stringify(token.textContent).slice(1, -1);
    this.run.heatMap.show(lane.index, step);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), patience);
  }

  leave() {
    this.token()?.classList.remove("current");
    if (this.current) this.current.lane.current = null;
    this.current = null;
  }

  clear() {
    clearTimeout(this.timer);
    this.serial += 1;
    this.leave();
    this.cache.clear();
    this.what.textContent = "";
    this.list.replaceChildren();
    this.hint.hidden = false;
    this.run.unlight();
    this.showButtons();
  }

  async ask() {
    if (!this.current || !this.run.group.id) return;
    const { lane, step } = this.current;
    const serial = ++this.serial;
    const query = new URLSearchParams({ step });
    if (this.layer.value) query.set("layer", this.layer.value);
    if (this.head.value) query.set("head", this.head.value);
    const path = this.run.group.attention(lane, query);
    try {
      const probe = await this.probe(path);
      if (serial === this.serial) this.show(probe);
    } catch (error) {
      if (serial !== this.serial) return;
      this.run.unlight();
      this.list.replaceChildren();
      this.hint.hidden = false;
      this.hint.textContent = error.status === 404 ? "This group is no longer held by the server." : error.message;
      this.tell(this.hint.textContent);
    }
  }

  // What was asked about last stands last, and the first is forgotten.
  async probe(path) {
    const known = this.cache.get(path) ?? (await request("GET", path));
    this.cache.delete(path);
    this.cache.set(path, known);
    if (this.cache.size > remembered) this.cache.delete(this.cache.keys().next().value);
    return known;
  }

  // Who moves by the arrow keys may not see what lights up.
  tell(found) {
    if (this.byKey) announce(`${this.what.textContent.trim() || "space"}: ${found}`);
  }

  show(probe) {
    this.run.unlight();
    this.hint.hidden = true;
    const ofLanes = probe.parts.filter((part) => part.lane >= 0);
    // The brightest token is the one of the other lanes that got most; a lane's own last token would outshine it.
    const others = ofLanes.filter((part) => part.lane !== probe.lane && part.weights.length > 0);
    const most = Math.max(1e-6, greatest(others.length > 0 ? others : ofLanes));
    const sums = new Map();
    for (const part of probe.parts) {
      const sum = part.weights.reduce((total, weight) => total + weight, 0);
      sums.set(part.lane, (sums.get(part.lane) ?? 0) + sum);
      if (part.lane >= 0) this.run.group.lanes[part.lane]?.light(part, 1 / most);
    }
    this.run.grid.drawLight();
    this.run.section.classList.add("probing");
    const shares = [...sums].map(([lane, share]) => ({
      name: lane < 0 ? "prompt" : lane === probe.lane ? `lane ${lane + 1}, itself` : `lane ${lane + 1}`,
      share,
      value: `${(100 * share).toFixed(1)} %`,
    }));
    bars(this.list, shares);
    if (shares.length === 0) return;
    const { name, value } = shares.reduce((one, other) => (other.share > one.share ? other : one));
    this.tell(`most from ${name}, ${value}`);
  }
}
