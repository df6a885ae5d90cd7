// Thin axes behind the particles: a floor and three edges in 3-D, two ruled edges in 2-D.

import { css } from "./theme.js";
import { project } from "./camera.js";
import { linearTicks, tickText } from "./scales.js";

const FLOOR_LINES = 4;

// bounds: {low, high} of all that is shown.
export function drawAxes(c, { run, rect, matrix }, bounds, theme, dpr) {
  c.save();
  c.translate(rect.x, rect.y);
  c.lineWidth = dpr;
  c.font = `${11.5 * dpr}px ${theme.font}`;
  if (run.dim === 3) drawFloor(c, run, bounds, rect, matrix, theme, dpr);
  else drawRulers(c, run, rect, matrix, theme, dpr);
  c.restore();
}

function drawFloor(c, run, { low, high }, rect, matrix, theme, dpr) {
  const at = (x, y, z) => project(matrix, [x, y, z], rect.width, rect.height, [0, 0, 0]);
  const line = (p, q, style) => {
    c.strokeStyle = style;
    c.beginPath();
    c.moveTo(p[0], p[1]);
    c.lineTo(q[0], q[1]);
    c.stroke();
  };
  for (let k = 0; k <= FLOOR_LINES; k++) {
    const x = low[0] + ((high[0] - low[0]) * k) / FLOOR_LINES;
    const y = low[1] + ((high[1] - low[1]) * k) / FLOOR_LINES;
    line(at(x, low[1], low[2]), at(x, high[1], low[2]), css(theme.hair));
    line(at(low[0], y, low[2]), at(high[0], y, low[2]), css(theme.hair));
  }
  // Axes start at the floor's corner that lies farthest away.
  const corners = [[low[0], low[1]], [low[0], high[1]], [high[0], low[1]], [high[0], high[1]]];
  const depth = ([x, y]) => at(x, y, low[2])[2];
  const [x0, y0] = corners.reduce((far, corner) => (depth(corner) > depth(far) ? corner : far));
  line(at(x0, y0, low[2]), at(x0, y0, high[2]), css(theme.faint, 0.8));
  const near = [x0 === low[0] ? high[0] : low[0], y0 === low[1] ? high[1] : low[1]];
  line(at(low[0], near[1], low[2]), at(high[0], near[1], low[2]), css(theme.faint, 0.8));
  line(at(near[0], low[1], low[2]), at(near[0], high[1], low[2]), css(theme.faint, 0.8));
  const centre = at((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]);
  const ends = [
    at((low[0] + high[0]) / 2, near[1], low[2]),
    at(near[0], (low[1] + high[1]) / 2, low[2]),
    at(x0, y0, high[2]),
  ];
  c.fillStyle = css(theme.muted);
  ends.forEach((end, k) => {
    const text = run.meta.axes[k] ?? "";
    if (!text) return;
    if (k === 2) {
      c.textAlign = "center";
      c.textBaseline = "bottom";
      c.fillText(text, end[0], Math.max(end[1] - 6 * dpr, 14 * dpr));
      return;
    }
    const away = [end[0] - centre[0], end[1] - centre[1]];
    const length = Math.hypot(...away) || 1;
    c.textAlign = away[0] / length > 0.3 ? "left" : away[0] / length < -0.3 ? "right" : "center";
    c.textBaseline = "top";
    const width = c.measureText(text).width;
    const x = end[0] + (away[0] / length) * 9 * dpr;
    const y = end[1] + (away[1] / length) * 9 * dpr;
    const left = c.textAlign === "left" ? 0 : c.textAlign === "right" ? width : width / 2;
    const margin = 6 * dpr;
    c.fillText(
      text,
      Math.min(Math.max(x, left + margin), rect.width - (width - left) - margin),
      Math.min(y, rect.height - 16 * dpr),
    );
  });
}

function drawRulers(c, run, rect, matrix, theme, dpr) {
  const margin = 14 * dpr;
  // Screen is affine in the data, so two points give the visible range.
  const origin = project(matrix, [0, 0, 0], rect.width, rect.height, [0, 0, 0]);
  const unit = project(matrix, [1, 1, 0], rect.width, rect.height, [0, 0, 0]);
  const scale = [unit[0] - origin[0], unit[1] - origin[1]];
  const toData = (pixel, k) => (pixel - origin[k]) / scale[k];
  const right = rect.width - margin;
  const bottom = rect.height - margin - 14 * dpr;
  const left = margin;
  const top = margin + 22 * dpr;
  c.strokeStyle = css(theme.hair);
  c.beginPath();
  c.moveTo(left, top);
  c.lineTo(left, bottom);
  c.lineTo(right, bottom);
  c.stroke();
  c.fillStyle = css(theme.faint);
  c.textAlign = "center";
  c.textBaseline = "top";
  const ticksX = linearTicks(toData(left, 0), toData(right, 0), 5);
  for (const x of ticksX) {
    const at = origin[0] + x * scale[0];
    if (at < left + 10 * dpr || at > right - 90 * dpr) continue;
    c.fillRect(at, bottom, dpr, 4 * dpr);
    c.fillText(tickText(x), at, bottom + 7 * dpr);
  }
  c.textAlign = "left";
  c.textBaseline = "middle";
  for (const y of linearTicks(toData(bottom, 1), toData(top, 1), 4)) {
    const at = origin[1] + y * scale[1];
    if (at < top + 14 * dpr || at > bottom - 10 * dpr) continue;
    c.fillRect(left, at, 4 * dpr, dpr);
    c.fillText(tickText(y), left + 8 * dpr, at);
  }
  c.fillStyle = css(theme.muted);
  c.textAlign = "right";
  c.textBaseline = "top";
  c.fillText(run.meta.axes[0] ?? "", right, bottom + 7 * dpr);
  c.textAlign = "left";
  c.textBaseline = "bottom";
  c.fillText(run.meta.axes[1] ?? "", left, top - 5 * dpr);
}
