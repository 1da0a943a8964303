// SPDX-License-Identifier: Apache-2.0
// What a model thinks before it answers, as families of models mark it in their text. Where a template opens the thinking itself,
// only the mark that closes it is there.

const marks = [["<think>", "</think>"], ["<seed:think>", "</seed:think>"], ["[THINK]", "[/THINK]"]];

// {thought, answer, thinking}: whether it still thinks.
export function splitThinking(text) {
  for (const [opens, closes] of marks) {
    const begins = text.trimStart().startsWith(opens);
    const end = text.indexOf(closes);
    if (!begins && end < 0) continue;
    const from = begins ? text.indexOf(opens) + opens.length : 0;
    if (end < 0) return { thought: text.slice(from).trim(), answer: "", thinking: true };
    return { thought: text.slice(from, end).trim(), answer: text.slice(end + closes.length).trimStart(), thinking: false };
  }
  return { thought: "", answer: text, thinking: false };
}
