// SPDX-License-Identifier: Apache-2.0
// What is said of a group in a line: while its lanes write, and when they have ended.

const speed = (rate) => rate.toFixed(rate < 100 ? 1 : 0);

export function progress(group) {
  if (group.id === null) return "Starting";
  if (!group.readAt) return `Reading a prompt of ${group.promptTokens} tokens`;
  const seconds = (performance.now() - group.readAt) / 1000;
  const rate = seconds > 0.2 ? `${speed(group.generated() / seconds)} tokens/s` : "";
  return [`${group.generated()} tokens`, rate, `seed ${group.seed}`].filter(Boolean).join(" · ");
}

// Which lane the server selected, and by what; `how` alone: "selected by ...".
export function laneSelected({ reply }, part = "all") {
  if (!reply || reply.selected === null) return "";
  const byVote = reply.select === "vote";
  const by = byVote && reply.votes.length === 0 ? "log-probability" : reply.select;
  if (reply.selected === reply.then_lane) return `answer of the second stage, ${(100 * reply.confidence).toFixed(0)} %`;
  const calibrated = reply.confidence_kind === "calibrated" ? " calibrated" : "";
  const how = `selected by ${by}, ${(100 * reply.confidence).toFixed(0)} %${calibrated}`;
  return part === "how" ? how : `lane ${reply.selected + 1} ${how}`;
}

export function ended(group) {
  if (group.error) return group.error.message;
  const { reply } = group;
  if (!reply) return "Stopped";
  const seconds = reply.predicted_ms / 1000;
  const parts = [`${group.generated()} tokens in ${seconds.toFixed(seconds < 1 ? 2 : 1)} s`];
  if (seconds > 0) parts.push(`${speed(group.generated() / seconds)} tokens/s`);
  if (reply.consensus) parts.push("ended by consensus");
  else parts.push(...group.ends);
  if (reply.selected !== null) parts.push(laneSelected(group));
  parts.push(`seed ${reply.seed}`);
  return (group.stopped ? "Stopped · " : "") + parts.join(" · ");
}
