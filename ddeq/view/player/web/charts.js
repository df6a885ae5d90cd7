// Curves over the steps: one small chart a group, with its own labels and the clock's cursor.

import { css } from "./theme.js";
import { element, fitCanvas, setText, setTransform } from "./dom.js";
import { extent, linearScale, logScale, numberText, tickText } from "./scales.js";
import { frameOf } from "./format.js";

const PAD = { left: 40, right: 10, top: 8, bottom: 20 };

export class Chart {
  constructor(group, onSeek) {
    this.group = group;
    this.base = element("canvas");
    this.line = element("i.cursor");
    this.values = element("span.values");
    this.plot = element("div.plot", {}, this.base, this.line);
    this.root = element(
      "figure.chart",
      { "data-testid": "player-chart", "data-group": group },
      element("figcaption", {}, element("h3", {}, group), this.values),
      this.plot,
    );
    const seek = (event) => {
      const box = this.plot.getBoundingClientRect();
      onSeek(this.x?.invert(event.clientX - box.left));
    };
    this.plot.addEventListener("pointerdown", (event) => {
      this.plot.setPointerCapture(event.pointerId);
      seek(event);
    });
    this.plot.addEventListener("pointermove", (event) => event.buttons && seek(event));
  }

  // lines: [{run, curve, colour, label}]
  setLines(lines, log) {
    this.lines = lines;
    this.log = log;
    for (const line of lines) line.dot = element("i.dot", { style: `background: ${css(line.colour)}` });
    this.plot.replaceChildren(this.base, this.line, ...lines.map((line) => line.dot));
    this.values.replaceChildren(
      ...lines.map((line) => {
        line.value = element("b", { style: `color: ${css(line.colour)}` });
        return element("span", { title: line.label }, line.value);
      }),
    );
  }

  draw([first, last], theme, dpr) {
    const width = this.plot.clientWidth;
    const height = this.plot.clientHeight;
    if (!width) return;
    fitCanvas(this.base, width, height, dpr);
    const c = this.base.getContext("2d");
    c.setTransform(dpr, 0, 0, dpr, 0, 0);
    c.clearRect(0, 0, width, height);
    c.font = `11px ${theme.font}`;
    const labels = this.lines.map((line) => c.measureText(line.label).width);
    this.right = PAD.right + Math.min(Math.max(...labels), width * 0.3) + (Math.max(...labels) ? 6 : 0);
    const x = linearScale([first, last], [PAD.left, width - this.right]);
    const range = [height - PAD.bottom, PAD.top];
    const domain = extent(this.lines.map((line) => line.curve.values), this.log);
    const y = (this.log ? logScale : linearScale)(domain, range);
    Object.assign(this, { x, y });
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const tick of y.ticks(4)) {
      c.fillStyle = css(theme.hair, 0.7);
      c.fillRect(PAD.left, Math.round(y(tick)), width - PAD.left - this.right, 1);
      c.fillStyle = css(theme.muted);
      c.fillText(tickText(tick, this.log), PAD.left - 7, y(tick));
    }
    c.textAlign = "center";
    c.textBaseline = "top";
    for (const tick of x.ticks(width > 260 ? 5 : 3)) {
      if (!Number.isInteger(tick)) continue;
      c.fillText(tickText(tick), x(tick), height - PAD.bottom + 6);
    }
    c.lineJoin = "round";
    for (const { run, curve, colour } of this.lines) {
      c.strokeStyle = css(colour);
      c.lineWidth = 1.6;
      c.beginPath();
      let pen = false;
      curve.values.forEach((value, k) => {
        const drawn = Number.isFinite(value) && (!this.log || value > 0);
        if (drawn) c[pen ? "lineTo" : "moveTo"](x(run.steps[k]), y(value));
        pen = drawn;
      });
      c.stroke();
    }
    this.drawLabels(c, x, y, width);
  }

  // Each line's name at its end, moved apart where ends are close.
  drawLabels(c, x, y, width) {
    const named = this.lines.filter((line) => line.label);
    const ends = named.map(({ curve, colour, label }) => {
      const k = curve.values.findLastIndex((v) => Number.isFinite(v) && (!this.log || v > 0));
      return { colour, label, at: k < 0 ? Infinity : y(curve.values[k]) };
    });
    ends.sort((a, b) => a.at - b.at);
    for (let k = ends.length - 2; k >= 0; k--) ends[k].at = Math.min(ends[k].at, ends[k + 1].at - 12);
    for (let k = 0; k < ends.length; k++) {
      ends[k].at = Math.max(ends[k].at, k ? ends[k - 1].at + 12 : PAD.top);
    }
    c.textAlign = "left";
    c.textBaseline = "middle";
    for (const { colour, label, at } of ends) {
      c.fillStyle = css(colour);
      c.fillText(label, width - this.right + 6, at, this.right - 6);
    }
  }

  // Elements moved by whole pixels, not a redrawn canvas: cheap while playing.
  cursor(time) {
    if (!this.x) return;
    setTransform(this.line, `translateX(${this.x(time).toFixed(0)}px)`);
    for (const { run, curve, dot, value } of this.lines) {
      const place = run.locate(time);
      setText(value, numberText(curve.values[frameOf(place)]));
      const shown = between(curve.values, place, this.log);
      const drawn = Number.isFinite(shown) && (!this.log || shown > 0);
      dot.style.visibility = drawn ? "" : "hidden";
      if (!drawn) continue;
      const x = this.x(Math.min(time, run.steps.at(-1)));
      setTransform(dot, `translate(${x.toFixed(0)}px, ${this.y(shown).toFixed(0)}px)`);
    }
  }
}

// One chart a group of curves: of several runs each in its colour, of one its curves in several.
export function chartsOf(runs, theme, seek) {
  const groups = new Map();
  runs.forEach((run, r) => {
    for (const curve of run.curves) {
      const name = curve.group || curve.name;
      if (!groups.has(name)) groups.set(name, { lines: [], log: curve.log });
      groups.get(name).lines.push({ run, r, curve });
    }
  });
  const compare = runs.length > 1;
  return [...groups].map(([name, { lines, log }]) => {
    const chart = new Chart(name, (time) => Number.isFinite(time) && seek(time));
    const alone = lines.length === 1;
    const colour = ({ r }, k) => (compare ? theme.runs[r] : alone ? theme.accent : theme.runs[k]);
    const label = ({ run, curve }) => (alone ? "" : compare ? run.meta.label : curve.name);
    chart.setLines(lines.map((line, k) => ({ ...line, colour: colour(line, k), label: label(line) })), log);
    return chart;
  });
}

// On the straight line the chart shows between two recorded values.
function between(values, { a, b, u }, log) {
  if (u === 0) return values[a];
  if (u === 1) return values[b];
  const [p, q] = [values[a], values[b]];
  return log ? Math.exp(Math.log(p) + u * (Math.log(q) - Math.log(p))) : p + u * (q - p);
}
