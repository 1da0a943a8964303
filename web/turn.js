// SPDX-License-Identifier: Apache-2.0
// A turn of the conversation: what was asked, and the runs that answer it; the second one compares another coupling.

import { fileList, withFiles } from "./attachments.js";
import { byId, element } from "./dom.js";
import { RichText } from "./rich_text.js";

export class Turn {
  // actions: edit(turn, text) says whether it was taken; retry(turn), link(turn). given: {text, from}, the answer of a turn
  // that has no run.
  constructor({ prompt, files = [], given = null }, number, actions) {
    this.prompt = prompt;
    this.number = number;
    this.files = files;
    this.given = given;
    this.runs = [];
    this.actions = actions;
    const button = (text, label, act) => {
      const made = element("button", { type: "button", class: "plain", "aria-label": label }, text);
      made.addEventListener("click", act);
      return made;
    };
    this.buttons = element("div", { class: "actions" }, button("edit", `Edit message ${number}`, () => this.edit()),
      button("retry", `Retry message ${number}`, () => actions.retry(this)),
      button("link", `Copy a link to request ${number}`, () => actions.link(this)));
    this.words = element("div", { class: "words", dir: "auto" });
    this.list = element("ul", { class: "files", "aria-label": "Files" });
    this.asked = element("div", { class: "asked" }, element("div", { class: "line" }, element("h2", {}, "You"), this.buttons), this.words, this.list);
    this.element = element("article", { class: "turn", "aria-label": `Message ${number}` }, this.asked);
    this.show();
    if (given !== null) {
      const text = element("div", { class: "text set" });
      new RichText(text, 4).update(given.text);
      this.element.append(element("div", { class: "run" }, element("div", { class: "folded" }, element("h3", { class: "quiet" }, given.from), text)));
      this.buttons.hidden = true;
    }
  }

  show() {
    this.words.textContent = this.prompt;
    this.list.hidden = this.files.length === 0;
    this.list.replaceChildren(...fileList(this.files));
  }

  add(run, after) {
    run.section.setAttribute("aria-label", `Answers to message ${this.number}, coupling ${run.settings.coupling}`);
    if (after) after.section.after(run.section);
    else this.element.append(run.section);
    this.runs.splice(after ? this.runs.indexOf(after) + 1 : this.runs.length, 0, run);
  }

  drop(run) {
    run.release();
    run.section.remove();
    this.runs = this.runs.filter((other) => other !== run);
  }

  get running() {
    return this.runs.some((run) => run.group.running);
  }

  // The conversation goes on with this run's answer, and with no other's.
  prefer(chosen) {
    for (const run of this.runs) if (run !== chosen) run.choose(null, false);
  }

  // Where nobody has chosen, the answer is that of the first run, once it has ended; of another one where that has none.
  settle() {
    for (const run of this.runs) {
      if (run.group.running || this.reply() !== "") return;
      if (run.chosen === null) run.choose(run.best(), false);
    }
  }

  // The answer that the conversation goes on with.
  reply() {
    if (this.given !== null) return this.given.text;
    return this.runs.map((run) => run.replyText()).find((text) => text !== "") ?? "";
  }

  content() {
    return withFiles(this.prompt, this.files);
  }

  setBusy(busy) {
    for (const button of this.buttons.children) button.disabled = busy;
  }

  edit() {
    const rows = Math.min(12, this.prompt.split("\n").length + 1);
    const field = element("textarea", { "aria-label": "The message, to be edited", dir: "auto", rows: String(rows) });
    field.value = this.prompt;
    const cancel = element("button", { type: "button" }, "Cancel");
    const send = element("button", { type: "button", class: "primary" }, "Run");
    const form = element("div", { class: "editing" }, field,
      element("div", { class: "buttons" }, element("span", { class: "quiet" }, "What follows this message is dropped."), cancel, send));
    const leave = () => {
      form.replaceWith(this.words);
      this.buttons.hidden = false;
    };
    const giveUp = () => {
      leave();
      this.buttons.firstChild.focus();
    };
    cancel.addEventListener("click", giveUp);
    send.addEventListener("click", () => {
      if (!field.value.trim() && this.files.length === 0) {
        field.focus();
      } else if (this.actions.edit(this, field.value.trim())) {
        leave();
        byId("stop").focus({ preventScroll: true });
      }
    });
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") {
        event.preventDefault();
        giveUp();
      } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        send.click();
      }
    });
    this.words.replaceWith(form);
    this.buttons.hidden = true;
    field.focus();
  }

  record() {
    return {
      prompt: this.prompt, files: this.files.map(({ name, text }) => ({ name, text })), reply: this.reply(),
      runs: this.runs.map((run) => ({ ...run.group.record(), chosen: run.chosen?.index ?? null })),
    };
  }
}
