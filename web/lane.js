// SPDX-License-Identifier: Apache-2.0
// One lane: what it has written, and how it stands. How it looks is lane_column.js's and lane_strip.js's.

const endings = {
  end: "ended",
  stop: "stopped",
  length: "budget spent",
  retired: "retired",
  consensus: "consensus",
  cancelled: "cut off",
  failed: "failed",
};

const doings = { retire: "retires it", push: "gives it a text", spawn: "adds it", end: "ends the group" };

const longest = 200;  // characters of what a policy or a tool says that are shown beside the lane
const cut = (text) => (text.length > longest ? `${text.slice(0, longest)}…` : text);

// What a policy did, and why, in a clause.
export function actLine({ policy, act, parent, reason, refused }) {
  const doing = act === "fork" ? `forks it from lane ${parent + 1}` : doings[act] ?? act;
  return refused ? `${policy} could not: ${refused}` : `${policy} ${doing}: ${reason}`;
}

export function laneColour(index, count) {
  return `oklch(0.66 0.1 ${Math.round((index * 360) / Math.max(count, 6) + 205) % 360})`;
}

export class Lane {
  constructor(index, { budget, tag, count, secondStage, marks }) {
    this.index = index;
    this.secondStage = secondStage;  // it reads the others, which have ended
    this.name = secondStage ? "Second stage" : `Lane ${index + 1}`;
    this.colour = laneColour(index, count);
    this.budget = budget;
    this.tag = tag;
    this.marks = marks;  // of its model's thinking
    this.pieces = [];  // {text, step, forced}; without a step: text that it did not write itself, or that was held back
    this.steps = [];  // of all its tokens, tags too; where it slept, some are missing
    this.moves = [];  // {from, to}: the token that was held back while it slept
    this.tagSteps = new Set();
    this.text = "";
    this.used = 0;
    this.generated = 0;
    this.startStep = 0;
    this.begun = false;
    this.asleep = false;
    this.finish = null;
    this.origin = "";
    this.acts = [];  // of policies on it and its calls of tools, a clause each: {text, whole}
    this.verdict = null;  // {answer, answer_from} of the server's reply
    this.selected = false;
    this.chosen = false;  // the conversation goes on from it
    this.lit = new Map();  // step -> how bright its token is
    this.tagLight = 0;
    this.current = null;  // the step of the token that is pointed at
  }

  // The last token that a lane writes is never read back, so nothing can be asked about it.
  lastFedStep() {
    return this.steps.at(-2) ?? this.startStep - 1;
  }

  fedAt(step) {
    return step <= this.lastFedStep() && this.steps.includes(step);
  }

  stateName() {
    if (this.selected) return "selected";
    if (this.finish) return endings[this.finish] ?? this.finish;
    if (this.asleep) return "asleep";
    return this.begun ? "writing" : "waiting";
  }

  spent() {
    return Math.min(this.used / this.budget, 1);
  }

  started(step, text) {
    this.begun = true;
    this.startStep = step;
    if (text) this.write({ text });
  }

  comesFrom(parent, step) {
    this.origin = `forked from lane ${parent + 1} at token ${step}`;
  }

  acted(event) {
    const whole = actLine(event);
    this.acts.push({ text: cut(whole), whole });
  }

  called({ name, arguments: given, result, failed }) {
    const line = (shown) => `${name} ${shown(given)}${failed ? " in vain" : ""}: ${shown(result)}`;
    this.acts.push({ text: line(cut), whole: line((text) => text) });
  }

  add({ step, text, forced }) {
    this.used += 1;
    this.steps.push(step);
    if (!forced) this.generated += 1;
    if (forced && this.generated === 0 && text === "") {
      this.tagSteps.add(step);
    } else {
      this.write({ text, step, forced });
    }
  }

  write(piece) {
    this.pieces.push(piece);
    this.text += piece.text;
  }

  sleep() {
    this.asleep = true;
  }

  // The token that was held back is fed now: it stands at this step.
  wake(step) {
    this.asleep = false;
    const from = this.steps.pop();
    if (from === undefined) return;
    this.steps.push(step);
    this.moves.push({ from, to: step });
    if (this.tagSteps.delete(from)) this.tagSteps.add(step);
    const piece = this.pieces.findLast((one) => one.step === from);
    if (piece) piece.step = step;
    if (this.current === from) this.current = step;
  }

  end({ finish, text }) {
    this.finish = finish;
    this.asleep = false;
    if (text) this.write({ text });
  }

  // What `part` of a probe says was looked at, brightest at `scale` times its weight.
  light({ first_step: first, weights }, scale) {
    weights.forEach((weight, i) => {
      const share = 0.85 * Math.min(weight * scale, 1);
      if (this.tagSteps.has(first + i)) this.tagLight = Math.max(this.tagLight, share);
      else this.lit.set(first + i, Math.max(this.lit.get(first + i) ?? 0, share));
    });
  }

  unlight() {
    this.lit.clear();
    this.tagLight = 0;
  }
}
