// Class probabilities at the clock's step, as rows of labelled bars.

import { element, setText, setTransform } from "./dom.js";
import { percentText } from "./scales.js";
import { frameOf } from "./format.js";

const MOST_ROWS = 12;

export class Bars {
  constructor(run) {
    this.run = run;
    this.rows = [];
    this.caption = element("span.values");
    this.body = element("div.rows");
    this.root = element(
      "figure.bars",
      { "data-testid": "player-bars", "data-run": run.meta.label },
      element("figcaption", {}, element("h3", {}, "Prediction"), this.caption),
      this.body,
    );
  }

  // Which classes get a row: all, or where there are many those that ever mattered most.
  rebuild() {
    const { classes } = this.run.meta;
    let shown = classes.map((_, c) => c);
    if (classes.length > MOST_ROWS) {
      const peak = new Float32Array(classes.length);
      for (let t = 0; t < this.run.frames; t++) {
        this.run.bars(t).forEach((p, c) => (peak[c] = Math.max(peak[c], p)));
      }
      const final = this.run.bars(this.run.frames - 1);
      shown = shown.sort((a, b) => peak[b] - peak[a]).slice(0, MOST_ROWS);
      shown.sort((a, b) => final[b] - final[a]);
    }
    const signature = shown.join();
    if (signature === this.signature) return;
    this.signature = signature;
    this.rows = shown.map((c) => {
      const fill = element("i");
      const value = element("span.value");
      const right = this.run.meta.right.includes(classes[c]);
      const name = element("span.name", {}, classes[c]);
      const root = element(
        "div.row",
        { "data-testid": "player-bar", "data-label": classes[c], "data-right": right },
        name,
        element("span.track", {}, fill),
        value,
      );
      if (right) root.title = `${classes[c]} is a right answer`;
      return { c, root, fill, value };
    });
    this.body.replaceChildren(...this.rows.map((row) => row.root));
    if (classes.length > MOST_ROWS) {
      this.body.append(element("p.small", {}, `${MOST_ROWS} of ${classes.length} classes`));
    }
  }

  update(at) {
    const { run } = this;
    const best = run.prediction(frameOf(at));
    const [p, q] = [run.bars(at.a), run.bars(at.b)];
    for (const row of this.rows) {
      const probability = p[row.c] + at.u * (q[row.c] - p[row.c]);
      setTransform(row.fill, `scaleX(${probability.toFixed(3)})`);
    }
    // Texts are those of the recorded step, so they change at most once a step.
    if (this.shown === frameOf(at) && this.labelled === this.signature) return;
    this.shown = frameOf(at);
    this.labelled = this.signature;
    const exact = run.bars(frameOf(at));
    for (const row of this.rows) {
      setText(row.value, percentText(exact[row.c]));
      row.root.dataset.value = exact[row.c].toFixed(4);
      row.root.toggleAttribute("data-best", row.c === best);
    }
    setText(this.caption, run.meta.classes[best]);
    this.root.dataset.prediction = run.meta.classes[best];
  }
}

// Bars for every run with predictions; of several, each under its name and in its colour.
export function barsOf(runs) {
  const all = runs.filter((run) => run.meta.classes).map((run) => new Bars(run));
  if (runs.length === 1) return all;
  for (const bars of all) {
    bars.root.querySelector("h3").replaceChildren(bars.run.meta.label);
    bars.root.style.setProperty("--accent", `var(--run-${runs.indexOf(bars.run)})`);
  }
  return all;
}
