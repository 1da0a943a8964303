// SPDX-License-Identifier: Apache-2.0
// One group: its request, its lanes, and what is known about them while they write.

import { events, request } from "./api.js";
import { ask, bars, element } from "./dom.js";
import { HeatMap } from "./heat_map.js";
import { Inspector } from "./inspector.js";
import { Lane } from "./lane.js";

// What the server does at the end for good, done here early so that votes show while lanes write.
function earlyAnswer(lane) {
  const boxed = [...lane.plainText.matchAll(/\\boxed\{([^{}]*)\}/g)].pop();
  if (boxed) return boxed[1].trim();
  if (!lane.finish) return null;
  const numbers = lane.plainText.match(/-?\d[\d,]*(\.\d+)?/g);
  return numbers ? numbers.pop().replaceAll(",", "") : null;
}

const speed = (rate) => rate.toFixed(rate < 100 ? 1 : 0);

export class Run {
  constructor(settings, properties, hooks) {
    this.settings = settings;
    this.properties = properties;
    this.hooks = hooks;
    this.lanes = [];
    this.running = false;
    this.abort = new AbortController();
    this.build();
  }

  build() {
    const { settings, properties } = this;
    this.status = element("p", { class: "status", role: "status" }, "Starting");
    this.lanesElement = element("div", { class: "lanes" });
    const across = settings.n <= 4 ? settings.n : settings.n === 5 || settings.n === 6 ? 3 : 4;
    this.lanesElement.style.setProperty("--across", across);
    const few = settings.budget <= 128 ? "17rem" : "23rem";
    this.lanesElement.style.setProperty("--height", settings.n > 8 ? "12rem" : settings.n > 4 ? "17rem" : few);
    this.lanesElement.style.setProperty("--height-narrow", settings.n > 4 ? "10rem" : "14rem");
    const other = element("select", { "aria-label": "Coupling to compare with" },
      ...properties.names.coupling.filter((name) => name !== settings.coupling).map((name) => element("option", { value: name }, name)));
    const compare = element("button", { type: "button" }, "Compare");
    compare.addEventListener("click", () => this.hooks.compare(this, other.value));
    this.again = element("div", { class: "again" }, "with", other, compare);
    this.votes = element("ol", { class: "votes" });
    this.voteHint = element("p", { class: "quiet" }, "No answers yet.");
    this.heatMap = new HeatMap();
    this.section = element("section", { class: "run", "aria-label": `Run with coupling ${settings.coupling}` });
    const name = settings.coupling === "lanerope" && settings.init ? `lanerope, omega ${settings.init}` : settings.coupling;
    this.inspector = new Inspector(this, this.properties);
    this.section.append(
      element("header", {}, element("h2", {}, name), this.status, this.again), this.lanesElement,
      element("div", { class: "beneath" }, element("div", {}, element("h3", {}, "Votes"), this.votes, this.voteHint),
        this.inspector.element, this.heatMap.element));
    for (let k = 0; k < settings.n; ++k) this.lane(k);
  }

  lane(index) {
    while (this.lanes.length <= index) {
      const tag = this.tagText?.replaceAll("{k}", this.lanes.length + 1) ?? "";
      const lane = new Lane(this.lanes.length, {
        budget: this.budget ?? this.settings.budget,
        tag,
        count: this.settings.n,
        onAction: (action, target) => this.act(action, target),
      });
      this.lanes.push(lane);
      this.lanesElement.append(lane.element);
    }
    return this.lanes[index];
  }

  laneOf(token) {
    const column = token.closest(".lane");
    return this.lanes.find((lane) => lane.element === column);
  }

  body() {
    const { settings, properties } = this;
    const prompt = properties.chat_template
      ? { messages: [{ role: "user", content: settings.prompt }] }
      : { prompt: settings.prompt };
    const lanes = {
      coupling: settings.coupling,
      select: settings.select,
      consensus: Math.min(settings.consensus, settings.n),
      hold: true,
    };
    if (settings.init && settings.coupling === "lanerope") lanes.init = settings.init;
    return { ...prompt, n: settings.n, max_tokens: settings.budget, temperature: settings.temperature, seed: settings.seed, lanes };
  }

  async start() {
    this.running = true;
    this.timer = setInterval(() => this.showProgress(), 250);
    try {
      for await (const event of events("/v1/groups", this.body(), this.abort.signal)) this.take(event);
      if (this.running) this.fail("The server ended the stream before the lanes had finished.");
    } catch (error) {
      if (error.name === "AbortError") {
        this.over("Stopped");
      } else {
        this.fail(error.message);
        this.hooks.failed(error);
      }
    }
  }

  stop() {
    if (this.running) this.abort.abort();
  }

  // The server may forget it.
  release() {
    this.stop();
    if (this.id && !this.abort.signal.aborted) request("DELETE", `/v1/groups/${this.id}`).catch(() => {});
  }

