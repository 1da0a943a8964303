// SPDX-License-Identifier: Apache-2.0
// What the browser keeps: one key, an object with a version. What it cannot read, or an older version wrote, it forgets. The
// conversation is kept for the tab alone, so that a reload does not lose it. The API key is not here: api.js keeps it.

const key = "lanerope";
const version = 1;

export function stored() {
  try {
    const kept = JSON.parse(localStorage.getItem(key));
    return kept?.version === version ? kept : {};
  } catch {
    return {};  // a browser that keeps nothing, or text that is not ours
  }
}

export function store(changes) {
  try {
    localStorage.setItem(key, JSON.stringify({ ...stored(), ...changes, version }));
  } catch {
    // Full, or forbidden: the page works without.
  }
}

const isText = (value) => typeof value === "string";

// The turns that were kept, [{prompt, files: [{name, text}], reply}].
export function keptTurns() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key));
    if (kept?.version !== version) return [];
    return kept.turns.filter(({ prompt, reply, files }) => isText(prompt) && isText(reply) && files.every(({ name, text }) => isText(name) && isText(text)));
  } catch {
    return [];
  }
}

export function keepTurns(turns) {
  try {
    sessionStorage.setItem(key, JSON.stringify({ version, turns }));
  } catch {
    sessionStorage.removeItem(key);  // too long to be kept: rather nothing than what it was before
  }
}
