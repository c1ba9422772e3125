// The rows shown, as a table: the chart's twin for those who read rather than look. Written once a second while open.

import { channelLabel, STATE_LABELS } from "./model.mjs";
import { journeyPath, setText } from "./rows.mjs";
import { length, moment } from "./times.mjs";

const COLUMNS = ["Customer", "State", "In state", "Channels", "Queue", "Agent", "Started", "Last event", "Events", "Transfers", "Outcome"];
const EVERY_MS = 1000;

export class Table {
  #table;
  #panel;
  #written = 0;

  constructor(table, panel, toggle) {
    this.#table = table;
    this.#panel = panel;
    const head = table.createTHead().insertRow();
    for (const column of COLUMNS) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = column;
      head.append(cell);
    }
    table.createTBody();
    toggle.addEventListener("click", () => {
      panel.hidden = !panel.hidden;
      toggle.setAttribute("aria-expanded", String(!panel.hidden));
      this.#written = 0;
      window.dispatchEvent(new Event("journeymap:layout"));
    });
  }
  get open() {
    return !this.#panel.hidden;
  }
  write(rows, now) {
    if (!this.open || Date.now() - this.#written < EVERY_MS) return;
    this.#written = Date.now();
    const body = this.#table.tBodies[0];
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((row, place) => {
      const line = body.rows[place] ?? makeLine(body);
      const link = line.cells[0].firstChild;
      setText(link, row.customer);
      link.href = journeyPath(row.id);
      values(row, now).forEach((value, column) => setText(line.cells[column + 1], value));
    });
  }
}

function makeLine(body) {
  const line = body.insertRow();
  for (let column = 0; column < COLUMNS.length; column += 1) line.insertCell();
  line.cells[0].append(document.createElement("a"));
  return line;
}

function values(row, now) {
  const latest = row.interactions.reduce((one, other) => (other.last >= one.last ? other : one), row.interactions[0]);
  return [
    STATE_LABELS[row.state] ?? row.state, length(now - row.since), row.channels.map(channelLabel).join(", "),
    latest?.queue ?? "", latest?.agent ?? "", moment(row.start, now), moment(row.last, now), String(row.events),
    String(row.transfers.length), latest?.disposition ?? "",
  ];
}
