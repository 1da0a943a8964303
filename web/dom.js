// SPDX-License-Identifier: Apache-2.0

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

export const byId = (id) => document.getElementById(id);

// Whether the text is in the clipboard now. Browsers lend the newer interface to safe origins only.
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = element("textarea", { "aria-hidden": "true", class: "offstage" });
    field.value = text;
    const focused = document.activeElement;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    focused?.focus();
    return copied;
  }
}

// How to scroll: at once where the reader wants nothing to move.
export const scrolling = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");

// Whether a control that has the focus is about to lose it: it was disabled, or is hidden with what it stands in.
export const losesFocus = (node) => node !== null && (node.disabled || node.closest("[hidden]") !== null);

// Says something to those who do not see the page.
export function announce(text) {
  byId("announcer").textContent = text;
}

// One question in a dialog. Resolves to the text, or to null if it was dismissed.
export function ask({ title, help = "", text = "", send = "Send", secret = false }) {
  const dialog = byId("ask");
  const field = byId(secret ? "ask-secret" : "ask-text");
  byId("ask-secret").hidden = !secret;
  byId("ask-text").hidden = secret;
  byId("ask-title").textContent = title;
  byId("ask-help").textContent = help;
  byId("ask-ok").textContent = send;
  field.value = text;
  dialog.returnValue = "";
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? field.value : null), { once: true });
  });
}

byId("ask")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.isComposing && !event.shiftKey && event.target.id.startsWith("ask-")) {
    event.preventDefault();
    byId("ask").close("ok");
  }
});

export function bars(list, rows) {
  list.replaceChildren(...rows.map(({ name, share, value, first }) => {
    const fill = element("i");
    fill.style.transform = `scaleX(${Math.min(Math.max(share, 0), 1)})`;
    fill.style.background = "var(--accent)";
    const row = element("li", first ? { class: "first" } : {}, element("span", { title: name }, name),
      element("div", { class: "bar" }, fill), element("span", {}, value));
    return row;
  }));
}
