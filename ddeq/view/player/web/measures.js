// Speed and distance to the ghost: what particles can be coloured by and what hovering tells.

import { ramp } from "./theme.js";

const SAMPLED_FRAMES = 24;
const SAMPLED_PARTICLES = 300;

// Movement per solver step around a place in the run.
export function speedOf(run, { a, b }, n) {
  if (a === b) return 0;
  return length(run.point("particles", a, n), run.point("particles", b, n)) / (run.steps[b] - run.steps[a]);
}

export function distanceOf(run, at, n) {
  return length(run.between("particles", at, n), run.between("ghost", at, n, [0, 0, 0]));
}

function length(p, q) {
  return Math.hypot(q[0] - p[0], q[1] - p[1], q[2] - p[2]);
}

// A large but not extreme value over the run: the end of the colour ramp.
export function typical(run, mode) {
  const measure = mode === "speed" ? speedOf : distanceOf;
  const values = [];
  const frameStride = Math.ceil(run.frames / SAMPLED_FRAMES);
  const stride = Math.ceil(run.count / SAMPLED_PARTICLES);
  for (let t = 0; t < run.frames; t += frameStride) {
    const at = { a: t, b: Math.min(t + 1, run.frames - 1), u: 0 };
    for (let n = 0; n < run.count; n += stride) values.push(measure(run, at, n));
  }
  const sorted = values.filter(Number.isFinite).sort((x, y) => x - y);
  return sorted[Math.floor(sorted.length * 0.98)] || 1;
}

// The colour of one particle, as the WebGL shader also computes it.
export function particleColour(run, at, n, { mode, scale, plain }, theme) {
  if (mode === "particle") {
    const palette = theme.particles;
    if (run.count <= 2 * palette.length) return palette[n % palette.length];
    return ramp(theme.ramp, 0.2 + (0.8 * n) / run.count);
  }
  if (mode === "speed") return ramp(theme.ramp, 0.15 + 0.85 * (speedOf(run, at, n) / scale));
  if (mode === "distance") return ramp(theme.ramp, 0.15 + 0.85 * (distanceOf(run, at, n) / scale));
  if (mode === "kept") return run.kept?.[n] ? theme.muted : plain;
  return plain;
}
