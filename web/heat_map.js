// SPDX-License-Identifier: Apache-2.0
// Where the lanes looked, over time: a matrix of lane x (prompt and lanes) at one step, and one lane's history. While
// the lanes write, the server is asked about their newest tokens every few steps, one lane after another, and after an
// answer is left alone for several times as long as it took; steps that were passed over are asked about afterwards.

import { request } from "./api.js";
import { element } from "./dom.js";

const stride = 8;  // steps from one sample to the next, at least
const rest = 4;    // a question that took a millisecond is followed by so many without one while lanes write
const most = 48;   // samples of a finished group
const fewest = 4;  // of one with many lanes, which take turns
const questions = 400;  // at most so many for them, each about one lane

function heatColour() {
  const colour = getComputedStyle(document.documentElement).getPropertyValue("--heat").trim();
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

function paint(canvas, width, height, valueAt) {
  canvas.width = Math.max(width, 1);
  canvas.height = Math.max(height, 1);
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const [red, green, blue] = heatColour();
  for (let y = 0; y < height; ++y) {
    for (let x = 0; x < width; ++x) {
      const at = 4 * (y * width + x);
      image.data[at] = red;
      image.data[at + 1] = green;
      image.data[at + 2] = blue;
      image.data[at + 3] = Math.round(255 * Math.sqrt(Math.min(Math.max(valueAt(x, y), 0), 1)));
    }
  }
  context.putImageData(image, 0, 0);
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class HeatMap {
  constructor() {
    this.matrix = element("canvas", { role: "img", "aria-label": "Attention of each lane at one step" });
    this.strip = element("canvas", { role: "img", "aria-label": "Attention of one lane over time" });
    this.slider = element("input", { type: "range", min: "0", max: "0", value: "0", disabled: "", "aria-label": "Step" });
    this.choice = element("select", { "aria-label": "Lane whose attention is shown over time", disabled: "" });
    this.note = element("p", {}, "Drawn every few steps while the lanes write.");
    this.element = element("div", { class: "heat" }, element("h4", {}, "Lane by lane, over time", element("label", {}, "lane", this.choice)),
      element("div", { class: "heat-pair" }, this.matrix, this.strip), this.slider, this.note);
    this.lanes = [];
    this.samples = [];  // steps, in order
    this.shares = new Map();  // "lane,step" -> [prompt, lane 0, lane 1, ...]
    this.lane = 0;
    this.wanted = Infinity;  // the step that is shown; until the reader chooses one, the newest
    this.chosen = false;
    this.asking = null;
    this.following = false;
    this.slider.addEventListener("input", () => this.show(this.lane, this.samples[this.slider.value]));
    this.choice.addEventListener("change", () => {
      this.lane = Number(this.choice.value);
      this.draw();
    });
    this.matrix.addEventListener("pointermove", (event) => this.explain(event, (x, y) => [y, this.known(y, Number(this.slider.value)), x]));
    this.strip.addEventListener("pointermove", (event) => this.explain(event, (x, y) => [this.lane, this.known(this.lane, x), y]));
  }

  // Called as often as tokens come: asks about the newest step that is worth a sample unless an answer is awaited.
  follow(group, lanes) {
    if (this.asking) return;
    const newest = Math.max(...lanes.map((lane) => lane.lastFedStep()));
    const step = newest - (newest % stride);
    if (step < 0 || step <= (this.samples.at(-1) ?? -1)) return;
    this.lanes = lanes;
    this.following = true;
    this.asking = this.sample(group, step).catch(() => {}).finally(() => (this.asking = null));
  }

  // Once the lanes have finished: what was passed over, evenly spaced.
  async fill(group, lanes) {
    this.following = false;
    await this.asking;
    this.lanes = lanes;
    const last = Math.max(...lanes.map((lane) => lane.lastFedStep()));
    const count = Math.min(last + 1, most, Math.max(fewest, Math.floor(questions / lanes.length)));
    if (count < 1) return;
    const turns = Math.ceil(lanes.length / Math.floor(questions / count));
    const apart = last / Math.max(count - 1, 1);
    const near = Math.max(apart / 2, 1);
    const asked = (lane, step) => this.samples.some((one) => Math.abs(one - step) < near && this.shares.has(`${lane.index},${one}`));
    if (!this.chosen) this.wanted = Math.min(...lanes.map((lane) => lane.lastFedStep()));  // later on, some lanes have ended
    for (let i = count - 1; i >= 0; --i) {
      const step = Math.round(i * apart);
      if (!this.element.isConnected) return;
      await this.sample(group, step, lanes.filter((lane) => lane.index % turns === i % turns && !asked(lane, step)));
    }
  }

  async sample(group, step, lanes = this.lanes) {
    const { following } = this;
    for (const lane of lanes.filter((one) => one.fedAt(step))) {
      if (following && !this.following) return;  // what it has not come to is fill()'s
      const began = performance.now();
      await this.probe(group, lane.index, step);
      const took = performance.now() - began;
      this.add(step);
      this.draw();
      if (this.following) await pause(rest * took);
    }
  }

  add(step) {
    if (this.samples.includes(step)) return;
    this.samples = [...this.samples, step].sort((a, b) => a - b);
    this.slider.disabled = false;
    this.slider.max = this.samples.length - 1;
    this.slide();
  }

  // To the sample that is nearest to the step that is wanted.
  slide() {
    const away = this.samples.map((step) => Math.abs(Math.min(this.wanted, this.samples.at(-1)) - step));
    this.slider.value = away.indexOf(Math.min(...away));
  }

  async probe(group, lane, step) {
    const probe = await request("GET", `/v1/groups/${group}/lanes/${lane}/attention?step=${step}&detail=sums`);
    const row = new Array(1 + this.lanes.length).fill(0);
    for (const part of probe.parts) row[1 + part.lane] += part.sum;
    this.shares.set(`${lane},${step}`, row);
  }

  show(lane, step) {
    if (this.samples.length === 0) return;
    this.lane = lane;
    this.chosen = true;
    this.wanted = step;
    this.slide();
    this.draw();
  }

  // Of what the server was asked about; nothing where it was not.
  row(lane, sample) {
    return this.shares.get(`${lane},${this.samples[sample]}`);
  }

  // Lanes are asked about one by one, and where there are many they take turns: of one that has not been asked about at this
  // sample, though it was there, the nearest row stands for it.
  known(lane, sample) {
    const has = (one) => this.row(lane, one) !== undefined;
    if (has(sample) || !this.lanes[lane]?.fedAt(this.samples[sample])) return sample;
    for (let away = 1; away < this.samples.length; ++away) {
      if (has(sample - away)) return sample - away;
      if (has(sample + away)) return sample + away;
    }
    return sample;
  }

  draw() {
    if (this.samples.length === 0) return;
    const sample = Number(this.slider.value);
    const count = this.lanes.length;
    for (let k = this.choice.length; k < count; ++k) this.choice.append(element("option", { value: k }, String(k + 1)));
    this.choice.disabled = false;
    this.choice.value = this.lane;
    this.slider.setAttribute("aria-valuetext", `step ${this.samples[sample]}`);
    const rows = this.lanes.map((_, lane) => this.row(lane, this.known(lane, sample)));
    const columns = this.samples.map((_, one) => this.row(this.lane, this.known(this.lane, one)));
    paint(this.matrix, count + 1, count, (x, y) => rows[y]?.[x] ?? 0);
    paint(this.strip, this.samples.length, count + 1, (x, y) => columns[x]?.[y] ?? 0);
    this.note.textContent = `Left: step ${this.samples[sample]}, a row a lane. Right: lane ${this.lane + 1} over time. ` +
      "First column and first row: the prompt.";
  }

  // In the canvas's title: what the cell under the pointer says.
  explain(event, placeOf) {
    const { target, offsetX, offsetY } = event;
    if (this.samples.length === 0) return;
    const [lane, sample, source] = placeOf(Math.floor((offsetX * target.width) / target.clientWidth), Math.floor((offsetY * target.height) / target.clientHeight));
    const share = (100 * (this.row(lane, sample)?.[source] ?? 0)).toFixed(1);
    const where = source === 0 ? "the prompt" : source === lane + 1 ? "itself" : `lane ${source}`;
    target.title = `Step ${this.samples[sample]}: ${share} % of lane ${lane + 1}'s attention went to ${where}.`;
  }
}
