import assert from "node:assert/strict";
import test from "node:test";
import { axesOf } from "../../ddeq/view/player/web/axes.js";
import { HOME, frameBox, orbit, project, viewMatrix } from "../../ddeq/view/player/web/camera.js";

const LOW = [-1, 0, 2];
const HIGH = [3, 1, 5];
const NAMES = ["PC 1 (41 %)", "PC 2 (14 %)", "PC 3 (7 %)"];
const [WIDTH, HEIGHT] = [600, 400];

function triples(points) {
  return Array.from({ length: points.length / 3 }, (_, k) => [...points.slice(3 * k, 3 * k + 3)]);
}

test("in 3-D every line lies on the box, whichever way it is turned", () => {
  const box = frameBox(LOW, HIGH);
  for (let turn = 0; turn < 12; turn++) {
    const camera = orbit(HOME, 65 * turn, 0);
    const matrix = viewMatrix(camera, box, 3, WIDTH, HEIGHT);
    const { weak, strong, labels } = axesOf(3, { low: LOW, high: HIGH }, NAMES, matrix, WIDTH, HEIGHT);
    for (const [x, y, z] of triples(weak)) {
      assert.ok(x >= -1 && x <= 3 && y >= 0 && y <= 1 && z === 2); // the floor
    }
    assert.equal(triples(strong).length, 6); // three edges
    assert.deepEqual(labels.map((label) => label.text), NAMES);
    for (const { x, y } of labels) assert.ok(x > 0 && x < WIDTH && y > 0 && y < HEIGHT);
    // The upright edge stands at the back: no corner of the floor is farther away.
    const depth = (p) => project(matrix, p, WIDTH, HEIGHT)[2];
    const upright = triples(strong)[0];
    for (const x of [-1, 3]) for (const y of [0, 1]) assert.ok(depth(upright) >= depth([x, y, 2]) - 1e-6);
  }
});

test("in 2-D ticks stand where their numbers are", () => {
  const [low, high] = [LOW.slice(0, 2), HIGH.slice(0, 2)];
  const matrix = viewMatrix(HOME, frameBox(low, high), 2, WIDTH, HEIGHT);
  const { labels } = axesOf(2, { low, high }, NAMES, matrix, WIDTH, HEIGHT);
  const ticks = labels.filter((label) => label.faint);
  assert.ok(ticks.length >= 4);
  for (const { text, x, y, anchor } of ticks) {
    const value = Number(text.replace("−", "-"));
    const along = anchor === "middle" ? [value, 0, 0] : [0, value, 0];
    const there = project(matrix, along, WIDTH, HEIGHT);
    assert.ok(Math.abs(anchor === "middle" ? there[0] - x : there[1] - y) < 1e-3);
  }
});
