// What cuts a cloud, over its particles: a sphere or a plane, a click that places the sphere, and
// the direction that a camera or a plane takes from the view.

import { project } from "./camera.js";
import { element } from "./dom.js";
import { css } from "./theme.js";

const CLICK_REACH = 20; // CSS pixels from a point at which a click means it

export class Cutting {
  // take(): asked for when the button is pressed that says from where one looks.
  constructor(take) {
    this.cut = null;
    this.canvas = element("canvas.over", { "data-testid": "player-cut", hidden: true });
    this.button = element("button.take", { type: "button", "data-testid": "player-take", onclick: take });
    this.hint = element("p.hint", { "data-unpainted": true });
    this.foot = element("div.cutting", { "data-unpainted": true, hidden: true }, this.hint, this.button);
    this.nodes = [this.canvas, this.foot];
  }

  // cut: {outlines: closed lines in the particles' units, pick, take, hint}, or null.
  show(cut) {
    this.cut = cut;
    this.foot.hidden = !cut;
    this.canvas.hidden = !cut?.outlines.length;
    this.button.hidden = !cut?.take;
    this.button.textContent = cut?.take ?? "";
    this.hint.textContent = cut?.hint ?? "";
  }

  get picks() {
    return Boolean(this.cut?.pick);
  }

  draw(view, theme, dpr) {
    if (!this.cut?.outlines.length || !view) return;
    const { canvas } = this;
    const c = canvas.getContext("2d");
    c.clearRect(0, 0, canvas.width, canvas.height);
    c.lineWidth = 1.5 * dpr;
    c.strokeStyle = css(theme.accent);
    c.fillStyle = css(theme.accent, 0.08);
    const { matrix, rect } = view;
    for (const line of this.cut.outlines) {
      c.beginPath();
      for (const point of line) c.lineTo(...project(matrix, point, rect.width, rect.height).slice(0, 2));
      c.closePath();
      c.fill();
      c.stroke();
    }
  }

  // The point of the whole cloud at a place of the stage, of those within reach the one in front;
  // null where there is none.
  find({ run, at, rect, matrix }, x, y, dpr, reach = CLICK_REACH) {
    let [best, least] = [null, Infinity];
    const look = (point) => {
      const [u, v, depth] = project(matrix, point, rect.width, rect.height);
      const away = Math.hypot(u / dpr - x, v / dpr - y);
      const cost = away / CLICK_REACH + 4 * depth;
      if (away <= reach && cost < least) [best, least] = [[...point], cost];
    };
    for (let n = 0; n < run.count; n++) look(run.between("particles", at, n));
    for (let k = 0; run.truth && k < run.truth.points.length; k += run.truth.dim) {
      look([...run.truth.points.subarray(k, k + run.truth.dim), 0].slice(0, 3));
    }
    return best;
  }
}

// Where a camera stands: degrees about z from +x, and above the horizon.
export function directionOf({ yaw, pitch }) {
  const degrees = (radians) => Math.round((radians * 180) / Math.PI);
  return [(((degrees(yaw) - 90) % 360) + 360) % 360, degrees(pitch)];
}
