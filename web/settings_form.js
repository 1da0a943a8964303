// SPDX-License-Identifier: Apache-2.0
// The settings of a request as fields of the form: offered as the server names them, kept in the browser, put there by a link.

import { byId, element } from "./dom.js";
import { canSleep, seesOtherLanes } from "./group.js";
import { store, stored } from "./store.js";

const numbers = ["n", "budget", "temperature", "consensus", "seed", "block"];
const names = ["coupling", "init", "select", "topology"];
const texts = ["wait", "ready", "then", "policies"];
const kept = [...numbers, ...names, ...texts, "system"];

export class SettingsForm {
  constructor(form) {
    this.form = form;
    this.fields = form.elements;
    form.addEventListener("change", (event) => this.keep(event.target.name));
    for (const name of ["coupling", "topology", "then"]) this.fields[name].addEventListener("change", () => this.enableParticulars());
    this.toggle = byId("settings-toggle");
    this.panel = byId("settings");
    this.toggle.addEventListener("click", () => this.open(this.panel.hidden));
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      this.open(false);
      this.toggle.focus();
    });
  }

  open(open) {
    this.panel.hidden = !open;
    this.toggle.setAttribute("aria-expanded", String(open));
  }

  // Once the server has said what there is.
  offer(properties) {
    this.lanes = properties.trained_lanes.length > 0 || properties.adapters.some((adapter) => adapter.lanes);
    if (!this.lanes) this.fields.init.options[0].remove();
    const { coupling, init, select, topology } = properties.names;
    const usual = this.lanes ? "lanerope" : "independent";  // lanes that were not trained for it do best by themselves
    this.choices("coupling", [...coupling].sort((a, b) => (b === usual) - (a === usual)));
    // Of a model that was not trained for lanes the one that harms least.
    this.choices("init", this.lanes ? init : [...init].sort((a, b) => (b === "ntk-by-parts") - (a === "ntk-by-parts")));
    this.choices("select", select.filter((name) => !["verifier", "then"].includes(name)), { logprob: "log-probability", first: "first to end" });
    this.choices("topology", topology);
    for (const { name, help, settings } of properties.policies) {
      const usual = settings.map((setting) => `${setting.name}=${setting.default}`).join(",");
      byId("policies-offered").append(element("dt", {}, element("code", {}, usual ? `${name}:${usual}` : name)), element("dd", {}, help));
    }
    if (!properties.chat_template) {
      this.fields.system.disabled = true;
      byId("system-hint").textContent = "This model has no chat template, so it has no place for one: texts simply go on.";
    }
    const budget = properties.examples[0]?.budget;  // a good one to begin with, where the examples are the model's own
    if (budget) this.fields.budget.value = budget;
    this.fill(stored().settings ?? {});
  }

  choices(name, choices, titles = {}) {
    for (const choice of choices) this.fields[name].append(element("option", { value: choice }, titles[choice] ?? choice));
  }

  // Puts what can be taken into the fields, and says what could not.
  fill(settings) {
    const refused = [];
    for (const name of names) {
      if (settings[name] === undefined) continue;
      const known = [...this.fields[name].options].some(({ value }) => value === settings[name]);
      if (known) this.fields[name].value = settings[name];
      else refused.push(name);
    }
    for (const name of numbers) {
      if (settings[name] === undefined) continue;
      const field = this.fields[name];
      const before = field.value;
      field.value = settings[name] === null ? "" : String(settings[name]);
      if (field.checkValidity()) continue;
      field.value = before;
      refused.push(name);
    }
    for (const name of texts) if (typeof settings[name] === "string") this.fields[name].value = settings[name];
    if (typeof settings.system === "string" && !this.fields.system.disabled) this.fields.system.value = settings.system;
    this.enableParticulars();
    return refused;
  }

  // What the coupling has a use for.
  enableParticulars() {
    const { coupling, init, topology, block, wait, ready } = this.fields;
    init.disabled = coupling.value !== "lanerope";
    topology.disabled = !seesOtherLanes(coupling.value);
    this.fields.select.disabled = this.fields.then.value.trim() !== "";
    block.disabled = topology.disabled || topology.value !== "blocks";
    wait.disabled = ready.disabled = !canSleep(coupling.value);
  }

  // The first field whose value is none, or nothing.
  wrong() {
    return [...numbers, ...names].map((name) => this.fields[name]).find((field) => !field.checkValidity());
  }

  read() {
    const { fields } = this;
    const number = (name) => (fields[name].value === "" ? undefined : Number(fields[name].value));
    return {
      coupling: fields.coupling.value, init: fields.init.value, n: number("n"), budget: number("budget"), temperature: number("temperature"),
      select: fields.select.value, consensus: number("consensus") ?? 0, seed: number("seed"), system: fields.system.value,
      topology: fields.topology.value, block: number("block"), wait: fields.wait.value, ready: fields.ready.value, then: fields.then.value,
      policies: fields.policies.value,
    };
  }

  // Of one field at a time, which the user has changed: what a link or an example put into the others is not his choice.
  keep(name) {
    if (kept.includes(name)) store({ settings: { ...stored().settings, [name]: this.read()[name] ?? null } });
  }
}
