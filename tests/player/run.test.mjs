import assert from "node:assert/strict";
import test from "node:test";
import { Run, bounds, frameOf } from "../../ddeq/view/player/web/format.js";
import { distanceOf, particleColour, speedOf, typical } from "../../ddeq/view/player/web/measures.js";
import { trailPieces } from "../../ddeq/view/player/web/gl.js";
import { stretches } from "../../ddeq/view/player/web/transport.js";
import { plyText } from "../../ddeq/view/player/web/save.js";
import { luminance, parseColour, ramp } from "../../ddeq/view/player/web/theme.js";

// The format as docs/player-format.md states it, written independently of the reader.
function piece(tag, meta, arrays) {
  const text = new TextEncoder().encode(JSON.stringify(meta));
  const padded = Math.ceil(text.length / 4) * 4;
  const sizes = arrays.map((a) => Math.ceil(a.byteLength / 4) * 4);
  const payload = sizes.reduce((a, b) => a + b, 0);
  const bytes = new Uint8Array(12 + padded + payload).fill(32, 0, 12 + padded);
  bytes.set([...tag].map((c) => c.charCodeAt(0)));
  new DataView(bytes.buffer).setUint32(4, padded, true);
  new DataView(bytes.buffer).setUint32(8, payload, true);
  bytes.set(text, 12);
  let at = 12 + padded;
  arrays.forEach((a, k) => {
    bytes.set(new Uint8Array(a.buffer), at);
    at += sizes[k];
  });
  return bytes;
}

const HEADER = {
  version: 3, label: "a  run", dim: 2, particles: 1, ghost: true, terms: false, kept: true,
  classes: ["cat", "dog"], curves: [{ name: "objective", group: "objective", log: true }],
  input: null, truth: null, axes: ["x", "y"], note: "", right: [],
};

function header() {
  return piece("DQFH", HEADER, [Uint8Array.of(1)]);
}

// Two frames at steps 0 and 4; the particle moves from (0, 0) to (4, 8), the ghost rests at (4, 8).
function chunk(first = 0, steps = [0, 4]) {
  const meta = {
    first, frames: 2, precision: "uint16", status: "",
    boxes: { particles: [[0, 0], [4, 8]], ghost: [[4, 8], [4, 8]] },
    max_error: { particles: 0.25, ghost: 0 },
  };
  return piece("DQFC", meta, [
    Int32Array.from(steps),
    Float32Array.of(1, NaN),
    Float32Array.of(0.9, 0.1, 0.2, 0.8),
    Uint16Array.of(0, 0, 65534, 65534),
    Uint16Array.of(0, 0, 0, 0),
  ]);
}

function runOf(...pieces) {
  const run = new Run();
  for (const bytes of pieces) run.append(bytes);
  return run;
}

test("a header and chunks make a run, in one piece or several", () => {
  const [h, a, b] = [header(), chunk(), chunk(2, [5, 9])];
  const whole = new Uint8Array(h.length + a.length + b.length);
  whole.set(h);
  whole.set(a, h.length);
  whole.set(b, h.length + a.length);
  for (const run of [runOf(h, a, b), runOf(whole), runOf(new Uint8Array([0, ...whole]).subarray(1))]) {
    assert.deepEqual(run.steps, [0, 4, 5, 9]);
    assert.deepEqual(run.point("particles", 1, 0), [4, 8, 0]);
    assert.deepEqual(run.point("ghost", 2, 0), [4, 8, 0]);
    assert.deepEqual([run.low, run.high], [[0, 0], [4, 8]]);
    assert.equal(run.maxError, 0.25);
    assert.equal(run.bytes, whole.length);
    assert.deepEqual([run.prediction(0), run.prediction(1)], [0, 1]);
    assert.ok(Number.isNaN(run.curves[0].values[1]));
  }
});

test("what is cut off, unknown or out of order is refused and changes nothing", () => {
  const run = runOf(header(), chunk());
  for (const bad of [chunk(2).slice(0, -4), chunk(0), chunk(7), piece("OOPS", {}, []), new Uint8Array(5)]) {
    assert.throws(() => run.append(bad));
  }
  assert.equal(run.frames, 2);
  assert.throws(() => runOf(piece("DQFH", { ...HEADER, version: 1 }, [Uint8Array.of(1)])));
  const lying = piece("DQFC", { first: 2, frames: 1000, precision: "uint16", boxes: {}, max_error: {} }, [new Int32Array(2)]);
  assert.throws(() => run.append(lying));
  assert.equal(run.frames, 2);
});

test("the code for 'not finite' is not a place", () => {
  const bytes = chunk();
  new DataView(bytes.buffer).setUint16(bytes.length - 16, 65535, true); // first code of particles
  assert.ok(Number.isNaN(runOf(header(), bytes).point("particles", 0, 0)[0]));
});

