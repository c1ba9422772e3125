// Cells of the table that are more than text. Each is made once for a row and written anew where something changed.

import { make, setText } from "../base/elements.mjs";
import { channelLabel, channelToken } from "../base/words.mjs";
import { journeyPath } from "../state/address.mjs";

class Cell {
  element = document.createElement("span");

  init(params) {
    this.write(params.data, params.value);
  }
  getGui() {
    return this.element;
  }
  refresh(params) {
    this.write(params.data, params.value);
    return true;
  }
}

export class CustomerCell extends Cell {
  #link = make("a", "twin-customer", this.element);

  init(params) {
    // The row has the focus; Enter opens it. The link is for the pointer, and for a tab of its own.
    this.#link.tabIndex = -1;
    super.init(params);
  }
  write(row, value) {
    setText(this.#link, value ?? "");
    if (row) this.#link.href = journeyPath(row.id);
  }
}

export class StateCell extends Cell {
  #dot = make("span", "row-dot twin-dot", this.element);
  #word = make("span", "", this.element);

  write(row, value) {
    setText(this.#word, value ?? "");
    this.#dot.hidden = !row;
    this.#dot.setAttribute("aria-hidden", "true");
    this.#dot.classList.toggle("closed", row?.state === "CLOSED");
    if (row) this.#dot.style.setProperty("--swatch", `var(--state-${row.state.toLowerCase()})`);
  }
}

export class ChannelsCell extends Cell {
  write(row) {
    const channels = row?.channels ?? [];
    while (this.element.children.length > channels.length) this.element.lastChild.remove();
    channels.forEach((channel, place) => {
      const part = this.element.children[place] ?? make("span", "twin-channel", this.element);
      part.dataset.channel = channelToken(channel);
      setText(part, channelLabel(channel));
    });
  }
}
