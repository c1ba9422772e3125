// Sharing: the address goes to the clipboard, and the page says so.

import { address } from "../state/address.mjs";

const SAID_MS = 5000;

/** Says something in `place` for a moment. */
export function startSaying(place) {
  let timer = 0;
  return (text) => {
    clearTimeout(timer);
    place.textContent = text;
    place.hidden = false;
    timer = setTimeout(() => (place.hidden = true), SAID_MS);
  };
}

export function startShare(button, say) {
  button.addEventListener("click", async () => {
    const copied = await copy(location.origin + address.url());
    const without = address.reticent ? " Without what looks like a phone number or an e-mail address: that stays out of addresses." : "";
    say(copied ? `Address copied.${without}` : "The browser does not let the page copy: take the address from its own bar.");
  });
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without TLS there is no clipboard; the old way still works.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
