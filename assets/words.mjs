// What flags and directions are called on the page. Unknown ones are called what events call them.

const FLAGS = {
  "waiting-long": "Waiting long", abandoned: "Abandoned", "handed-over": "Handed over", reopened: "Reopened",
  "timed-out": "Timed out", "many-channels": "Many channels", anonymous: "Anonymous", large: "Large",
};
const DIRECTIONS = { inbound: "Inbound", outbound: "Outbound" };

export function flagLabel(flag) {
  return Object.hasOwn(FLAGS, flag) ? FLAGS[flag] : flag;
}
export function directionLabel(direction) {
  return Object.hasOwn(DIRECTIONS, direction) ? DIRECTIONS[direction] : direction;
}
