// What was chosen in the command box lately. Commands are kept in this browser; customers only while the page is open.

const STORED = "journeymap-recent";
const MOST = 5;

export class Recent {
  #commands = read();
  #customers = [];

  /** Names of commands, the last one first. */
  get commands() {
    return this.#commands;
  }
  get customers() {
    return this.#customers;
  }
  command(name) {
    this.#commands = [name, ...this.#commands.filter((one) => one !== name)].slice(0, MOST);
    try {
      localStorage.setItem(STORED, JSON.stringify(this.#commands));
    } catch {
      // No storage: they last as long as the page.
    }
  }
  customer(customer) {
    this.#customers = [{ ...customer, places: [] }, ...this.#customers.filter(({ id }) => id !== customer.id)].slice(0, MOST);
  }
}

function read() {
  try {
    const names = JSON.parse(localStorage.getItem(STORED) ?? "[]");
    return Array.isArray(names) ? names.filter((name) => typeof name === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}
