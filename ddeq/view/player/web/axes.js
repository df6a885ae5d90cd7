// Thin axes around the particles: a floor and three edges in 3-D, two ruled edges in 2-D.
// Lines are in data coordinates, so that either renderer can draw them; labels are in CSS pixels.

import { project } from "./camera.js";
import { linearTicks, tickText } from "./scales.js";

const FLOOR_LINES = 4;
const MARGIN = 14;

// {weak, strong: flat arrays of end points (x, y, z, x, y, z, ...), labels: [{text, x, y, anchor}]}
// seen through `matrix` in a view of `width` x `height`.
export function axesOf(dim, bounds, names, matrix, width, height) {
  const { weak, strong, labels } =
    dim === 3
      ? floor(bounds, names, matrix, width, height)
      : rulers(names, matrix, width, height);
  return { weak: new Float32Array(weak), strong: new Float32Array(strong), labels };
}

function floor({ low, high }, names, matrix, width, height) {
  const at = (x, y, z) => project(matrix, [x, y, z], width, height, [0, 0, 0]);
  const weak = [];
  for (let k = 0; k <= FLOOR_LINES; k++) {
    const x = low[0] + ((high[0] - low[0]) * k) / FLOOR_LINES;
    const y = low[1] + ((high[1] - low[1]) * k) / FLOOR_LINES;
    weak.push(x, low[1], low[2], x, high[1], low[2]);
    weak.push(low[0], y, low[2], high[0], y, low[2]);
  }
  // The upright edge stands at the floor's corner that lies farthest away, the others in front.
  const corners = [[low[0], low[1]], [low[0], high[1]], [high[0], low[1]], [high[0], high[1]]];
  const depth = ([x, y]) => at(x, y, low[2])[2];
  const [x0, y0] = corners.reduce((far, corner) => (depth(corner) > depth(far) ? corner : far));
  const near = [x0 === low[0] ? high[0] : low[0], y0 === low[1] ? high[1] : low[1]];
  const strong = [
    x0, y0, low[2], x0, y0, high[2],
    low[0], near[1], low[2], high[0], near[1], low[2],
    near[0], low[1], low[2], near[0], high[1], low[2],
  ];
  const centre = at((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]);
  const beside = (text, end) => {
    const away = [end[0] - centre[0], end[1] - centre[1]];
    const length = Math.hypot(...away) || 1;
    const anchor = away[0] / length > 0.3 ? "start" : away[0] / length < -0.3 ? "end" : "middle";
    const x = end[0] + (away[0] / length) * 9;
    const y = Math.min(end[1] + (away[1] / length) * 9 + 9, height - 10);
    return { text, x, y, anchor };
  };
  const top = at(x0, y0, high[2]);
  const labels = [
    beside(names[0] ?? "", at((low[0] + high[0]) / 2, near[1], low[2])),
    beside(names[1] ?? "", at(near[0], (low[1] + high[1]) / 2, low[2])),
    { text: names[2] ?? "", x: top[0], y: Math.max(top[1] - 12, 12), anchor: "middle" },
  ];
  return { weak, strong, labels: labels.filter((label) => label.text).map((label) => inside(label, width)) };
}

// Keep a label within the view; its width is estimated.
function inside(label, width) {
  const long = label.text.length * 6.4;
  const left = { start: 0, middle: long / 2, end: long }[label.anchor];
  return { ...label, x: Math.min(Math.max(label.x, left + 6), width - (long - left) - 6) };
}

function rulers(names, matrix, width, height) {
  // The screen is affine in the data, so two points give the way back.
  const origin = project(matrix, [0, 0, 0], width, height, [0, 0, 0]);
  const unit = project(matrix, [1, 1, 0], width, height, [0, 0, 0]);
  const scale = [unit[0] - origin[0], unit[1] - origin[1]];
  const x = (pixel) => (pixel - origin[0]) / scale[0];
  const y = (pixel) => (pixel - origin[1]) / scale[1];
  const [left, right, top, bottom] = [MARGIN, width - MARGIN, MARGIN + 22, height - MARGIN - 14];
  const weak = [x(left), y(top), 0, x(left), y(bottom), 0, x(left), y(bottom), 0, x(right), y(bottom), 0];
  const labels = [
    { text: names[0] ?? "", x: right, y: bottom + 13, anchor: "end" },
    { text: names[1] ?? "", x: left, y: top - 12, anchor: "start" },
  ];
  for (const tick of linearTicks(x(left), x(right), 5)) {
    const at = origin[0] + tick * scale[0];
    if (at < left + 10 || at > right - 90) continue;
    weak.push(tick, y(bottom), 0, tick, y(bottom + 4), 0);
    labels.push({ text: tickText(tick), x: at, y: bottom + 13, anchor: "middle", faint: true });
  }
  for (const tick of linearTicks(y(bottom), y(top), 4)) {
    const at = origin[1] + tick * scale[1];
    if (at < top + 14 || at > bottom - 10) continue;
    weak.push(x(left), tick, 0, x(left + 4), tick, 0);
    labels.push({ text: tickText(tick), x: left + 8, y: at, anchor: "start", faint: true });
  }
  return { weak, strong: [], labels };
}
