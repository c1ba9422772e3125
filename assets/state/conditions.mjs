// The conditions that filter: their names in the URL and in the page's question, and what a sound set of them is.

import { readLength, readMoment, writeLength, writeMoment } from "../base/spelling.mjs";

/** Conditions that name values, any of which will do: parameter of a query to field. */
export const CHOICES = {
  channel: "channels", state: "states", queue: "queues", agent: "agents", disposition: "dispositions", direction: "directions", flag: "flags",
};
export const STATES = ["INITIATED", "ACTIVE", "TRANSFERRING", "IDLE", "CLOSED"];
export const FLAGS = ["waiting-long", "abandoned", "handed-over", "reopened", "timed-out", "many-channels", "anonymous", "large"];
const TEXTS = ["q", "customer"];
const MOST_CHOICES = 50;
const MOST_TEXT = 200;

export const NO_FILTERS = Object.freeze({
  q: "", customer: "", channels: [], states: [], queues: [], agents: [], dispositions: [], directions: [], flags: [],
  minDuration: null, maxDuration: null, minTransfers: null, from: null, to: null,
});

export function isFiltered(filters) {
  return Object.entries(NO_FILTERS).some(([name, none]) => (Array.isArray(none) ? filters[name].length > 0 : filters[name] !== none));
}

export function readFilters(query) {
  const filters = { q: query.get("q") ?? "", customer: query.get("customer") ?? "" };
  for (const [parameter, field] of Object.entries(CHOICES)) filters[field] = query.getAll(parameter);
  const transfers = query.get("min_transfers");
  return {
    ...filters,
    minDuration: readLength(query.get("min_duration")), maxDuration: readLength(query.get("max_duration")),
    minTransfers: /^\d{1,9}$/.test(transfers ?? "") ? Number(transfers) : null,
    from: readMoment(query.get("from")), to: readMoment(query.get("to")),
  };
}

export function writeFilters(query, filters) {
  for (const name of TEXTS) if (filters[name]) query.set(name, filters[name]);
  for (const [parameter, field] of Object.entries(CHOICES)) for (const value of filters[field]) query.append(parameter, value);
  const write = (name, value, spell) => value !== null && query.set(name, spell(value));
  write("min_duration", filters.minDuration, writeLength);
  write("max_duration", filters.maxDuration, writeLength);
  write("min_transfers", filters.minTransfers, String);
  write("from", filters.from, writeMoment);
  write("to", filters.to, writeMoment);
}

/** What the server takes: it refuses a whole question for one wrong value. */
export function tidyFilters(filters) {
  const text = (value) => (typeof value === "string" ? value.trim().slice(0, MOST_TEXT) : "");
  const number = (value, least) => (Number.isFinite(value) && value >= least ? Math.round(value) : null);
  const tidied = {};
  for (const name of TEXTS) tidied[name] = text(filters[name]);
  for (const field of Object.values(CHOICES)) {
    const values = Array.isArray(filters[field]) ? filters[field].map(text).filter(Boolean) : [];
    tidied[field] = [...new Set(values)].sort().slice(0, MOST_CHOICES);
  }
  tidied.states = tidied.states.filter((state) => STATES.includes(state));
  tidied.flags = tidied.flags.filter((flag) => FLAGS.includes(flag));
  tidied.minDuration = number(filters.minDuration, 1);
  tidied.maxDuration = number(filters.maxDuration, tidied.minDuration ?? 0);
  tidied.minTransfers = number(filters.minTransfers, 1);
  tidied.from = number(filters.from, 0);
  tidied.to = number(filters.to, (tidied.from ?? 0) + 1);
  return tidied;
}

/** The conditions as the page's question names them (docs/architecture.md). */
export function asked(filters) {
  const { q, customer, minDuration, maxDuration, minTransfers, from, to } = filters;
  const choices = Object.fromEntries(Object.values(CHOICES).map((field) => [field, filters[field]]));
  return { text: q, customer, ...choices, min_duration: minDuration, max_duration: maxDuration, min_transfers: minTransfers, start: from, end: to };
}
