// Speed and distance to the ghost: what particles can be coloured by and what hovering tells.

import { frameOf } from "./format.js";
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

const ERRORS = new WeakMap(); // run -> frame -> distances

// How far each free particle of a frame is from the nearest true point, 0 for those that are kept.
export function errorsOf(run, frame) {
  if (!ERRORS.has(run)) ERRORS.set(run, new Map());
  const known = ERRORS.get(run);
  if (!known.has(frame)) known.set(frame, measured(run, frame));
  return known.get(frame);
}

function measured(run, frame) {
  const { points, dim } = run.truth;
  const [p, kept] = [[0, 0, 0], []];
  for (let n = 0; n < run.count; n++) if (run.kept?.[n]) kept.push(...run.point("particles", 0, n, p));
  const errors = new Float32Array(run.count);
  for (let n = 0; n < run.count; n++) {
    if (run.kept?.[n]) continue;
    run.point("particles", frame, n, p);
    errors[n] = Math.sqrt(Math.min(nearest(p, points, dim), nearest(p, kept, 3)));
  }
  return errors;
}

// The square of the distance from a place to the nearest of some points.
function nearest([x, y, z], points, dim) {
  let least = Infinity;
  for (let k = 0; k < points.length; k += dim) {
    const [dx, dy] = [points[k] - x, points[k + 1] - y];
    const dz = dim === 3 ? points[k + 2] - z : 0;
    const square = dx * dx + dy * dy + dz * dz;
    if (square < least) least = square;
  }
  return least;
}

export function errorOf(run, at, n) {
  return errorsOf(run, frameOf(at))[n];
}

// A large but not extreme value over the run: the end of the colour ramp. That of errors is the
// last step's, as what is left of them at the end is what matters.
export function typical(run, mode) {
  if (mode === "error") return large([...errorsOf(run, run.frames - 1)].filter((value) => value > 0));
  const measure = mode === "speed" ? speedOf : distanceOf;
  const values = [];
  const frameStride = Math.ceil(run.frames / SAMPLED_FRAMES);
  const stride = Math.ceil(run.count / SAMPLED_PARTICLES);
  for (let t = 0; t < run.frames; t += frameStride) {
    const at = { a: t, b: Math.min(t + 1, run.frames - 1), u: 0 };
    for (let n = 0; n < run.count; n += stride) values.push(measure(run, at, n));
  }
  return large(values);
}

function large(values) {
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
  if (mode === "error" && !run.kept?.[n]) {
    return ramp(theme.ramp, 0.15 + 0.85 * (errorOf(run, at, n) / scale));
  }
  if (mode === "kept" || mode === "error") return run.kept?.[n] ? theme.muted : plain;
  return plain;
}
