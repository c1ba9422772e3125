// What channels, states, kinds of segments, flags and directions are called on the page. Unknown ones are called what events call them.

/** Segment kinds by their numbers on the wire. */
export const KINDS = ["wait", "interact", "transfer", "wrapup", "ivr", "queue", "alert", "hold"];
export const KIND_LABELS = {
  wait: "Waiting", interact: "Talking", transfer: "Transfer", wrapup: "Wrap-up", ivr: "IVR", queue: "In queue", alert: "Ringing", hold: "On hold",
};
/** Kinds of stretches in which the customer waits for somebody. */
export const WAITING = new Set(["wait", "queue", "alert"]);
export const STATE_LABELS = {
  INITIATED: "Waiting", ACTIVE: "Active", TRANSFERRING: "Transferring", WRAPUP: "Wrap-up", IDLE: "Idle", CLOSED: "Closed",
};
/** The same for a narrow column. */
export const STATE_WORDS = { ...STATE_LABELS, TRANSFERRING: "Transfer" };
const CHANNELS = { voice: "Voice", chat: "Chat", email: "E-mail", message: "Message", callback: "Callback" };

export function channelToken(channel) {
  return Object.hasOwn(CHANNELS, channel) ? channel : "other";
}
export function channelLabel(channel) {
  return Object.hasOwn(CHANNELS, channel) ? CHANNELS[channel] : channel === "other" ? "Other" : channel;
}

const FLAGS = {
  "waiting-long": "Waiting long", abandoned: "Abandoned", "handed-over": "Handed over", reopened: "Reopened",
  "timed-out": "Timed out", "many-channels": "Many channels", anonymous: "Anonymous", large: "Large",
};
const DIRECTIONS = { inbound: "Inbound", outbound: "Outbound" };

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The beginning of an id that has no name; whatever else there is stays as it is. */
export function shortName(name) {
  return isId(name) ? `${name.slice(0, 8)}…` : name;
}
/** Whether it is an id instead of a name. */
export function isId(name) {
  return ID.test(name);
}

export function flagLabel(flag) {
  return Object.hasOwn(FLAGS, flag) ? FLAGS[flag] : flag;
}
export function directionLabel(direction) {
  return Object.hasOwn(DIRECTIONS, direction) ? DIRECTIONS[direction] : direction;
}
