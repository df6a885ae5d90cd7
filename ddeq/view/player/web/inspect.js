// Looking closely: what is under the pointer, and one pinned particle with its step taken apart.

import { css } from "./theme.js";
import { project } from "./camera.js";
import { TERM_NAMES, frameOf } from "./format.js";
import { distanceOf, speedOf } from "./measures.js";
import { element } from "./dom.js";
import { numberText } from "./scales.js";

const REACH = 16; // CSS pixels between pointer and particle
const LONGEST = 90; // CSS pixels of the longest term's arrow
const SHORTEST_SCALE = 1;

export class Inspector {
  constructor() {
    this.hover = null; // {k, n}: particle n of run k
    this.pin = null;
    this.tip = element("div.tip", { role: "tooltip", hidden: true, "data-testid": "player-tip" });
    this.card = element("div.card", { hidden: true, "data-testid": "player-pin", "aria-live": "polite" });
    this.nodes = [this.tip, this.card];
  }

  // The nearest particle within reach of a point in CSS pixels.
  find(views, rects, x, y, dpr) {
    const p = [0, 0, 0];
    const world = [0, 0, 0];
    let best = null;
    views.forEach((view, k) => {
      const { run, at, rect, matrix } = view;
      const r = rects[k];
      if (x < r.x || x > r.x + r.width || y < r.y || y > r.y + r.height) return;
      const [px, py] = [x * dpr - rect.x, y * dpr - rect.y];
      for (let n = 0; n < run.count; n++) {
        project(matrix, run.between("particles", at, n, world), rect.width, rect.height, p);
        const distance = Math.hypot(p[0] - px, p[1] - py) / dpr;
        if (distance > REACH) continue;
        const score = distance + 4 * p[2]; // of two equally near ones, the one in front
        if (!best || score < best.score) best = { k, n, score };
      }
    });
    return best && { k: best.k, n: best.n };
  }

  // Marks on the canvas above the particles, and the two texts beside them.
  draw(canvas, views, theme, dpr) {
    const c = canvas.getContext("2d");
    c.clearRect(0, 0, canvas.width, canvas.height);
    this.tip.hidden = true;
    this.card.hidden = true;
    for (const [mark, pinned] of [[this.pin, true], [this.hover, false]]) {
      const view = mark && views[mark.k];
      if (!view || mark.n >= view.run.count) continue;
      const { run, at, rect, matrix, look } = view;
      const world = run.between("particles", at, mark.n, [0, 0, 0]);
      const p = project(matrix, world, rect.width, rect.height, [0, 0, 0]);
      if (!Number.isFinite(p[0])) continue;
      const centre = [rect.x + p[0], rect.y + p[1]];
      if (pinned && run.meta.terms && !endsHere(run, at)) this.drawTerms(c, view, mark.n, world, centre, theme, dpr);
      c.lineWidth = 1.6 * dpr;
      c.strokeStyle = css(theme.fg);
      c.beginPath();
      c.arc(centre[0], centre[1], look.size / 2 + 3 * dpr, 0, 7);
      c.stroke();
      if (pinned) this.fillCard(view, mark.n, theme);
      else if (this.pin?.k !== mark.k || this.pin?.n !== mark.n) {
        this.placeTip(view, mark.n, centre, canvas, dpr);
      }
    }
  }

  placeTip({ run, at }, n, [x, y], canvas, dpr) {
    this.tip.replaceChildren(...facts(run, at, n));
    this.tip.hidden = false;
    const [left, top] = [x / dpr, y / dpr];
    const width = canvas.width / dpr;
    this.tip.style.left = left > width - 210 ? "auto" : `${left + 14}px`;
    this.tip.style.right = left > width - 210 ? `${width - left + 14}px` : "auto";
    this.tip.style.top = `${Math.max(4, top - 16)}px`;
  }

