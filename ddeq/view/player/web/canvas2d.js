// Draws runs on a 2-D canvas: what remains where WebGL2 is missing, and what small clouds need.

import { css, mix } from "./theme.js";
import { project } from "./camera.js";
import { particleColour } from "./measures.js";
import { trailPieces } from "./gl.js";

export class Canvas2DRenderer {
  constructor(canvas) {
    this.name = "2-D canvas";
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  draw(views, theme) {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const view of views) this.drawView(view, theme);
  }

  drawView({ run, at, rect, matrix, look, axes }, theme) {
    const c = this.context;
    c.save();
    c.translate(rect.x, rect.y);
    c.beginPath();
    c.rect(0, 0, rect.width, rect.height);
    c.clip();
    for (const [points, colour] of [[axes.weak, theme.hair], [axes.strong, theme.faint]]) {
      c.lineWidth = look.dpr;
      c.strokeStyle = css(colour);
      c.beginPath();
      for (let k = 0; k < points.length; k += 3) {
        const [x, y] = project(matrix, points.slice(k, k + 3), rect.width, rect.height);
        c[k % 6 ? "lineTo" : "moveTo"](x, y);
      }
      c.stroke();
    }
    const place = (name, where, n, out) =>
      project(matrix, run.between(name, where, n), rect.width, rect.height, out);
    const segments = (fromName, from, toName, to, width, style) => {
      c.lineWidth = width;
      c.strokeStyle = style;
      c.beginPath();
      const [p, q] = [[0, 0, 0], [0, 0, 0]];
      for (let n = 0; n < run.count; n++) {
        place(fromName, from, n, p);
        place(toName, to, n, q);
        if (!Number.isFinite(p[0] + q[0])) continue;
        c.moveTo(p[0], p[1]);
        c.lineTo(q[0], q[1]);
      }
      c.stroke();
    };
    if (run.truth && look.truth) {
      const { size, colour, alpha } = look.specks;
      drawCloud(c, run.truth, matrix, rect, (look.size * size) / 2, () => css(colour, alpha));
    }
    for (const trail of look.trails ? trailPieces(at, look.trails) : []) {
      const style = css(look.plain, 0.5 * trail.alpha);
      segments("particles", trail.from, "particles", trail.to, look.size * 0.3, style);
    }
    if (run.meta.ghost && look.residuals) {
      segments("particles", at, "ghost", at, look.dpr, css(theme.ghost, 0.5 * look.calm));
    }
    if (look.arrows && at.a !== at.b) {
      const tip = { ...at, u: at.u + look.arrows };
      segments("particles", at, "particles", tip, look.size * 0.3, css(look.plain, 0.75));
    }
    if (run.meta.ghost && look.ghost) {
      c.lineWidth = 1.2 * look.dpr;
      c.strokeStyle = css(theme.ghost, 0.9 * look.calm);
      for (let n = 0; n < run.count; n++) {
        const [x, y] = place("ghost", at, n);
        c.beginPath();
        c.arc(x, y, look.size * 0.52, 0, 7);
        c.stroke();
      }
    }
    const order = [];
    for (let n = 0; n < run.count; n++) {
      if (look.keptAlone && !run.kept[n]) continue;
      const p = place("particles", at, n, [0, 0, 0]);
      if (Number.isFinite(p[0])) order.push([p, n]);
    }
    order.sort((p, q) => q[0][2] - p[0][2]);
    for (const [[x, y, far], n] of order) {
      // The same depth cue and rim as the shader's.
      const depth = run.dim === 3 ? Math.min(1, Math.max(0, (2 * far - 1) * 1.2 + 0.42)) : 0;
      const radius = (look.size / 2) * (run.dim === 3 ? 1.22 - 0.44 * depth : 1);
      const colour = particleColour(run, at, n, look.colouring, theme);
      disc(c, x, y, radius, css(theme.wash));
      disc(c, x, y, radius - look.outline, css(mix(colour, theme.wash, 0.42 * depth)));
    }
    c.restore();
  }

  dispose() {}
}

// A static cloud of points, {points, dim}, seen through `matrix`.
export function drawCloud(c, { points, dim }, matrix, { width, height }, radius, styleOf) {
  const p = [0, 0, 0];
  const q = [0, 0, 0];
  for (let at = 0; at < points.length; at += dim) {
    p[0] = points[at];
    p[1] = points[at + 1];
    p[2] = dim === 3 ? points[at + 2] : 0;
    project(matrix, p, width, height, q);
    disc(c, q[0], q[1], radius, styleOf(q[2]));
  }
}

function disc(c, x, y, radius, style) {
  c.fillStyle = style;
  c.beginPath();
  c.arc(x, y, radius, 0, 7);
  c.fill();
}
