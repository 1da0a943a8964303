// SPDX-License-Identifier: Apache-2.0
// The page: connects to the server, and joins the form, the conversation, links and what the browser keeps.

import { request, setApiKey } from "./api.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { announce, ask, byId, copyText, element, losesFocus } from "./dom.js";
import { linkTo, requestOf } from "./link.js";
import { SettingsForm } from "./settings_form.js";
import { keepTurns, keptTurns, store, stored } from "./store.js";

// For any model; the server names those that the model at hand was trained for.
const examples = [
  { name: "Primes", prompt: "How many primes are below 100? Reason step by step, and put your final answer within \\boxed{}.", budget: 512 },
  { name: "Split the work", prompt: "List ten facts about the planet Mars. Work together: no fact twice.", budget: 256 },
];

let properties = null;
let restored = false;  // what the tab kept is in the page

function notice(text, good = false) {
  const line = byId("notice");
  line.textContent = text;
  line.classList.toggle("good", good);
  line.hidden = !text;
}

const settings = new SettingsForm(byId("form"));
const conversation = new Conversation(byId("turns"), {
  changed,
  notice,
  failed: (error) => {
    if (error.status === 401) askForKey();
  },
  viewed: (view) => store({ view }),
  link: copyLink,
  settings: () => sound(),
  properties: () => properties,
});
const composer = new Composer(byId("form"), { send, stop: () => conversation.stop(), notice });

function changed() {
  const { running } = conversation;
  const focused = document.activeElement;
  composer.setRunning(running, Boolean(properties));
  for (const turn of conversation.turns) turn.setBusy(running);
  for (const id of ["new", "export"]) byId(id).disabled = running || conversation.turns.length === 0;
  byId("empty").hidden = conversation.turns.length > 0;
  if (running && losesFocus(focused)) byId("stop").focus({ preventScroll: true });
  if (restored && !running) keepTurns(conversation.answered());
}

// The settings, or null and a sentence where one of them is none.
function sound() {
  const wrong = settings.wrong();
  if (!wrong) return settings.read();
  settings.open(true);
  notice(`${wrong.labels[0].firstChild.textContent.trim()}: ${wrong.validationMessage}`);
  wrong.focus();
  return null;
}

function send(asked) {
  if (!properties || conversation.running) return false;
  const chosen = sound();
  if (!chosen) return false;
  notice("");
  settings.open(false);
  conversation.ask(asked, chosen);
  return true;
}

async function copyLink(turn) {
  const { seed, ...rest } = turn.runs[0]?.settings ?? settings.read();
  try {
    const link = linkTo({
      earlier: conversation.messagesBefore(turn), prompt: turn.prompt, files: turn.files, settings: { ...rest, seed: turn.runs[0]?.group.seed ?? seed },
    });
    if (await copyText(link)) notice("The link is copied. It holds the request, what was said before it and its settings, not the lanes.", true);
    else await ask({ title: "A link to this request", help: "It could not be copied: take it from here.", text: link, send: "Done" });
  } catch (error) {
    notice(error.message);
  }
}

function openLink() {
  try {
    const shared = requestOf(location.hash);
    if (!shared) return;
    history.replaceState(null, "", location.pathname);
    if (conversation.turns.length > 0) {
      notice("The link was not opened, since this conversation would be lost: press New, or open it in another tab.");
      return;
    }
    conversation.load(shared.earlier, "From a link");
    composer.fill(shared.prompt, shared.files);
    const refused = settings.fill(shared.settings);
    settings.open(true);  // a system prompt that came with it is to be seen
    const but = refused.length > 0 ? ` This server does not have its ${refused.join(", ")}.` : "";
    notice(`This request came by a link. Look at it, then run it.${but}`, refused.length === 0);
    changed();
  } catch (error) {
    notice(error.message);
  }
}

async function askForKey() {
  const key = await ask({ title: "This server asks for an API key", help: "It stays in this tab.", send: "Use it", secret: true });
  if (key === null) return false;
  setApiKey(key);
  return true;
}

async function connect() {
  while (!properties) {
    try {
      properties = await request("GET", "/props");
    } catch (error) {
      byId("model").textContent = error.status === 503 ? "The model is loading" : error.message;
      if (error.status === 401 && !(await askForKey())) return;
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
  }
  settings.offer(properties);
  const trained = settings.lanes;
  const { model, kv_cells: cells, device } = properties;
  byId("model").textContent = byId("model").title = `${model}, ${trained ? "" : "not "}trained for lanes · ${cells} KV cells · ${device}`;
  byId("intro").textContent = trained
    ? "Each lane writes its own answer and reads, at every token, what the others have written so far."
    : "Each lane writes its own answer, and the answer that most of them agree on is selected. This model was not trained to work in " +
      "lanes, so each works by itself; with another coupling each reads, at every token, what the others have written so far.";
  offerExamples([...properties.examples, ...examples]);
  // Tokens show how trained lanes read one another; what other models write is better read as text.
  conversation.view = stored().view ?? (trained ? "tokens" : "text");
  conversation.load(keptTurns(), "From before the page was loaded again; its lanes are gone");
  openLink();
  restored = true;
  changed();
}

function offerExamples(list) {
  for (const { name, prompt, budget } of list) {
    const button = element("button", { type: "button" }, name);
    button.title = prompt;
    button.addEventListener("click", () => {
      composer.fill(prompt, []);
      settings.fill({ budget });
      byId("run").focus();
    });
    byId("examples").append(button);
  }
}

function exportConversation() {
  const record = conversation.record(properties.model);
  const place = URL.createObjectURL(new Blob([JSON.stringify(record, null, 1)], { type: "application/json" }));
  const name = `lanerope-${record.written.slice(0, 16).replace(/[-:]/g, "").replace("T", "-")}.json`;
  element("a", { href: place, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(place), 10000);
}

function showTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}

byId("new").addEventListener("click", () => {
  conversation.cut(0);
  notice("");
  changed();
  announce("A new conversation.");
  byId("prompt").focus();
});
byId("export").addEventListener("click", exportConversation);
byId("theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark" ||
    (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  const theme = dark ? "light" : "dark";
  store({ theme });
  showTheme(theme);
  conversation.runs.forEach((run) => run.heatMap.draw());
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || byId("ask").open || !conversation.running) return;
  conversation.stop();
});
addEventListener("hashchange", () => restored && openLink());  // until then connect() is to open it

showTheme(stored().theme);
changed();
connect();
