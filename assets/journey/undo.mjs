// Undoing a join of the customer: asks first, saying what will happen, sends it, and has the page look for what changed.

const LOOK_AGAIN_MS = [700, 1500, 3000, 6000];

export class Undo {
  #dialog = null;
  #button = null;
  #sent = null;
  #changed;

  /** `changed()` is called when the lists may have changed. */
  constructor(page, changed) {
    this.#changed = changed;
    page.addEventListener("click", (event) => {
      const button = event.target.closest(".identity-undo");
      if (button && !button.disabled) this.#ask(button);
    });
  }
  /** The server's answer: it is done, or why it is not. */
  receive(answer) {
    if (!answer || answer.at !== this.#sent) return;
    this.#sent = null;
    if (answer.problem) {
      this.#say(answer.problem);
      this.#part("do").disabled = false;
      return;
    }
    this.#dialog.close();
    for (const wait of LOOK_AGAIN_MS) setTimeout(this.#changed, wait);
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-part=${name}]`);
  }
  #say(problem) {
    this.#part("problem").textContent = problem;
    this.#part("problem").hidden = !problem;
  }
  #ask(button) {
    this.#button = button;
    this.#dialog ??= this.#make();
    this.#part("title").textContent = button.dataset.title;
    this.#part("text").textContent = button.dataset.text;
    this.#part("do").textContent = button.dataset.does;
    this.#part("do").disabled = false;
    this.#say("");
    this.#dialog.showModal();
  }
  #make() {
    const dialog = document.createElement("dialog");
    dialog.className = "undo";
    dialog.setAttribute("aria-labelledby", "undo-title");
    dialog.setAttribute("aria-describedby", "undo-text");
    dialog.innerHTML = `<h2 id="undo-title" data-part="title"></h2><p id="undo-text" data-part="text"></p>
      <p class="undo-problem" data-part="problem" role="alert" hidden></p>
      <div class="undo-buttons"><button type="button" class="button" data-part="cancel" autofocus>Cancel</button>
      <button type="button" class="button undo-do" data-part="do"></button></div>`;
    document.body.append(dialog);
    this.#dialog = dialog;
    this.#part("cancel").addEventListener("click", () => dialog.close());
    this.#part("do").addEventListener("click", () => this.#send());
    dialog.addEventListener("close", () => this.#button?.isConnected && this.#button.focus());
    return dialog;
  }
  #send() {
    const { journey, join } = this.#button.dataset;
    this.#part("do").disabled = true;
    this.#sent = Date.now();
    window.dash_clientside.set_props("undo-question", { data: { journey, join, at: this.#sent } });
  }
}
