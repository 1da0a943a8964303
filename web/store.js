// SPDX-License-Identifier: Apache-2.0
// What the browser keeps: one key, an object with a version. What it cannot read, or an older version wrote, it forgets. The
// conversation and the API key are kept for the tab alone, so that a reload does not lose them. Without any of it the page works.

const key = "lanerope";
const keyOfApi = "lanerope-api-key";
const version = 1;

// null where nothing can be kept or read: no place is left, or site data is blocked, and then even to name a storage throws.
function tried(act) {
  try {
    return act();
  } catch {
    return null;
  }
}

// Of text that is not ours, nothing.
function parsed(text) {
  const kept = tried(() => JSON.parse(text));
  return kept?.version === version ? kept : {};
}

export const stored = () => parsed(tried(() => localStorage.getItem(key)));

export function store(changes) {
  tried(() => localStorage.setItem(key, JSON.stringify({ ...stored(), ...changes, version })));
}

export const keptKey = () => tried(() => sessionStorage.getItem(keyOfApi));
export const keepKey = (apiKey) => tried(() => sessionStorage.setItem(keyOfApi, apiKey));

const isText = (value) => typeof value === "string";
const isTurn = ({ prompt, reply, files }) => isText(prompt) && isText(reply) && files.every(({ name, text }) => isText(name) && isText(text));

// The turns that were kept, [{prompt, files: [{name, text}], reply}].
export function keptTurns() {
  const { turns } = parsed(tried(() => sessionStorage.getItem(key)));
  return tried(() => turns.filter(isTurn)) ?? [];
}

export function keepTurns(turns) {
  tried(() => {
    sessionStorage.removeItem(key);  // where they are too long to be kept, rather nothing than what it was before
    sessionStorage.setItem(key, JSON.stringify({ version, turns }));
  });
}
