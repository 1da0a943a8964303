// SPDX-License-Identifier: Apache-2.0
// The columns of a group. Few lanes stand in a grid, all of them; from 16 on they stand in one row that scrolls, and only those
// in view, the one beside them on either side, and the one that has the focus are there.

import { element } from "./dom.js";
import { LaneColumn } from "./lane_column.js";

const virtualFrom = 16;
const least = 280;  // pixels of a column in the row

export class LaneGrid {
  constructor({ view, actions, moved }) {
    this.view = view;
    this.actions = actions;
    this.moved = moved;  // called when other lanes have come into view
    this.lanes = [];
    this.columns = new Map();  // index -> column that is in the page
    this.track = element("div", { class: "track" });
    this.element = element("div", { class: "lanes" });
    this.element.addEventListener("scroll", () => this.mount(), { passive: true });
    this.element.addEventListener("focusout", () => setTimeout(() => this.mount()));
    this.sizes = new ResizeObserver(() => this.mount());
    this.sizes.observe(this.element);
  }

  get virtual() {
    return this.lanes.length >= virtualFrom;
  }

  add(lane) {
    this.lanes.push(lane);
    if (this.lanes.length === virtualFrom) this.clear();
    if (this.filling) return;
    this.arrange();
  }

  // Many lanes at once.
  addAll(lanes) {
    this.filling = true;
    for (const lane of lanes) this.add(lane);
    this.filling = false;
    this.arrange();
  }

  arrange() {
    const count = this.lanes.length;
    this.element.classList.toggle("virtual", this.virtual);
    this.element.style.setProperty("--across", count <= 4 ? count : count === 5 || count === 6 ? 3 : 4);
    if (this.virtual && !this.track.isConnected) this.element.replaceChildren(this.track);
    this.mount();
  }

  clear() {
    for (const { element: node } of this.columns.values()) node.remove();
    this.columns.clear();
  }

  // [first, last) of the lanes that can be seen.
  inView() {
    if (!this.virtual) return [0, this.lanes.length];
    const width = this.columnWidth();
    if (width === 0) return [0, 0];
    const { scrollLeft, clientWidth } = this.element;
    return [Math.floor(scrollLeft / width + 0.05), Math.min(this.lanes.length, Math.ceil((scrollLeft + clientWidth) / width - 0.05))];
  }

  columnWidth() {
    const { clientWidth } = this.element;
    return clientWidth === 0 ? 0 : clientWidth / Math.max(1, Math.floor(clientWidth / least));
  }

  mount() {
    const [first, last] = this.inView();
    const beside = this.virtual && last > 0 ? 1 : 0;
    const wanted = (index) => index >= first - beside && index < last + beside;
    for (const [index, column] of this.columns) {
      if (wanted(index) || column.element.contains(document.activeElement)) continue;
      column.element.remove();
      this.columns.delete(index);
    }
    for (let k = Math.max(0, first - beside); k < Math.min(this.lanes.length, last + beside); ++k) {
      if (!this.columns.has(k)) this.place(k);
    }
    if (this.virtual) this.measure();
    this.moved?.();
  }

  // In order, so that Tab goes from lane to lane as they stand.
  place(index) {
    const column = new LaneColumn(this.lanes[index], { view: this.view, actions: this.actions });
    this.columns.set(index, column);
    const after = [...this.columns.keys()].filter((other) => other > index).sort((a, b) => a - b)[0];
    (this.virtual ? this.track : this.element).insertBefore(column.element, this.columns.get(after)?.element ?? null);
    column.text.scrollTop = this.lanes[index].finish ? 0 : column.text.scrollHeight;
    column.drawLight();
  }

  measure() {
    const width = this.columnWidth();
    if (width === 0) return;
    this.track.style.width = `${width * this.lanes.length}px`;
    for (const [index, { element: node }] of this.columns) {
      node.style.left = `${index * width}px`;
      node.style.width = `${width}px`;
    }
  }

  column(index) {
    return this.columns.get(index);
  }

  draw(lane) {
    this.columns.get(lane.index)?.draw();
  }

  drawLight() {
    for (const column of this.columns.values()) column.drawLight();
  }

  setView(view) {
    this.view = view;
    for (const column of this.columns.values()) {
      column.setView(view);
      column.text.scrollTop = column.lane.finish ? 0 : column.text.scrollHeight;
      column.drawLight();
    }
  }

  // Brings a lane into view and gives its text the focus.
  reveal(index) {
    if (this.virtual) {
      const [first, last] = this.inView();
      if (index < first || index >= last) {
        this.element.scrollLeft = Math.max(0, this.columnWidth() * index - (this.element.clientWidth - this.columnWidth()) / 2);
        this.mount();
      }
    }
    const column = this.columns.get(index);
    column?.element.scrollIntoView({ block: "nearest", inline: "nearest" });
    column?.text.focus({ preventScroll: true });
  }

  // Lanes that are not shown cost nothing.
  hide(hidden) {
    this.element.hidden = hidden;
    if (hidden) this.clear();
    else this.mount();
  }
}
