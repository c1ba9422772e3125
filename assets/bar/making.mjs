// Files that the server makes for this page: several at a time, each seen while it lasts, each can be called off.

import { made } from "../base/menus.mjs";
import { length } from "../base/times.mjs";

/** As many as the server makes at a time, whoever asks. */
const AT_ONCE = 2;
/** What is done sooner is not shown: it would flash. */
const SHOWN_AFTER_MS = 400;
const AGAIN_S = 5;

export class Making {
  #root;
  #say;
  #files = [];
  #timer = 0;

  /** `root` is the list of what is being made; `say` tells how each ended. */
  constructor(root, say) {
    this.#root = root;
    this.#say = say;
  }
  /** Asks for a file, as soon as others leave room for it, and hands it to the browser. `name` is what it is called meanwhile. */
  begin(name, path, body) {
    const file = { name, path, body, aborter: new AbortController(), asked: false, askedAt: null, item: null };
    this.#files.push(file);
    setTimeout(() => this.#show(file), SHOWN_AFTER_MS);
    this.#next();
  }

  #next() {
    for (const file of this.#files) {
      if (this.#files.filter(({ asked }) => asked).length >= AT_ONCE) return;
      if (!file.asked) this.#make(file);
    }
  }
  async #make(file) {
    file.asked = true;
    const said = await this.#fetch(file);
    this.#end(file);
    this.#say(said);
  }
  /** Returns what is to be said of how it went. */
  async #fetch(file) {
    const { signal } = file.aborter;
    try {
      for (;;) {
        file.askedAt = Date.now();
        // In the body: a filter may be a phone number, and addresses of requests are kept in logs.
        const answer = await fetch(file.path, { method: "POST", body: file.body, signal });
        if (answer.status !== 429) return await handOver(answer);
        // Others have their files made: it is asked for again until it is its turn.
        file.askedAt = null;
        this.#write();
        await pause(Number(answer.headers.get("retry-after")) || AGAIN_S, signal);
      }
    } catch {
      return signal.aborted ? `${file.name} is cancelled.` : "No file: the server cannot be reached.";
    }
  }
  #cancel(file) {
    file.aborter.abort();
    if (file.asked) return;
    this.#end(file);
    this.#say(`${file.name} is cancelled.`);
  }
  #end(file) {
    this.#files.splice(this.#files.indexOf(file), 1);
    const focused = file.item?.contains(document.activeElement);
    file.item?.remove();
    // Whoever cancels by keyboard does not lose their place.
    if (focused) (this.#root.querySelector("button") ?? document.getElementById("export-menu")).focus();
    this.#root.hidden = !this.#root.children.length;
    if (this.#root.hidden) this.#timer = clearInterval(this.#timer);
    this.#next();
  }

  #show(file) {
    if (!this.#files.includes(file)) return;
    const cancel = made("button", { class: "button", type: "button", "aria-label": `Cancel ${file.name}`, onclick: () => this.#cancel(file) }, "Cancel");
    file.item = made("li", { class: "making-file" }, made("span", { class: "making-name" }, file.name), made("span", { class: "making-how" }), cancel);
    this.#root.append(file.item);
    this.#root.hidden = false;
    this.#timer ||= setInterval(() => this.#write(), 1000);
    this.#write();
  }
  #write() {
    for (const { item, askedAt } of this.#files) {
      if (item) item.children[1].textContent = askedAt === null ? "waits for its turn" : `being made, ${length(Date.now() - askedAt)}`;
    }
  }
}

async function handOver(answer) {
  if (!answer.ok) return `No file: ${(await answer.json().catch(() => ({}))).detail ?? `the server says ${answer.status}`}.`;
  const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "journeymap";
  const link = made("a", { href: URL.createObjectURL(await answer.blob()), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return `${name} is saved.`;
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