  fillCard({ run, at }, n, theme) {
    this.card.hidden = false;
    const rows = [...facts(run, at, n)];
    if (endsHere(run, at)) rows.push(element("p.title", {}, "the run ends here: it moves no more"));
    else if (run.meta.terms) {
      const terms = termsOf(run, frameOf(at), n);
      const lengths = terms.map((term) => Math.hypot(...term));
      const most = Math.max(...lengths, 1e-30);
      const total = [0, 1, 2].map((k) => terms.reduce((sum, term) => sum + term[k], 0));
      rows.push(element("p.title", {}, `its move at step ${run.steps[frameOf(at)]} is the sum of`));
      terms.forEach((term, k) => {
        rows.push(termRow(TERM_NAMES[k], term, lengths[k] / most, css(theme.terms[k])));
      });
      rows.push(termRow("move", total, Math.hypot(...total) / most, css(theme.fg)));
    }
    this.card.replaceChildren(...rows);
  }

  // Arrows for the three terms, and for their sum, longer than life where they are tiny.
  drawTerms(c, { run, at, rect, matrix }, n, world, centre, theme, dpr) {
    const terms = termsOf(run, frameOf(at), n);
    const total = [0, 1, 2].map((k) => terms.reduce((sum, term) => sum + term[k], 0));
    const tip = (term, scale) => {
      const end = world.map((x, k) => x + term[k] * scale);
      const q = project(matrix, end, rect.width, rect.height, [0, 0, 0]);
      return [rect.x + q[0] - centre[0], rect.y + q[1] - centre[1]];
    };
    const longest = Math.max(...[...terms, total].map((term) => Math.hypot(...tip(term, 1))), 1e-9);
    const scale = Math.max(SHORTEST_SCALE, (LONGEST * dpr) / longest);
    [...terms, total].forEach((term, k) => {
      const [dx, dy] = tip(term, scale);
      drawArrow(c, centre, [centre[0] + dx, centre[1] + dy], css(theme.terms[k] ?? theme.fg), dpr);
    });
  }
}

// Whether no step follows, and so none can be taken apart.
function endsHere(run, at) {
  return Boolean(run.status) && frameOf(at) === run.frames - 1;
}

function termsOf(run, frame, n) {
  return TERM_NAMES.map((_, k) => run.point("terms", frame, k * run.count + n, [0, 0, 0]));
}

function termRow(name, vector, share, colour) {
  const bar = `transform: scaleX(${Math.min(1, share).toFixed(3)}); background: ${colour}`;
  return element(
    "div.term",
    { title: vector.map(numberText).join("  "), "data-term": name, "data-vector": vector.join(",") },
    element("span", {}, name),
    element("span.track", {}, element("i", { style: bar })),
    element("span.value", {}, numberText(Math.hypot(...vector))),
  );
}

function facts(run, at, n) {
  const position = run.between("particles", at, n, [0, 0, 0]).slice(0, run.dim);
  const lines = [
    ["position", position.map(numberText).join(", ")],
    ["speed", `${numberText(speedOf(run, at, n))} a step`],
  ];
  const moved = run.meta.ghost ? distanceOf(run, at, n) : NaN; // or where F(μ) is not for this one
  if (Number.isFinite(moved)) lines.push(["to F(μ)", numberText(moved)]);
  if (run.kept) lines.push(["", run.kept[n] ? "known, stays fixed" : "free"]);
  return [
    element("p.title", {}, `particle ${n + 1}`),
    ...lines.map(([name, text]) => element("p", {}, element("span", {}, name), text)),
  ];
}

function drawArrow(c, [x0, y0], [x1, y1], style, dpr) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 2 * dpr) return;
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
  const head = Math.min(9 * dpr, length * 0.5);
  c.strokeStyle = c.fillStyle = style;
  c.lineWidth = 2 * dpr;
  c.beginPath();
  c.moveTo(x0, y0);
  c.lineTo(x1 - ux * head * 0.8, y1 - uy * head * 0.8);
  c.stroke();
  c.beginPath();
  c.moveTo(x1, y1);
  c.lineTo(x1 - ux * head - uy * head * 0.42, y1 - uy * head + ux * head * 0.42);
  c.lineTo(x1 - ux * head + uy * head * 0.42, y1 - uy * head - ux * head * 0.42);
  c.fill();
}
