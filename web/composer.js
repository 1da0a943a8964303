// SPDX-License-Identifier: Apache-2.0
// Where a message is written: its text, its files, and the buttons that run and stop.

import { Attachments } from "./attachments.js";
import { byId } from "./dom.js";

export class Composer {
  // hooks: send({prompt, files}) says whether it was taken; stop(), notice(text).
  constructor(form, hooks) {
    this.form = form;
    this.hooks = hooks;
    this.prompt = form.elements.prompt;
    this.attachments = new Attachments(byId("files"), hooks.notice);
    this.touch = matchMedia("(pointer: coarse)").matches;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    byId("stop").addEventListener("click", () => hooks.stop());
    this.prompt.addEventListener("input", () => this.grow());
    this.prompt.addEventListener("keydown", (event) => this.key(event));
    this.prompt.addEventListener("paste", (event) => this.paste(event));
    const chooser = byId("choose-files");
    byId("attach").addEventListener("click", () => chooser.click());
    chooser.addEventListener("change", async () => {
      await this.attachments.add([...chooser.files]);
      chooser.value = "";
    });
    this.receiveDrops();
  }

  // Enter sends where there is a keyboard, and Ctrl+Enter anywhere; Shift+Enter is a new line.
  key(event) {
    if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
    if (this.touch && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  // Spreadsheets and word processors put a picture of the text beside it; a file manager puts a file's name beside the file.
  paste(event) {
    const { files, types } = event.clipboardData;
    const pictured = types.includes("text/plain") && [...files].every(({ type }) => type.startsWith("image/"));
    if (files.length === 0 || pictured) return;
    event.preventDefault();
    this.attachments.add([...files]);
  }

  // Files may be dropped anywhere on the page.
  receiveDrops() {
    const hasFiles = (event) => [...event.dataTransfer.types].includes("Files");
    const mark = (on) => this.form.classList.toggle("dropping", on);
    document.addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      mark(true);
    });
    document.addEventListener("dragleave", (event) => {
      if (event.relatedTarget === null) mark(false);
    });
    document.addEventListener("drop", (event) => {
      mark(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.attachments.add([...event.dataTransfer.files]);
    });
  }

  send() {
    const prompt = this.prompt.value.trim();
    const { files } = this.attachments;
    if (!prompt && files.length === 0) {
      this.hooks.notice("Write a prompt first, or choose an example.");
      this.prompt.focus();
      return;
    }
    if (this.hooks.send({ prompt, files })) this.fill("", []);
  }

  fill(prompt, files) {
    this.prompt.value = prompt;
    this.attachments.set(files);
    this.grow();
  }

  // As high as its text, within reason.
  grow() {
    this.prompt.style.height = "auto";
    this.prompt.style.height = `${this.prompt.scrollHeight + 2}px`;
  }

  setRunning(running, ready) {
    const [run, stop] = [byId("run"), byId("stop")];
    const had = document.activeElement === stop;
    stop.disabled = !running;
    run.disabled = running || !ready;
    // Not the message where a keyboard would come up on the screen and cover the answer.
    if (had && !running) (this.touch ? run : this.prompt).focus({ preventScroll: true });
  }
}
