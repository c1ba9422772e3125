// The filters: from the page's controls to the questions, and to and from the URL.

import { channelToken } from "./model.mjs";
import { setText } from "./rows.mjs";

const MOST_OTHERS = 12;
const PERSONAL = /@|\+?\d(?:[\s./()-]?\d){6,}/;

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const NO_FILTERS = Object.freeze({ customer: "", channels: [], states: [] });

/** Whether a text looks like a phone number or an e-mail address: such a text never goes into a URL. */
export function looksPersonal(text) {
  return PERSONAL.test(text);
}

export function readUrl(search) {
  const query = new URLSearchParams(search);
  return {
    customer: (query.get("customer") ?? "").slice(0, 100), channels: query.getAll("channel"), states: query.getAll("state"),
  };
}

export function toQuery(filters) {
  const query = new URLSearchParams();
  if (filters.customer && !looksPersonal(filters.customer)) query.set("customer", filters.customer);
  for (const channel of filters.channels) query.append("channel", channel);
  for (const state of filters.states) query.append("state", state);
  const text = query.toString();
  return text ? `?${text}` : "";
}

export function isFiltered(filters) {
  return Boolean(filters.customer || filters.channels.length || filters.states.length);
}

/** `chosen` with, beside "other", the channels that occur and have no track of their own. */
export function withOthers(chosen, occurring) {
  if (!chosen.includes("other")) return chosen;
  const others = occurring.filter((channel) => channelToken(channel) === "other" && !chosen.includes(channel));
  return [...chosen, ...others.sort().slice(0, MOST_OTHERS)];
}

export function sameFilters(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Puts filters into the page's controls; Dash then tells us of them as of any change. */
export function setControls(filters) {
  const set = window.dash_clientside.set_props;
  set("filter-customer", { value: filters.customer });
  set("channel-choice", { value: filters.channels });
  set("state-choice", { value: filters.states });
}

export function fromControls(customer, channels, states) {
  return { customer: (customer ?? "").trim().slice(0, 100), channels: [...(channels ?? [])].sort(), states: [...(states ?? [])].sort() };
}

/** Writes beside each channel how many journeys have it. */
export function showFacets(channels = {}) {
  const counts = {};
  for (const [channel, count] of Object.entries(channels)) counts[channelToken(channel)] = (counts[channelToken(channel)] ?? 0) + count;
  for (const place of document.querySelectorAll("[data-count^='filter-channel:']")) {
    setText(place, compact.format(counts[place.dataset.count.slice(15)] ?? 0));
  }
}
