// SPDX-License-Identifier: Apache-2.0

import { request, setApiKey } from "./api.js";
import { ask, byId, element } from "./dom.js";
import { Run } from "./run.js";

// For any model; the server names those that the model at hand was trained for.
const examples = [
  { name: "Primes", prompt: "How many primes are below 100? Reason step by step, and put your final answer within \\boxed{}.", budget: 256 },
  { name: "Split the work", prompt: "List ten facts about the planet Mars. Work together: no fact twice.", budget: 256 },
];

const form = byId("form");
let properties = null;
let runs = [];

function notice(text) {
  const line = byId("notice");
  line.textContent = text;
  line.hidden = !text;
}

function changed() {
  const running = runs.some((run) => run.running);
  byId("stop").disabled = !running;
  byId("run").disabled = running || !properties;
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
  const lanes = properties.trained_lanes.length > 0 || properties.adapters.some((adapter) => adapter.lanes);
  byId("model").textContent = byId("model").title = `${properties.model}${lanes ? ", trained for lanes" : ", not trained for lanes: each answers by itself"} · ${properties.kv_cells} KV cells · ${properties.device}`;
  if (!lanes) form.elements.init.options[0].remove();
  offerExamples([...properties.examples, ...examples]);
  const { coupling, init, select } = properties.names;
  const usual = lanes ? "lanerope" : "independent";  // lanes that were not trained for it do best by themselves
  offer("coupling", [...coupling].sort((a, b) => (b === usual) - (a === usual)));
  // Of a model that was not trained for lanes the one that harms least.
  form.elements.init.disabled = form.elements.coupling.value !== "lanerope";
  offer("init", lanes ? init : [...init].sort((a, b) => (b === "ntk-by-parts") - (a === "ntk-by-parts")));
  offer("select", select.filter((name) => name !== "verifier"), { logprob: "log-probability", first: "first to end" });
  changed();
}

// A button for each; the first one's budget is a good one to begin with where it is the model's own.
function offerExamples(list) {
  if (properties.examples.length > 0 && form.elements.budget.value === form.elements.budget.defaultValue) form.elements.budget.value = list[0].budget;
  for (const { name, prompt, budget } of list) {
    const button = element("button", { type: "button", class: "plain" }, name);
    button.addEventListener("click", () => {
      form.elements.prompt.value = prompt;
      form.elements.budget.value = budget;
      form.elements.prompt.scrollTop = 0;
      byId("run").focus();
    });
    byId("examples").append(button);
  }
}

// The choices of a field, as the server names them, in the order in which they are to stand.
function offer(name, choices, titles = {}) {
  for (const choice of choices) {
    form.elements[name].append(element("option", { value: choice }, titles[choice] ?? choice));
  }
}

function readSettings() {
  const field = form.elements;
  return {
    prompt: field.prompt.value.trim(),
    coupling: field.coupling.value,
    init: field.init.value,
    n: Number(field.n.value),
    budget: Number(field.budget.value),
    temperature: Number(field.temperature.value),
    select: field.select.value,
    consensus: Number(field.consensus.value || 0),
    seed: field.seed.value === "" ? undefined : Number(field.seed.value),
  };
}

function begin(settings, after) {
  byId("empty")?.remove();
  const run = new Run(settings, properties, {
    changed,
    notice,
    failed: (error) => {
      if (error.status === 401) askForKey();
    },
    compare: (first, coupling) => {
      const next = runs[runs.indexOf(first) + 1];
      if (next) drop(next);
      begin({ ...first.settings, coupling }, first);
    },
  });
  if (after) {
    after.section.after(run.section);
    runs.splice(runs.indexOf(after) + 1, 0, run);
    run.section.scrollIntoView({ block: "nearest", behavior: "smooth" });
  } else {
    byId("runs").append(run.section);
    runs.push(run);
  }
  run.start();
  changed();
}

function drop(run) {
  run.release();
  run.section.remove();
  runs = runs.filter((other) => other !== run);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!properties || runs.some((run) => run.running)) return;
  const settings = readSettings();
  notice("");
  if (!settings.prompt) {
    notice("Write a prompt first, or choose an example.");
    form.elements.prompt.focus();
    return;
  }
  for (const run of [...runs]) drop(run);
  begin(settings);
});

byId("stop").addEventListener("click", () => runs.forEach((run) => run.stop()));

form.elements.prompt.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

form.elements.coupling.addEventListener("change", () => {
  form.elements.init.disabled = form.elements.coupling.value !== "lanerope";
});

byId("theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark" ||
    (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  runs.forEach((run) => run.heatMap.draw());
});

changed();
connect();
