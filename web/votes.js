// SPDX-License-Identifier: Apache-2.0
// The votes: what lanes answer, and how many give the same answer. Counted here while they write, by the server in the end.

import { bars, element } from "./dom.js";

const shown = 7;

const opening = "\\boxed{";
const brace = /[{}]/g;

// The boxes of a text that grows, of which only what is new is read. A box with a brace in it is none.
class Boxes {
  constructor() {
    this.read = 0;     // characters that need not be looked at again
    this.open = -1;    // where the content of a box begins whose end is still to come
    this.last = null;  // what is in the last box
  }

  take(text) {
    while (this.read < text.length) {
      if (this.open < 0) {
        const at = text.indexOf(opening, this.read);
        if (at < 0) {
          this.read = Math.max(this.read, text.length - opening.length + 1);  // it may end with the beginning of one
          break;
        }
        this.open = this.read = at + opening.length;
      }
      brace.lastIndex = this.read;
      const end = brace.exec(text)?.index ?? text.length;
      if (end === text.length) {
        this.read = end;
        break;
      }
      const closed = text[end] === "}";
      if (closed) this.last = text.slice(this.open, end).trim();
      this.read = closed ? end + 1 : end - opening.length + 1;  // another box may begin with this brace
      this.open = -1;
    }
    return this.last;
  }
}

const lastNumber = (text) => text.match(/-?\d[\d,]*(\.\d+)?/g)?.pop().replaceAll(",", "") ?? null;

const readings = new WeakMap();  // lane -> {boxes, number}: what has been read of its text, which only grows

// What the server does at the end for good, done here early so that votes show while lanes write.
export function earlyAnswer(lane) {
  if (!readings.has(lane)) readings.set(lane, { boxes: new Boxes() });
  const reading = readings.get(lane);
  const boxed = reading.boxes.take(lane.text);
  if (boxed !== null || !lane.finish) return boxed;
  reading.number ??= { last: lastNumber(lane.text) };  // nothing follows any more
  return reading.number.last;
}

// What a lane answers as far as is known: the server's word where it has been said.
export function answerOf(lane) {
  return lane.verdict ? lane.verdict.answer : earlyAnswer(lane);
}

export function earlyVotes(lanes) {
  const counts = new Map();
  for (const lane of lanes) {
    const answer = earlyAnswer(lane);
    if (answer) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  return [...counts].map(([answer, count]) => ({ answer, count })).sort((a, b) => b.count - a.count);
}

export class Votes {
  constructor() {
    this.list = element("ol", { class: "votes" });
    this.hint = element("p", { class: "quiet" }, "No answers yet.");
    this.element = element("div", {}, element("h4", {}, "Votes"), this.list, this.hint);
  }

  show(votes, total) {
    this.hint.hidden = votes.length > 0;
    bars(this.list, votes.slice(0, shown).map(({ answer, count }, i) => ({
      name: answer, share: count / total, value: `${count} of ${total}`, first: i === 0,
    })));
  }

  none() {
    this.hint.textContent = "No lane gave an answer that could be counted.";
  }
}
