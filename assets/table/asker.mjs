// One question at a time through a pair of Dash's stores. Of overlapping calls Dash throws away all answers but the newest.

const LOST_MS = 60_000;
/** Dash throws an answer away now and then though it came: whoever asked then asks again. A busy page reads it late, too. */
const UNREAD_MS = 10_000;
/** A question that is put while Dash still hands over the last answer loses its own. */
const BREATH_MS = 20;

export class Asker {
  #question;
  #answer;
  #queue = Promise.resolve();
  #done = null;
  #serial = 0;

  /** `question` and `answer` are the ids of the stores. */
  constructor(question, answer) {
    this.#question = question;
    this.#answer = answer;
    window.addEventListener("journeymap:call", ({ detail }) => detail.output === `${answer}.data` && this.#called(detail));
  }
  /** Resolves with the answer: null where there is nothing new to say. Rejects where none came. */
  ask(question) {
    const asked = this.#queue.then(() => this.#send(question));
    this.#queue = asked.catch(() => {}).then(() => new Promise((later) => setTimeout(later, BREATH_MS)));
    return asked;
  }
  /** Takes what Dash hands over: an answer bears the `serial` of its question. */
  receive(answer) {
    // One that was given up before it was read is no answer to the next question.
    if (answer?.serial === this.#serial) this.#done?.resolve(answer);
  }
  #send(question) {
    return new Promise((resolve, reject) => {
      let lost = 0;
      const end = (settle) => (value) => {
        clearTimeout(lost);
        this.#done = null;
        settle(value);
      };
      const within = (ms) => {
        clearTimeout(lost);
        lost = setTimeout(() => this.#done.reject(new Error(`${this.#answer}: no answer`)), ms);
      };
      this.#done = { resolve: end(resolve), reject: end(reject), within };
      within(LOST_MS);
      this.#serial += 1;
      window.dash_clientside.set_props(this.#question, { data: { ...question, serial: this.#serial } });
    });
  }
  #called({ phase, status }) {
    // An empty answer does not reach `receive`.
    if (phase === "answered" && status === 204) this.#done?.resolve(null);
    else if (phase === "answered") this.#done?.within(UNREAD_MS);
    if (phase === "failed") this.#done?.reject(new Error(`${this.#answer}: the server did not answer`));
  }
}
