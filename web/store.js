// SPDX-License-Identifier: Apache-2.0
// What the browser keeps: one key, an object with a version. What it cannot read, or an older version wrote, it forgets. The API
// key is not here: api.js keeps it for the tab alone.

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
