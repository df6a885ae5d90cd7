import assert from "node:assert/strict";
import test from "node:test";
import { errorOf, errorsOf, typical } from "../../ddeq/view/player/web/measures.js";

const PLACES = [[0, 0, 0], [3, 4, 0], [1, 0, 0]];
const run = {
  count: 3, frames: 1, dim: 2, kept: [1, 0, 0],
  truth: { points: new Float32Array([3, 0, 1, 0.5]), dim: 2 },
  point: (name, frame, n, out) => Object.assign(out, PLACES[n]),
};

test("an error is the distance to the nearest true point, known ones among them", () => {
  assert.deepEqual([...errorsOf(run, 0)], [0, 4, 0.5]);
  assert.equal(errorOf(run, { a: 0, b: 0, u: 0 }, 2), 0.5);
});

test("the colours end at a large error of the last step", () => {
  assert.equal(typical(run, "error"), 4);
});
