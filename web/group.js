// SPDX-License-Identifier: Apache-2.0
// One group on the server: its request, its stream of events, its lanes as they stand, and what can be done to them meanwhile.

import { events, request } from "./api.js";
import { actLine, Lane } from "./lane.js";

// Whether attention of one lane goes to what others have written.
export const seesOtherLanes = (coupling) => coupling !== "independent" && coupling !== "bridge";

// Whether lanes may wait for one another: they see who wakes them, and there is room for steps in which one of them wrote nothing.
export const canSleep = (coupling) => seesOtherLanes(coupling) && coupling !== "hogwild";

export class Group {
  // watcher: laneAdded(lane), changed(lane), progressed(), ended(). settings: see settings_form.js. messages: role and content.
  constructor({ messages, settings, properties }, watcher) {
    this.messages = messages;
    this.settings = { ...settings };
    this.properties = properties;
    this.watcher = watcher;
    this.lanes = [];
    this.running = false;
    this.id = null;
    this.reply = null;  // what the server says of the lanes when all have ended
    this.error = null;
    this.stopped = false;
    this.ends = [];  // what policies did to the group as a whole, a clause each
    this.readAt = 0;
    this.abort = new AbortController();
    for (let k = 0; k < settings.n; ++k) this.makeLane();
  }

  makeLane(secondStage = false) {
    const index = this.lanes.length;
    const tag = secondStage ? "" : this.tagText?.replaceAll("{k}", index + 1) ?? "";
    const { thinking: marks } = this.properties;
    const lane = new Lane(index, { budget: this.budget ?? this.settings.budget, tag, count: this.settings.n, secondStage, marks });
    this.lanes.push(lane);
    this.watcher.laneAdded?.(lane);
  }

  lane(index) {
    while (this.lanes.length <= index) this.makeLane();
    return this.lanes[index];
  }

  // Where the model has no template for messages, its text simply goes on.
  prompt() {
    if (this.properties.chat_template) return { messages: this.messages };
    return { prompt: this.messages.map(({ content }) => content).join("\n\n") };
  }

  body() {
    const { settings } = this;
    const lanes = {
      coupling: settings.coupling, select: settings.select, consensus: Math.min(settings.consensus, settings.n), hold: true,
    };
    if (settings.init && settings.coupling === "lanerope") lanes.init = settings.init;
    if (settings.topology && settings.topology !== "all" && seesOtherLanes(settings.coupling)) {
      lanes.topology = settings.topology;
      if (settings.topology === "blocks") lanes.block = settings.block;
    }
    if (settings.then?.trim()) {
      lanes.then = settings.then;
      delete lanes.select;
    }
    for (const name of ["wait", "ready"]) if (settings[name] && canSleep(settings.coupling)) lanes[name] = settings[name];
    const policies = (settings.policies ?? "").split("\n").map((line) => line.trim()).filter(Boolean);
    if (policies.length > 0) lanes.policies = policies;
    return { ...this.prompt(), n: settings.n, max_tokens: settings.budget, temperature: settings.temperature, seed: settings.seed, lanes };
  }

  async start() {
    this.running = true;
    try {
      for await (const event of events("/v1/groups", this.body(), this.abort.signal)) this.take(event);
      if (this.running) this.fail(new Error("The server ended the stream before the lanes had finished."));
    } catch (error) {
      if (error.name !== "AbortError") return this.fail(error);
      this.stopped = true;
      this.over();
    }
    return undefined;
  }

  stop() {
    if (this.running) this.abort.abort();
  }

  // The server may forget it.
  release() {
    this.stop();
    if (this.id && !this.abort.signal.aborted) request("DELETE", `/v1/groups/${this.id}`).catch(() => {});
  }

  // Events of kinds that are not known here change nothing.
  take(event) {
    if (event.second_stage) this.makeLane(true);
    const lane = event.lane === undefined ? null : this.lane(event.lane);
    switch (event.kind) {
      case "group_created": return this.created(event);
      case "prompt_read":
        this.readAt = performance.now();
        return undefined;
      case "lane_started":
        lane.started(event.step, event.text);
        break;
      case "token":
        lane.add(event);
        break;
      case "lane_slept":
        lane.sleep();
        break;
      case "lane_woke":
        lane.wake(event.step);
        break;
      case "lane_finished":
        lane.end(event);
        break;
      case "policy":
        if (lane === null) this.ends.push(actLine(event));
        else lane.acted(event);
        break;
      case "tool_returned":
        lane.called(event);
        break;
      case "group_finished": return this.finished(event);
      default:
        if (event.error) this.fail(new Error(event.error.message));
        return undefined;
    }
    return lane && this.watcher.changed?.(lane);
  }

  created({ id, budget, tag, seed, prompt_tokens: read }) {
    this.id = id;
    this.budget = budget;
    this.tagText = tag;
    this.seed = seed;
    this.promptTokens = read;
    for (const lane of this.lanes) {
      lane.budget = budget;
      lane.tag = tag.replaceAll("{k}", lane.index + 1);
      this.watcher.changed?.(lane);
    }
    this.watcher.progressed?.();
  }

  finished({ lanes: reply, finish }) {
    this.reply = reply;
    this.stopped = finish === "cancelled";
    for (const judged of reply.lanes) {
      if (this.lanes[judged.index]) this.lanes[judged.index].verdict = judged;
    }
    if (reply.selected !== null) this.lanes[reply.selected].selected = true;
    this.over();
  }

  fail(error) {
    this.error = error;
    this.over();
  }

  over() {
    this.running = false;
    this.tookMs = this.readAt ? performance.now() - this.readAt : 0;
    for (const lane of this.lanes) {
      if (!lane.finish) lane.end({ finish: "cancelled" });
      this.watcher.changed?.(lane);
    }
    this.watcher.ended?.();
  }

  generated() {
    return this.lanes.reduce((sum, lane) => sum + lane.generated, 0);
  }

  path(lane) {
    return `/v1/groups/${this.id}/lanes/${lane.index}`;
  }

  retire(lane) {
    return request("DELETE", this.path(lane));
  }

  push(lane, text) {
    return request("POST", `${this.path(lane)}/text`, { text });
  }

  // A new lane that has `lane`'s past up to and with this step.
  async fork(lane, step) {
    const made = await request("POST", `/v1/groups/${this.id}/lanes`, { parent: lane.index, fork_step: step + 1 });
    const child = this.lane(made.lane);
    child.comesFrom(lane.index, step);
    this.watcher.changed?.(child);
  }

  attention(lane, query) {
    return `${this.path(lane)}/attention?${query}`;
  }

  // For an export: everything but the tokens one by one.
  record() {
    return {
      id: this.id, settings: this.settings, messages: this.messages, seed: this.seed ?? null, stopped: this.stopped,
      error: this.error?.message ?? null, reply: this.reply,
      lanes: this.lanes.map(({ index, text, finish, used, generated, origin }) => ({ index, text, finish, used, generated, origin: origin || null })),
    };
  }
}
