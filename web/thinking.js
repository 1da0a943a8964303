// SPDX-License-Identifier: Apache-2.0
// What a model thinks before it answers, between the marks that /props names: {begin, end, message, answer}, as
// include/lanerope/chat_style.h has them. Where a template opens the thinking itself, only the mark that closes it is there.

// A model may think though its template does not say so.
const usual = [["<think>", "</think>"], ["<seed:think>", "</seed:think>"], ["[THINK]", "[/THINK]"]]
  .map(([begin, end]) => ({ begin, end, message: "", answer: "" }));

// Without the marks, and without the beginning of one that is still being written. Several messages of it are set apart.
function wordsOf(thought, { begin, end, message, answer }) {
  let pieces = [thought];
  for (const mark of [begin, end, message].filter(Boolean)) pieces = pieces.flatMap((piece) => piece.split(mark));
  pieces = pieces.map((piece) => piece.trim()).filter(Boolean);
  if (answer !== "" && [begin, message, answer].some((mark) => mark.startsWith(pieces.at(-1)))) pieces.pop();
  return pieces.join("\n\n");
}

// null: nothing of it is thinking.
function split(text, marks, growing) {
  const { begin, end, answer } = marks;
  const start = text.trimStart();
  if (growing && start !== "" && [begin, answer].some((mark) => mark.startsWith(start))) return { thought: "", answer: "", thinking: true };
  const said = answer === "" ? -1 : text.indexOf(answer);
  if (said >= 0) {
    const rest = text.slice(said + answer.length).split(end)[0];
    return { thought: wordsOf(text.slice(0, said), marks), answer: rest.trimStart(), thinking: false };
  }
  const close = text.indexOf(end);
  if (!start.startsWith(begin) && close < 0) return null;
  if (close < 0 || answer !== "") return { thought: wordsOf(text, marks), answer: "", thinking: true };
  return { thought: wordsOf(text.slice(0, close), marks), answer: text.slice(close + end.length).trimStart(), thinking: false };
}

// {thought, answer, thinking}: whether it still thinks. marks: the model's, where its template has some; growing: more may follow.
export function splitThinking(text, marks, growing = false) {
  for (const one of marks?.begin ? [{ ...marks, begin: marks.begin.trim() }] : usual) {
    const parts = split(text, one, growing);
    if (parts !== null) return parts;
  }
  return { thought: "", answer: text, thinking: false };
}