test("between recorded steps positions are interpolated linearly", () => {
  const run = runOf(header(), chunk());
  for (const step of [0, 1, 2.5, 4]) {
    assert.deepEqual(run.between("particles", run.locate(step), 0), [step, 2 * step, 0]);
  }
  assert.deepEqual(run.locate(-3), { a: 0, b: 1, u: 0 });
  assert.deepEqual(run.locate(99), { a: 0, b: 1, u: 1 });
  assert.equal(frameOf(run.locate(3.9)), 0);
  assert.equal(frameOf(run.locate(4)), 1);
});

test("speed is per solver step, distance is to the ghost", () => {
  const run = runOf(header(), chunk());
  const at = run.locate(2);
  assert.ok(Math.abs(speedOf(run, at, 0) - Math.hypot(4, 8) / 4) < 1e-12);
  assert.ok(Math.abs(distanceOf(run, at, 0) - Math.hypot(2, 4)) < 1e-12);
  assert.ok(typical(run, "speed") > 0);
});

test("trails are gapless, newest first, and fade", () => {
  const at = { a: 5, b: 6, u: 0.5 };
  const pieces = trailPieces(at, 3);
  assert.deepEqual(pieces[0].to, at);
  for (let k = 1; k < pieces.length; k++) {
    assert.deepEqual(pieces[k].to, pieces[k - 1].from);
    assert.ok(pieces[k].alpha < pieces[k - 1].alpha);
  }
  assert.deepEqual(trailPieces({ a: 0, b: 1, u: 0 }, 3), []);
});

test("stretches of one prediction cover the run, and every step has its share", () => {
  const run = runOf(header(), chunk(), chunk(2, [5, 9]));
  assert.deepEqual(stretches(run), [
    { from: 0, to: 2, label: "cat", frame: 0 },
    { from: 2, to: 4.5, label: "dog", frame: 1 },
    { from: 4.5, to: 7, label: "cat", frame: 2 },
    { from: 7, to: 9, label: "dog", frame: 3 },
  ]);
  const short = stretches(runOf(header(), chunk()));
  assert.deepEqual(short.map(({ from, to, label }) => [from, to, label]), [[0, 2, "cat"], [2, 4, "dog"]]);
});

test("a step's cloud is a PLY file", () => {
  const run = runOf(header(), chunk());
  const lines = plyText(run, run.locate(2)).trimEnd().split("\n");
  assert.equal(lines[0], "ply");
  assert.ok(lines.includes("element vertex 1"));
  assert.ok(lines.includes("comment a run, step 0"));
  assert.equal(lines.at(-1), "2 4 0 1"); // x y z kept
});

test("bounds skip what is not finite", () => {
  assert.deepEqual(bounds([1, NaN, -2, 5, Infinity, 7], 2), [[-2, 5], [1, 7]]);
  assert.deepEqual(bounds([NaN, NaN], 2), [[0, 0], [0, 0]]);
});

test("colours parse, and ramps pass through their stops", () => {
  assert.deepEqual(parseColour("#fff"), [1, 1, 1]);
  assert.deepEqual(parseColour("#ff000080"), [1, 0, 0]);
  assert.deepEqual(parseColour("rgb(0, 255, 0)"), [0, 1, 0]);
  const stops = [[0, 0, 0], [1, 0, 0], [1, 1, 1]];
  assert.deepEqual(ramp(stops, 0.5), [1, 0, 0]);
  assert.deepEqual(ramp(stops, 0.25), [0.5, 0, 0]);
  assert.deepEqual(ramp(stops, 7), [1, 1, 1]);
  assert.ok(luminance([0, 0, 0.2]) < luminance([0.9, 0.9, 0.9]));
});

test("a kept particle is grey where colour says known or free", () => {
  const run = runOf(header(), chunk());
  const theme = { muted: "grey", particles: ["one"], ramp: [] };
  assert.equal(particleColour(run, run.locate(0), 0, { mode: "kept", plain: "blue" }, theme), "grey");
  assert.equal(particleColour(run, run.locate(0), 0, { mode: "plain", plain: "blue" }, theme), "blue");
  assert.equal(particleColour(run, run.locate(0), 0, { mode: "particle", plain: "blue" }, theme), "one");
});

test("the view holds the truth even where no particle goes", () => {
  const header = piece("DQFH", { ...HEADER, kept: false, truth: [2, 2] }, [Float32Array.of(-3, 1, 2, 9)]);
  const run = runOf(header, chunk());
  assert.deepEqual([run.low, run.high], [[-3, 0], [4, 9]]);
});

test("where particles fill in a cloud the view leaves out the noise they began as", () => {
  const run = runOf(piece("DQFH", { ...HEADER, particles: 1 }, [Uint8Array.of(0)]), chunk());
  assert.deepEqual(run.extent(), { low: [4, 8], high: [4, 8] });
  const plain = runOf(piece("DQFH", { ...HEADER, kept: false }, []), chunk());
  assert.deepEqual(plain.extent(), { low: [0, 0], high: [4, 8] });
});
