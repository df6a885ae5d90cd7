import assert from "node:assert/strict";
import test from "node:test";
import {
  HOME, cameraText, frameBox, orbit, pan, parseCamera, project, viewMatrix, zoomAt,
} from "../../ddeq/view/player/web/camera.js";

const BOXES = [
  [[-1, -1, -1], [1, 1, 1]],
  [[0, 10, -3], [9, 11, 50]],
  [[-1e-4, 0, 0], [1e-4, 1e-4, 3e-4]],
];
const SIZES = [[900, 400], [400, 400], [300, 700]];

function corners(low, high) {
  return [...Array(8).keys()].map((c) => low.map((l, k) => (c & (1 << k) ? high[k] : l)));
}

test("at home the box fills the view, centred, without leaving it", () => {
  for (const dim of [2, 3]) {
    for (const [low, high] of BOXES) {
      for (const [width, height] of SIZES) {
        const [l, h] = [low.slice(0, dim), high.slice(0, dim)];
        const m = viewMatrix(HOME, frameBox(l, h), dim, width, height);
        const seen = corners([...l, 0].slice(0, 3), [...h, 0].slice(0, 3)).map((p) => project(m, p, width, height));
        for (const axis of [0, 1]) {
          const size = [width, height][axis];
          const values = seen.map((p) => p[axis] / size);
          assert.ok(Math.min(...values) > 0.049 && Math.max(...values) < 0.951);
          assert.ok(Math.abs((Math.min(...values) + Math.max(...values)) / 2 - 0.5) < 1e-3);
        }
        const spans = [0, 1].map((axis) => {
          const values = seen.map((p) => p[axis] / [width, height][axis]);
          return Math.max(...values) - Math.min(...values);
        });
        assert.ok(Math.abs(Math.max(...spans) - 0.9) < 1e-3);
      }
    }
  }
});

test("in 2-D a unit is equally long along both axes, y up", () => {
  for (const [width, height] of SIZES) {
    const m = viewMatrix(HOME, frameBox([0, 0], [4, 9]), 2, width, height);
    const o = project(m, [0, 0, 0], width, height).slice();
    const p = project(m, [1, 1, 0], width, height);
    assert.ok(Math.abs(p[0] - o[0] + (p[1] - o[1])) < 1e-3);
    assert.ok(p[0] > o[0] && p[1] < o[1]);
  }
});

test("nearer points have less depth and are drawn larger apart", () => {
  const m = viewMatrix({ ...HOME, yaw: 0, pitch: 0 }, frameBox([-1, -1, -1], [1, 1, 1]), 3, 400, 400);
  const at = (p) => project(m, p, 400, 400, [0, 0, 0]);
  assert.ok(at([0, -1, 0])[2] < at([0, 1, 0])[2]);
  assert.ok(at([1, -1, 0])[0] - at([-1, -1, 0])[0] > at([1, 1, 0])[0] - at([-1, 1, 0])[0]);
});

test("zooming keeps the point under the pointer where it is", () => {
  const box = frameBox([-1, -2, -3], [1, 2, 3]);
  const point = [0.4, -1, 2];
  let camera = pan(HOME, 0.3, -0.1);
  const before = project(viewMatrix(camera, box, 3, 500, 500), point, 2, 2, [0, 0, 0]);
  camera = zoomAt(camera, 1.7, before[0] - 1, 1 - before[1]);
  const after = project(viewMatrix(camera, box, 3, 500, 500), point, 2, 2, [0, 0, 0]);
  assert.ok(Math.hypot(after[0] - before[0], after[1] - before[1]) < 1e-5);
  assert.ok(Math.abs(camera.zoom - 1.7) < 1e-12);
});

test("dragging right carries the near side to the right, dragging down shows the top", () => {
  const box = frameBox([-1, -1, -1], [1, 1, 1]);
  const flat = { ...HOME, yaw: 0, pitch: 0 };
  const near = [0, -1, 0];
  const x = (camera) => project(viewMatrix(camera, box, 3, 400, 400), near, 400, 400)[0];
  assert.ok(x(orbit(flat, 20, 0)) > x(flat));
  const y = (camera) => project(viewMatrix(camera, box, 3, 400, 400), near, 400, 400)[1];
  assert.ok(y(orbit(flat, 0, 20)) > y(flat));
  assert.ok(orbit(flat, 0, 1e5).pitch <= Math.PI / 2);
});

test("a camera survives a link, and nonsense does not become one", () => {
  const camera = { yaw: 1.234, pitch: -0.5, zoom: 2, x: 0.1, y: 0 };
  assert.deepEqual(parseCamera(cameraText(camera)), camera);
  for (const text of ["", "1,2,3", "a,b,c,d,e", "0,0,-1,0,0", "0,0,Infinity,0,0"]) {
    assert.equal(parseCamera(text), null);
  }
});
