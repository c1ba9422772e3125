// A journey's interactions in the drawer: each with its segments, what became of it, and whom it was handed over to. Oldest first,
// so that what is new comes at the end and moves nothing.

import { make, setText, showBadge } from "../base/elements.mjs";
import { keepElements } from "../base/records.mjs";
import { length, moment } from "../base/times.mjs";
import { channelLabel, channelToken, isId, KIND_LABELS, shortName, STATE_LABELS } from "../base/words.mjs";

/** Segments of one interaction that a row carries at most (model/row.py). */
const MOST_SEGMENTS = 24;

export function writeInteractions(list, row, now) {
  const named = (index) => row.interactions[index];
  keepElements(list, row.interactions, ({ id }) => id, makeInteraction, (element, one) => {
    const index = row.interactions.indexOf(one);
    const away = row.transfers.filter(({ from }) => from === index);
    writeInteraction(element, one, away.map(({ at, to }) => ({ at, to: named(to) })), now);
  });
}

function makeInteraction() {
  const item = make("li", "told");
  const head = make("div", "told-head", item);
  make("span", "badge", head).setAttribute("aria-hidden", "true");
  for (const part of ["channel", "state", "length"]) make("span", `told-${part}`, head);
  make("p", "told-where", item);
  make("p", "told-earlier", item);
  make("ol", "told-segments", item);
  make("ul", "told-transfers", item);
  make("p", "told-outcome", item);
  make("p", "told-id", item);
  return item;
}

function writeInteraction(item, one, transfers, now) {
  const part = (name) => item.querySelector(`.${name}`);
  showBadge(part("badge"), channelToken(one.channel));
  item.style.setProperty("--swatch", `var(--channel-${channelToken(one.channel)})`);
  item.style.setProperty("--tint", `var(--channel-${channelToken(one.channel)}-tint)`);
  setText(part("told-channel"), channelLabel(one.channel));
  setText(part("told-state"), one.timedOut ? "Closed by time-out" : STATE_LABELS[one.state] ?? one.state);
  const ended = one.ended ?? (one.state === "CLOSED" ? one.last : null);
  setText(part("told-length"), length((ended ?? now) - one.start));
  const where = [one.queue && `Queue ${shortName(one.queue)}`, one.agent && `Agent ${shortName(one.agent)}`].filter(Boolean).join(" · ");
  setText(part("told-where"), where || "No queue or agent is known");
  part("told-where").title = [one.queue, one.agent].filter((name) => name && isId(name)).join(" · ");
  part("told-earlier").hidden = one.segments.length < MOST_SEGMENTS;
  setText(part("told-earlier"), "Earlier segments are on the journey's page.");
  keepElements(part("told-segments"), one.segments, ({ kind, start }) => `${kind} ${start}`, makeSegment, (element, segment) => {
    element.firstChild.className = `told-fill told-${segment.kind}`;
    setText(element.children[1], KIND_LABELS[segment.kind]);
    setText(element.children[2], `${moment(segment.start, now)} – ${segment.end === null ? "now" : moment(segment.end, now)}`);
    setText(element.children[3], length((segment.end ?? now) - segment.start));
  });
  keepElements(part("told-transfers"), transfers, ({ at }, index) => `${at} ${index}`, () => make("li", "told-transfer"), (element, { at, to }) => {
    const target = to ? `to ${channelLabel(to.channel)}${to.queue ? ` · ${shortName(to.queue)}` : ""}` : "nobody has taken it over yet";
    setText(element, `Handed over at ${moment(at, now)}: ${target}`);
  });
  part("told-outcome").hidden = !one.disposition;
  setText(part("told-outcome"), one.disposition ? `Outcome: ${shortName(one.disposition)}` : "");
  setText(part("told-id"), one.id);
}

function makeSegment() {
  const item = make("li", "told-segment");
  make("span", "told-fill", item).setAttribute("aria-hidden", "true");
  for (const name of ["kind", "times", "long"]) make("span", `told-${name}`, item);
  return item;
}
