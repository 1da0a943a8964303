// SPDX-License-Identifier: Apache-2.0
// Where the lanes looked, over time: a matrix of lane x (prompt and lanes) at one step, and one lane's history. It is
// asked of the server at evenly spaced steps once the lanes have finished, so that they write at full speed.

import { request } from "./api.js";
import { element } from "./dom.js";

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

export class HeatMap {
  constructor() {
    this.matrix = element("canvas", { role: "img", "aria-label": "Attention of each lane at one step" });
    this.strip = element("canvas", { role: "img", "aria-label": "Attention of one lane over time" });
    this.slider = element("input", { type: "range", min: "0", max: "0", value: "0", disabled: "", "aria-label": "Step" });
    this.note = element("p", {}, "Drawn when the lanes have finished.");
    this.element = element("div", { class: "heat" }, element("h3", {}, "Lane by lane, over time"),
      element("div", { class: "heat-pair" }, this.matrix, this.strip), this.slider, this.note);
    this.samples = [];
    this.shares = new Map();  // "lane,step" -> [prompt, lane 0, lane 1, ...]
    this.lane = 0;
    this.slider.addEventListener("input", () => this.draw());
    this.strip.addEventListener("click", () => {
      this.lane = (this.lane + 1) % this.lanes.length;
      this.draw();
    });
  }

  async fill(group, lanes) {
    this.lanes = lanes;
    const last = Math.max(...lanes.map((lane) => lane.lastFedStep()));
    const count = Math.min(last + 1, lanes.length > 4 ? 24 : 48);
    if (count < 1) return;
    const spread = Array.from({ length: count }, (_, i) => Math.round((i * last) / Math.max(count - 1, 1)));
    this.samples = [...new Set(spread)];
    this.slider.max = this.samples.length - 1;
    this.slider.value = this.slider.max;
    this.slider.disabled = false;
    for (const step of [...this.samples].reverse()) {
      const asked = lanes.filter((lane) => step >= lane.startStep && step <= lane.lastFedStep());
      await Promise.all(asked.map((lane) => this.probe(group, lane.index, step)));
      if (!this.element.isConnected) return;
      this.draw();
    }
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
    const nearest = this.samples.reduce((best, one, i) => Math.abs(one - step) < Math.abs(this.samples[best] - step) ? i : best, 0);
    this.slider.value = nearest;
    this.draw();
  }

  at(lane, sample, source) {
    return this.shares.get(`${lane},${this.samples[sample]}`)?.[source] ?? 0;
  }

  draw() {
    if (this.samples.length === 0) return;
    const sample = Number(this.slider.value);
    const count = this.lanes.length;
    paint(this.matrix, count + 1, count, (x, y) => this.at(y, sample, x));
    paint(this.strip, this.samples.length, count + 1, (x, y) => this.at(this.lane, x, y));
    this.note.textContent =
      `Left: step ${this.samples[sample]}, one row a lane, its first column the prompt. Right: lane ${this.lane + 1} over time, its first row the prompt; click for the next lane.`;
  }
}
