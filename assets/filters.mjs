// The filters' controls: from and to the address.

import { channelToken } from "./model.mjs";
import { setText } from "./rows.mjs";

const MOST_OTHERS = 12;

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** `chosen` with, beside "other", the channels that occur and have no track of their own. */
export function withOthers(chosen, occurring) {
  if (!chosen.includes("other")) return chosen;
  const others = occurring.filter((channel) => channelToken(channel) === "other" && !chosen.includes(channel));
  return [...chosen, ...others.sort().slice(0, MOST_OTHERS)];
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
