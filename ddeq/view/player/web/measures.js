// Speed, distance to the ghost, error: what particles can be coloured by and what hovering tells.

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

// What free particles are measured by, each for itself: 0 for those that are kept.
const MEASURES = { error: errors, agreement: disagreements };
const KNOWN = new WeakMap(); // run -> what was measured, of which frames -> lengths

// mode: a name out of MEASURES. Returns one length a particle.
export function lengthsOf(run, mode, frame) {
  if (!KNOWN.has(run)) KNOWN.set(run, new Map());
  const known = KNOWN.get(run);
  const beside = mode === "agreement" ? besideOf(run, frame) : [];
  const key = [mode, frame, ...beside.map((other) => other.frame)].join(" ");
  if (!known.has(key)) known.set(key, MEASURES[mode](run, frame, beside));
  return known.get(key);
}

// How far each free particle of a frame is from the nearest true point, or known one.
function errors(run, frame) {
  const { points, dim } = run.truth;
  const [p, kept] = [[0, 0, 0], []];
  for (let n = 0; n < run.count; n++) if (run.kept?.[n]) kept.push(...run.point("particles", 0, n, p));
  return eachFree(run, frame, (at) => Math.sqrt(Math.min(nearest(at, points, dim), nearest(at, kept, 3))));
}

// How far, on the average over the other runs, each free particle is from the nearest free one there.
function disagreements(run, frame, beside) {
  const p = [0, 0, 0];
  const others = beside.map((other) => {
    const free = [];
    for (let n = 0; n < other.run.count; n++) {
      if (!other.run.kept[n]) free.push(...other.run.point("particles", other.frame, n, p));
    }
    return free;
  });
  const away = (at) => others.reduce((sum, free) => sum + Math.sqrt(nearest(at, free, 3)), 0);
  return eachFree(run, frame, (at) => away(at) / others.length);
}

// The frames of other runs that stand beside a frame of this one: those of its step.
function besideOf(run, frame) {
  return run.others.map((other) => ({ run: other, frame: frameOf(other.locate(run.steps[frame])) }));
}

function eachFree(run, frame, measure) {
  const p = [0, 0, 0];
  const lengths = new Float32Array(run.count);
  for (let n = 0; n < run.count; n++) {
    if (!run.kept?.[n]) lengths[n] = measure(run.point("particles", frame, n, p));
  }
  return lengths;
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

export function lengthOf(run, mode, at, n) {
  return lengthsOf(run, mode, frameOf(at))[n];
}

// A large but not extreme value over the run: the end of the colour ramp. That of what free
// particles are measured by is the last step's, as what is left of it at the end is what matters.
export function typical(run, mode) {
  if (MEASURES[mode]) return large([...lengthsOf(run, mode, run.frames - 1)].filter((value) => value > 0));
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
  if (mode !== "kept" && !MEASURES[mode]) return plain;
  if (run.kept?.[n]) return theme.muted;
  return mode === "kept" ? plain : ramp(theme.ramp, 0.15 + 0.85 * (lengthOf(run, mode, at, n) / scale));
}
