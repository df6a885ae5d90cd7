// How runs are drawn: settings turned into sizes, colours and modes of the shader.

import { clamp } from "./clock.js";
import { typical } from "./measures.js";
import { numberText } from "./scales.js";

const MODES = { plain: 0, particle: 1, speed: 3, distance: 4, kept: 5, error: 6, agreement: 6 };
const RAMPS = { speed: " a step", distance: " to F(μ)", error: " from the truth", agreement: " from other seeds" };
const RAMP_OF_PARTICLES = 2; // the mode of many particles with a colour each
const MANY_COLOURS = 16;
const RESIDUALS_UP_TO = 4000; // particles; beyond, the lines would be a grey blur
const TRAIL = 24; // recorded steps a trail is long
const SHORT_TRAIL = 8; // ... where there are many particles
const MANY = 3000;
const AHEAD = 6; // steps a velocity dart looks ahead

// The ends of colour ramps, computed once a run and, while a solver works, kept as they were.
export class Ramps {
  constructor() {
    this.known = new Map(); // run -> {"speed 40": end}
  }

  end(run, mode, live) {
    if (!this.known.has(run)) this.known.set(run, {});
    const known = this.known.get(run);
    const key = `${mode} ${live ? 0 : run.frames}`;
    known[key] ??= typical(run, mode);
    return known[key];
  }
}

// What particles of a run are coloured by: a choice that means nothing for it is none.
export function colouringOf(run, settings) {
  const { colour } = settings;
  const kept = Boolean(run.kept);
  const agreement = kept && run.others?.length > 0;
  const means = { distance: Boolean(run.meta.ghost), kept, error: kept && Boolean(run.truth), agreement };
  return means[colour] === false ? "plain" : colour;
}

// plain: colour of particles without one of their own. cell: the run's {width, height} in CSS
// pixels, if it has been laid out. rampEnd(run, mode): see Ramps.
export function lookOf(run, at, { settings, plain, cell, dpr, rampEnd, theme }) {
  const mode = colouringOf(run, settings);
  const measured = mode in RAMPS;
  const scale = measured ? rampEnd(run, mode) : 1;
  const many = mode === "particle" && run.count > MANY_COLOURS;
  const gap = run.steps[at.b] - run.steps[at.a] || 1;
  const room = cell ? clamp(Math.min(cell.width, cell.height) / 360, 0.5, 1) : 1;
  const size = clamp(20.5 * run.count ** -0.17, 3, 14) * room; // CSS pixels
  const layer = run.kept ? settings.layer : "after";
  const filled = layer === "after"; // what moved is there, rather than the cut or the truth
  return {
    dpr,
    plain,
    size: size * dpr,
    outline: clamp((size - 4) * 0.16, 0.3, 1) * dpr,
    calm: clamp(16 / Math.sqrt(run.count), 0.25, 1), // of many ghosts each is fainter
    mode: many ? RAMP_OF_PARTICLES : MODES[mode],
    trailMode: mode !== "particle" ? 0 : many ? RAMP_OF_PARTICLES : MODES.particle,
    unit: mode === "speed" ? 1 / (scale * gap) : 1 / scale,
    colouring: { mode, scale, plain },
    keptAlone: !filled,
    ghost: settings.ghost && filled,
    truth: settings.truth || !filled,
    specks: specksOf(layer, settings.cut, theme),
    residuals: settings.residuals && settings.ghost && filled && run.count <= RESIDUALS_UP_TO,
    trails: !settings.trails || !filled ? 0 : run.count > MANY ? SHORT_TRAIL : TRAIL,
    arrows: settings.arrows && filled ? AHEAD : 0,
  };
}

// How points of the truth are drawn: beside a completion as faint specks, before it as what was cut
// away, and as full particles where they are what is shown.
function specksOf(layer, cut, theme) {
  if (layer === "truth") return { size: 1, colour: theme.accent, alpha: 1 };
  if (layer === "before" || cut) return { size: 0.75, colour: theme.removed, alpha: 0.9 };
  return { size: 0.62, colour: theme.faint, alpha: 0.8 };
}

// What the marks of a run mean: [{kind, text, colour}]. alone: whether no other run is shown.
export function marksOf(run, { colouring, ghost, truth, specks, keptAlone }, theme, alone) {
  const { mode, scale, plain } = colouring;
  const particles = run.meta.ghost ? "particles μ" : "particles";
  const marks = [];
  if (RAMPS[mode]) {
    if (MODES[mode] > MODES.kept) marks.push({ kind: "disc", text: "known", colour: theme.muted });
    if (!keptAlone) marks.push({ kind: "ramp", text: `0 to ${numberText(scale)}${RAMPS[mode]}` });
  } else if (mode === "kept") {
    marks.push({ kind: "disc", text: "known", colour: theme.muted });
    const free = !keptAlone && run.kept.some((kept) => !kept);
    if (free) marks.push({ kind: "disc", text: "free", colour: plain });
  } else if (alone) {
    marks.push({ kind: "disc", text: particles, colour: mode === "plain" ? plain : theme.muted });
  }
  if (run.meta.ghost && ghost) marks.push({ kind: "ring", text: "F(μ)", colour: theme.ghost });
  if (run.truth && truth) {
    marks.push({ kind: "speck", text: run.kept ? "removed" : "true cloud", colour: specks.colour });
  }
  return marks;
}
