// What could not be used, on the operations view: the last sample of each reason, as text, to be opened and copied.

import { make, setText } from "../base/elements.mjs";
import { isSelected, keepElements } from "../base/records.mjs";
import { dayAndTime, length } from "../base/times.mjs";
import { bytes, count, sentence } from "../base/units.mjs";

const COPIED_MS = 2000;

export function writeQuarantine(parent, unusable, now) {
  keepElements(parent, unusable, ({ reason, source }) => `${reason} ${source}`, makeEntry, (entry, one) => {
    const part = (name) => entry.querySelector(`.entry-${name}`);
    setText(part("reason"), one.reason);
    setText(part("count"), `${count(one.count)} ${one.count === 1 ? "message" : "messages"}`);
    setText(part("last"), `last ${length(now - one.last_at)} ago`);
    part("last").title = dayAndTime(one.last_at);
    setText(part("source"), one.source ? `from ${one.source}` : "");
    // A sample that somebody is selecting from stays until he is done.
    if (isSelected(part("sample"))) return;
    setText(part("detail"), one.detail ? `${sentence(one.detail)}.` : "");
    setText(part("size"), `The last one, of ${dayAndTime(one.last_at)}: ${bytes(one.bytes)}${one.truncated ? ", of which the beginning is shown" : ""}.`);
    setText(part("sample"), one.sample || "(empty)");
  });
}

function makeEntry() {
  const entry = document.createElement("details");
  entry.className = "entry";
  const head = make("summary", "entry-head", entry);
  for (const name of ["reason", "count", "source", "last"]) make("span", `entry-${name}`, head);
  const body = make("div", "entry-body", entry);
  make("p", "entry-detail", body);
  const line = make("div", "entry-line", body);
  make("p", "entry-size", line);
  const copy = make("button", "button entry-copy", line);
  copy.type = "button";
  copy.textContent = "Copy sample";
  const sample = make("pre", "entry-sample", body);
  sample.tabIndex = 0;
  copy.addEventListener("click", () => copySample(sample, copy));
  return entry;
}

/** Copies the sample; where the browser does not let us, selects it, so that one key does. */
async function copySample(sample, button) {
  try {
    await navigator.clipboard.writeText(sample.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy sample"), COPIED_MS);
  } catch {
    document.getSelection().selectAllChildren(sample);
  }
}
