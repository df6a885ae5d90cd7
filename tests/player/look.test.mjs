import assert from "node:assert/strict";
import test from "node:test";
import { Ramps, colouringOf, lookOf, marksOf } from "../../ddeq/view/player/web/look.js";

const PLAIN = [0, 0, 1];
const THEME = { muted: "muted", ghost: "ghost", faint: "faint", accent: "accent", removed: "removed" };
const SHOWN = { ghost: true, residuals: true, truth: true, trails: true, arrows: true, colour: "plain", layer: "after" };

function runOf(count, more = {}) {
  return { count, steps: [0, 4], kept: null, truth: null, meta: { ghost: true }, ...more };
}

function look(run, settings = {}, more = {}) {
  const at = { a: 0, b: 1, u: 0.5 };
  const context = { settings: { ...SHOWN, ...settings }, plain: PLAIN, theme: THEME, dpr: 1, rampEnd: () => 2 };
  return lookOf(run, at, { ...context, ...more });
}

test("more particles are smaller, in a small view too, and grow with the pixels of the screen", () => {
  const sizes = [10, 100, 1000, 100_000].map((count) => look(runOf(count)).size);
  assert.deepEqual(sizes, sizes.toSorted((a, b) => b - a));
  assert.ok(sizes[0] <= 14 && sizes.at(-1) === 3);
  const cell = { width: 180, height: 400 };
  assert.equal(look(runOf(10), {}, { cell }).size, sizes[0] / 2);
  assert.equal(look(runOf(10), {}, { dpr: 2 }).size, 2 * sizes[0]);
});

test("lines and long trails are for as many particles as one can tell apart", () => {
  assert.equal(look(runOf(4000)).residuals, true);
  assert.equal(look(runOf(4001)).residuals, false);
  assert.equal(look(runOf(10), { ghost: false }).residuals, false);
  assert.ok(look(runOf(3000)).trails > look(runOf(3001)).trails);
  assert.equal(look(runOf(10), { trails: false }).trails, 0);
  assert.equal(look(runOf(10), { arrows: false }).arrows, 0);
});

test("a colour that means nothing for a run is none", () => {
  const bare = runOf(5, { meta: { ghost: false } });
  assert.equal(colouringOf(bare, { colour: "distance" }), "plain");
  assert.equal(colouringOf(bare, { colour: "kept" }), "plain");
  assert.equal(colouringOf(bare, { colour: "speed" }), "speed");
  assert.equal(colouringOf(runOf(5, { kept: [1] }), { colour: "kept" }), "kept");
});

test("few particles have colours of their own, many share a ramp", () => {
  const modes = [16, 17].map((count) => look(runOf(count), { colour: "particle" }));
  assert.deepEqual(modes.map(({ mode, trailMode }) => [mode, trailMode]), [[1, 1], [2, 2]]);
});

test("speed is by the solver's steps, distance is not", () => {
  assert.equal(look(runOf(5), { colour: "speed" }).unit, 1 / (2 * 4));
  assert.equal(look(runOf(5), { colour: "distance" }).unit, 1 / 2);
});

test("marks say what is to be seen", () => {
  const said = (run, settings, alone = true) =>
    marksOf(run, look(run, settings), THEME, alone).map(({ kind, text }) => `${kind} ${text}`);
  const filled = runOf(2, { kept: [1, 0], truth: {} });
  assert.deepEqual(said(runOf(5)), ["disc particles μ", "ring F(μ)"]);
  assert.deepEqual(said(runOf(5), {}, false), ["ring F(μ)"]); // several runs have their names
  assert.deepEqual(said(runOf(5), { ghost: false }), ["disc particles μ"]);
  assert.deepEqual(said(runOf(5), { colour: "speed" }), ["ramp 0 to 2 a step", "ring F(μ)"]);
  assert.deepEqual(said(filled, { colour: "kept" }), ["disc known", "disc free", "ring F(μ)", "speck removed"]);
  assert.deepEqual(said({ ...filled, kept: null }, { truth: false }), ["disc particles μ", "ring F(μ)"]);
});

test("a ramp keeps its end while a solver works, and is measured anew when it has ended", () => {
  const frames = [[0, 0], [1, 0], [9, 0]];
  const run = runOf(1, {
    dim: 2, steps: [0, 1], frames: 2, point: (name, frame) => [...frames[frame], 0],
  });
  const ramps = new Ramps();
  assert.equal(ramps.end(run, "speed", true), 1);
  Object.assign(run, { steps: [0, 1, 2], frames: 3 });
  assert.equal(ramps.end(run, "speed", true), 1);
  assert.equal(ramps.end(run, "speed", false), 8);
});

test("before and as it truly is, a cloud is seen without what was filled in", () => {
  const filled = runOf(5, { kept: [1, 1, 1, 1, 0], truth: {} });
  for (const [layer, colour] of [["before", "removed"], ["truth", "accent"]]) {
    const { keptAlone, truth, ghost, trails, specks } = look(filled, { layer, truth: false });
    assert.deepEqual([keptAlone, truth, ghost, trails, specks.colour], [true, true, false, 0, colour]);
  }
  assert.equal(look(filled).keptAlone, false);
  assert.equal(look(runOf(5), { layer: "before" }).keptAlone, false); // nothing is filled in there
});
