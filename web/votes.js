// SPDX-License-Identifier: Apache-2.0
// The votes: what lanes answer, and how many give the same answer. Counted here while they write, by the server in the end.

import { bars, element } from "./dom.js";

const shown = 7;

// What the server does at the end for good, done here early so that votes show while lanes write.
export function earlyAnswer(lane) {
  const boxed = [...lane.text.matchAll(/\\boxed\{([^{}]*)\}/g)].pop();
  if (boxed) return boxed[1].trim();
  if (!lane.finish) return null;
  const numbers = lane.text.match(/-?\d[\d,]*(\.\d+)?/g);
  return numbers ? numbers.pop().replaceAll(",", "") : null;
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