  take(event) {
    switch (event.kind) {
      case "group_created": return this.created(event);
      case "prompt_read":
        this.readAt = performance.now();
        return undefined;
      case "lane_started": return this.lane(event.lane).started(event.step, event.text);
      case "token":
        this.lane(event.lane).add(event);
        return this.drawSoon();
      case "lane_finished":
        this.lane(event.lane).end(event);
        return this.drawSoon();
      case "group_finished": return this.finished(event);
      default:
        if (event.error) this.fail(event.error.message);
        return undefined;
    }
  }

  created(event) {
    this.id = event.id;
    this.budget = event.budget;
    this.tagText = event.tag;
    this.settings.seed = event.seed;
    for (const lane of this.lanes) {
      lane.budget = event.budget;
      lane.tag.textContent = event.tag.replaceAll("{k}", lane.index + 1);
    }
    this.status.textContent = `Reading a prompt of ${event.prompt_tokens} tokens`;
  }

  drawSoon() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      for (const lane of this.lanes) lane.draw();
      if (this.running) this.heatMap.follow(this.id, this.lanes);
    });
  }

  generated() {
    return this.lanes.reduce((sum, lane) => sum + lane.generated, 0);
  }

  showProgress() {
    if (!this.readAt) return;
    const seconds = (performance.now() - this.readAt) / 1000;
    const rate = seconds > 0.2 ? `${speed(this.generated() / seconds)} tokens/s` : "";
    this.status.textContent = [`${this.generated()} tokens`, rate, `seed ${this.settings.seed}`].filter(Boolean).join(" · ");
    const counts = new Map();
    for (const answer of this.lanes.map(earlyAnswer)) {
      if (answer) counts.set(answer, (counts.get(answer) ?? 0) + 1);
    }
    this.showVotes([...counts].map(([answer, count]) => ({ answer, count })).sort((a, b) => b.count - a.count));
  }

  showVotes(votes) {
    this.voteHint.hidden = votes.length > 0;
    bars(this.votes, votes.slice(0, 7).map(({ answer, count }, i) => ({
      name: answer, share: count / this.lanes.length, value: `${count} of ${this.lanes.length}`, first: i === 0,
    })));
  }

  finished({ lanes: reply, finish }) {
    for (const lane of this.lanes) lane.draw();
    for (const lane of reply.lanes) this.lanes[lane.index]?.judged(lane);
    const seconds = reply.predicted_ms / 1000;
    const parts = [`${this.generated()} tokens in ${seconds.toFixed(seconds < 1 ? 2 : 1)} s`];
    if (seconds > 0) parts.push(`${speed(this.generated() / seconds)} tokens/s`);
    if (reply.consensus) parts.push("ended by consensus");
    if (reply.selected !== null) {
      this.lanes[reply.selected].select();
      const how = reply.select === "vote" && reply.votes.length > 0 ? "vote" : reply.select === "vote" ? "log-probability" : reply.select;
      parts.push(`lane ${reply.selected + 1} selected by ${how}, ${(100 * reply.confidence).toFixed(0)} %${reply.confidence_kind === "calibrated" ? " calibrated" : ""}`);
    }
    parts.push(`seed ${reply.seed}`);
    this.over((finish === "cancelled" ? "Stopped · " : "") + parts.join(" · "));
    this.showVotes(reply.votes);
    if (reply.votes.length === 0) this.voteHint.textContent = "No lane gave an answer that could be counted.";
    this.heatMap.fill(this.id, this.lanes).catch(() => {});
  }

  over(text) {
    this.running = false;
    clearInterval(this.timer);
    for (const lane of this.lanes) {
      lane.draw();
      lane.buttons.hidden = true;
      if (!lane.finish && text === "Stopped") lane.end({ finish: "cancelled" });
    }
    this.status.textContent = text;
    this.status.title = text;
    this.inspector.showButtons();
    this.hooks.changed();
  }

  fail(message) {
    for (const lane of this.lanes) {
      if (!lane.finish) lane.end({ finish: "cancelled" });
    }
    this.over(message);
    this.status.classList.add("error");
  }

  unlight() {
    this.section.classList.remove("probing");
    for (const lane of this.lanes) lane.unlight();
  }

  // Scrolls the other lanes to where they were at that step.
  align({ lane, step }) {
    for (const other of this.lanes) {
      if (other !== lane) other.scrollTo(step);
    }
  }

  async act(action, lane) {
    const path = `/v1/groups/${this.id}/lanes/${lane.index}`;
    try {
      if (action === "retire") {
        await request("DELETE", path);
      } else {
        const text = await ask({
          title: `Push text into lane ${lane.index + 1}`,
          help: "It is what the lane writes next, as if it had thought of it itself; the other lanes read it too.",
        });
        if (text) await request("POST", `${path}/text`, { text });
      }
    } catch (error) {
      this.hooks.notice(error.message);
    }
  }

  async fork({ lane, step }) {
    if (!this.running) return;
    try {
      const made = await request("POST", `/v1/groups/${this.id}/lanes`, { parent: lane.index, fork_step: step + 1 });
      this.lane(made.lane).comesFrom(lane.index, step);
    } catch (error) {
      this.hooks.notice(error.message);
    }
  }
}
