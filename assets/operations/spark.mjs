// A line of the last minutes beside a figure. What it shows is kept here, from answer to answer, as long as the page lives.

import { token } from "../base/palette.mjs";
import { TimeScale } from "../base/scale.mjs";
import { FORMS } from "../base/units.mjs";
import { fitCanvas } from "../chart/draw.mjs";

const KEPT_MS = 5 * 60 * 1000;
const APART_MS = 5000;
const SAY_MS = 10_000;

export class Spark {
  #canvas;
  #samples = [];
  #said = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    canvas.setAttribute("role", "img");
  }

  /** A value at a moment of the server's clock; null where it is not known, which leaves a hole in the line. */
  add(at, value) {
    const last = this.#samples.at(-1);
    if (last && at <= last.at) return;
    this.#samples.push({ at, value });
    while (this.#samples[0].at < at - KEPT_MS) this.#samples.shift();
  }

  draw(now) {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (!width) return;
    const pen = fitCanvas(this.#canvas, width, height);
    const scale = new TimeScale(now - KEPT_MS, now, width);
    const most = Math.max(1, ...this.#samples.map(({ value }) => value ?? 0));
    const y = (value) => height - 2 - (value / most) * (height - 5);
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = token("line-strong");
    pen.fillRect(0, height - 1, width, 1);
    pen.strokeStyle = token("accent");
    pen.lineWidth = 1.5;
    pen.lineJoin = "round";
    pen.beginPath();
    let before = null;
    for (const sample of this.#samples) {
      const joined = before && before.value !== null && sample.at - before.at <= APART_MS;
      if (sample.value !== null) pen[joined ? "lineTo" : "moveTo"](scale.x(sample.at), y(sample.value));
      before = sample;
    }
    pen.stroke();
    if (Date.now() - this.#said < SAY_MS) return;
    this.#said = Date.now();
    const told = `The last five minutes, at most ${FORMS.rate(most)} events per second`;
    this.#canvas.setAttribute("aria-label", told);
    this.#canvas.title = told;
  }
}
