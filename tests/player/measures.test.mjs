import assert from "node:assert/strict";
import test from "node:test";
import { lengthOf, lengthsOf, typical } from "../../ddeq/view/player/web/measures.js";

const PLACES = [[0, 0, 0], [3, 4, 0], [1, 0, 0]];
const run = {
  count: 3, frames: 1, dim: 2, kept: [1, 0, 0],
  truth: { points: new Float32Array([3, 0, 1, 0.5]), dim: 2 },
  point: (name, frame, n, out) => Object.assign(out, PLACES[n]),
};

test("an error is the distance to the nearest true point, known ones among them", () => {
  assert.deepEqual([...lengthsOf(run, "error", 0)], [0, 4, 0.5]);
  assert.equal(lengthOf(run, "error", { a: 0, b: 0, u: 0 }, 2), 0.5);
});

test("the colours end at a large error of the last step", () => {
  assert.equal(typical(run, "error"), 4);
});

test("seeds agree where other runs have a free particle near, at the same step", () => {
  const runOf = (steps, frames, others = []) => ({
    count: 2, frames: steps.length, dim: 2, kept: [1, 0], steps, others,
    locate: (step) => ({ a: steps.indexOf(step), b: steps.indexOf(step), u: 0 }),
    point: (name, frame, n, out) => Object.assign(out, n ? frames[frame] : [9, 9, 0]),
  });
  const near = runOf([0, 2], [[5, 5, 0], [1, 0, 0]]);
  const far = runOf([0, 2], [[9, 9, 0], [0, 3, 0]]);
  const one = runOf([0, 1, 2], [[0, 0, 0], [7, 7, 0], [0, 0, 0]], [near, far]);
  assert.deepEqual([...lengthsOf(one, "agreement", 2)], [0, (1 + 3) / 2]); // kept ones do not count
  assert.equal(typical(one, "agreement"), 2);
});
