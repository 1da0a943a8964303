// SPDX-License-Identifier: Apache-2.0
// Files of text beside a prompt: chosen, pasted or dropped, read here, and sent as text behind it.

import { byId, element } from "./dom.js";

const mostBytes = 512 * 1024;      // of one file
const mostTogether = 1024 * 1024;  // of all files of a prompt

export function sizeInWords(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

// Resolves to {name, text, bytes}, or rejects with a sentence.
async function readText(file) {
  if (file.size > mostBytes) {
    throw new Error(`${file.name} is too large: ${sizeInWords(file.size)}, and a file may have ${sizeInWords(mostBytes)} at most.`);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    if (bytes.includes(0)) throw new TypeError("a zero byte");
    return { name: file.name, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), bytes: bytes.length };
  } catch {
    throw new Error(`${file.name} is not text in UTF-8: lanes read text only.`);
  }
}

// Longer than any run of backticks in the text, so that nothing in it ends the block.
function fenceFor(text) {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  return "`".repeat(longest + 1);
}

// What the model gets: the prompt, and each file under its name.
export function withFiles(prompt, files) {
  return [prompt, ...files.map(({ name, text }) => `${name}:\n${fenceFor(text)}\n${text.replace(/\n$/, "")}\n${fenceFor(text)}`)]
    .filter(Boolean).join("\n\n");
}

// A list of files as it stands by a prompt; with `remove` each can be taken away.
export function fileList(files, remove) {
  return files.map((file) => {
    const item = element("li", {}, element("span", { class: "name" }, file.name), element("span", { class: "quiet" }, sizeInWords(file.bytes)));
    if (remove) {
      const button = element("button", { type: "button", class: "plain", "aria-label": `Remove ${file.name}` }, "×");
      button.addEventListener("click", () => remove(file));
      item.append(button);
    }
    return item;
  });
}

export class Attachments {
  constructor(list, notice) {
    this.list = list;
    this.notice = notice;
    this.files = [];
  }

  // `chosen`: File objects. Those that cannot be sent are refused with a sentence; the others stay.
  async add(chosen) {
    const refused = [];
    for (const file of chosen) {
      try {
        const read = await readText(file);
        const together = this.files.reduce((sum, { bytes }) => sum + bytes, read.bytes);
        if (together > mostTogether) throw new Error(`${file.name} does not fit: the files of a prompt may have ${sizeInWords(mostTogether)} together.`);
        this.files.push(read);
      } catch (error) {
        refused.push(error.name === "NotReadableError" ? `${file.name} cannot be read.` : error.message);
      }
    }
    this.notice(refused.join(" "));
    this.show();
  }

  set(files) {
    this.files = [...files];
    this.show();
  }

  show() {
    this.list.hidden = this.files.length === 0;
    this.list.replaceChildren(...fileList(this.files, (gone) => this.remove(gone)));
  }

  // The focus goes on to the file that takes its place.
  remove(gone) {
    const at = this.files.indexOf(gone);
    const had = this.list.contains(document.activeElement);
    this.set(this.files.filter((file) => file !== gone));
    if (!had) return;
    const buttons = this.list.querySelectorAll("button");
    (buttons[Math.min(at, buttons.length - 1)] ?? byId("attach")).focus();
  }
}
