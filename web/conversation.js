// SPDX-License-Identifier: Apache-2.0
// The turns, one after another. Each is asked with what was said before it; to go back to one drops what follows.

import { scrolling } from "./dom.js";
import { Run } from "./run.js";
import { Turn } from "./turn.js";

export class Conversation {
  // hooks: changed(), notice(text), failed(error), viewed(view), link(turn); settings() for a turn that is asked again, or null
  // and a notice.
  constructor(place, hooks) {
    this.place = place;
    this.hooks = hooks;
    this.turns = [];
    this.view = "text";
  }

  get running() {
    return this.turns.some((turn) => turn.running);
  }

  get runs() {
    return this.turns.flatMap((turn) => turn.runs);
  }

  // What has been said before `turn`, or in all. A turn that nobody answered is not part of it.
  messagesBefore(turn) {
    const end = turn ? this.turns.indexOf(turn) : this.turns.length;
    return this.turns.slice(0, end).filter((one) => one.reply() !== "")
      .flatMap((one) => [{ role: "user", content: one.content() }, { role: "assistant", content: one.reply() }]);
  }

  addTurn(asked) {
    for (const run of this.runs) if (!run.folded) run.fold(true);
    const turn = new Turn(asked, this.turns.length + 1, {
      edit: (one, text) => this.askAgain(one, text), retry: (one) => this.askAgain(one, one.prompt), link: (one) => this.hooks.link(one),
    });
    this.turns.push(turn);
    this.place.append(turn.element);
    return turn;
  }

  ask(asked, settings) {
    const turn = this.addTurn(asked);
    this.run(turn, settings);
    turn.element.scrollIntoView({ block: "start", behavior: scrolling() });
  }

  // Turns that have no lanes any more: [{prompt, files, reply}], and where they come from.
  load(turns, from) {
    for (const { prompt, files, reply } of turns) this.addTurn({ prompt, files, given: { text: reply, from } });
  }

  // What load() takes: the turns that were answered.
  answered() {
    return this.turns.filter((turn) => turn.reply() !== "")
      .map((turn) => ({ prompt: turn.prompt, files: turn.files.map(({ name, text, bytes }) => ({ name, text, bytes })), reply: turn.reply() }));
  }

  // With the settings as they stand in the form now. Whether it was taken; where not, a notice says why.
  askAgain(turn, text) {
    if (this.running) {
      this.hooks.notice("Lanes are still writing: stop them, or wait until they have finished, and run this again.");
      return false;
    }
    const settings = this.hooks.settings();
    if (settings === null) return false;
    this.hooks.notice("");
    this.cut(this.turns.indexOf(turn) + 1);
    for (const run of turn.runs) turn.drop(run);
    turn.prompt = text;
    turn.show();
    this.run(turn, settings);
    return true;
  }

  run(turn, settings, after) {
    const system = this.hooks.properties().chat_template && settings.system?.trim() ? [{ role: "system", content: settings.system.trim() }] : [];
    const messages = [...system, ...this.messagesBefore(turn), { role: "user", content: turn.content() }];
    const run = new Run({ messages, settings, properties: this.hooks.properties() }, this.view, {
      ...this.hooks,
      settle: () => turn.settle(),
      preferred: (chosen) => turn.prefer(chosen),
      compare: (first, coupling) => this.compare(turn, first, coupling),
      viewed: (view) => this.setView(view),
    });
    turn.add(run, after);
    run.start();
    this.hooks.changed();
  }

  // The same request and seed with another coupling, beneath; in the place of what was compared before.
  compare(turn, first, coupling) {
    const next = turn.runs[turn.runs.indexOf(first) + 1];
    if (next) turn.drop(next);
    turn.settle();  // what was dropped may have been the answer
    this.run(turn, { ...first.settings, seed: first.group.seed ?? first.settings.seed, coupling }, first);
    turn.runs.at(-1).section.scrollIntoView({ block: "nearest", behavior: scrolling() });
  }

  setView(view) {
    this.view = view;
    for (const run of this.runs) run.setView(view);
    this.hooks.viewed(view);
  }

  stop() {
    for (const run of this.runs) run.stop();
  }

  cut(length) {
    for (const turn of this.turns.splice(length)) {
      for (const run of turn.runs) turn.drop(run);
      turn.element.remove();
    }
  }

  record(model) {
    return {
      format: "lanerope-conversation", version: 1, written: new Date().toISOString(), model, turns: this.turns.map((turn) => turn.record()),
    };
  }
}
