import assert from "node:assert/strict";
import test from "node:test";
import { Clock, SPEEDS, neighbour } from "../../ddeq/view/player/web/clock.js";

function clockOf(first, last) {
  const clock = new Clock();
  clock.setRange(first, last);
  return clock;
}

test("a run of any length takes the same time at speed 1, within limits", () => {
  assert.equal(clockOf(0, 200).rate, 25);
  assert.equal(clockOf(0, 80).rate, 10);
  assert.equal(clockOf(0, 5).rate, 4);
  assert.equal(clockOf(0, 100_000).rate, 30);
});

test("time advances by seconds x rate x speed", () => {
  for (const speed of SPEEDS) {
    const clock = clockOf(0, 200);
    clock.speed = speed;
    clock.play();
    clock.tick(0.1);
    assert.ok(Math.abs(clock.time - 0.1 * 25 * speed) < 1e-9);
  }
});

test("playing stops at the end, and play starts over from there", () => {
  const clock = clockOf(3, 10);
  clock.play();
  clock.tick(60);
  assert.deepEqual([clock.time, clock.playing], [10, false]);
  clock.play();
  assert.deepEqual([clock.time, clock.playing], [3, true]);
});

test("while a solver runs, the end is no reason to stop", () => {
  const clock = clockOf(0, 10);
  clock.live = true;
  clock.play();
  clock.tick(60);
  assert.deepEqual([clock.time, clock.playing], [10, true]);
  clock.setRange(0, 20);
  clock.tick(0.5);
  assert.ok(clock.time > 10);
});

test("a loop wraps and keeps the overshoot", () => {
  const clock = clockOf(0, 200);
  clock.loop = [50, 60];
  clock.time = 59;
  clock.play();
  clock.tick(0.08); // 2 steps
  assert.ok(Math.abs(clock.time - 51) < 1e-9);
  assert.ok(clock.playing);
});

test("following reaches the newest step and ends when the solver is done", () => {
  const clock = clockOf(0, 100);
  clock.live = true;
  clock.follow();
  let before = clock.time;
  for (let k = 0; k < 200; k++) {
    clock.tick(0.016);
    assert.ok(clock.time >= before);
    before = clock.time;
  }
  assert.equal(clock.time, 100);
  clock.live = false;
  clock.tick(0.016);
  assert.equal(clock.following, false);
});

test("with reduced motion, following jumps", () => {
  const clock = clockOf(0, 100);
  clock.smooth = false;
  clock.follow();
  clock.tick(0.016);
  assert.equal(clock.time, 100);
});

test("seeking stays in range and stops following", () => {
  const clock = clockOf(5, 10);
  clock.follow();
  clock.seek(99);
  assert.deepEqual([clock.time, clock.following], [10, false]);
  clock.seek(-1);
  assert.equal(clock.time, 5);
});

test("speeds go up and down their ladder and stop at its ends", () => {
  const clock = new Clock();
  const up = [];
  for (let k = 0; k < 6; k++) (clock.faster(), up.push(clock.speed));
  assert.deepEqual(up, [2, 4, 8, 8, 8, 8]);
  for (let k = 0; k < 20; k++) clock.slower();
  assert.equal(clock.speed, 0.1);
});

test("neighbours are recorded steps, and the ends are their own", () => {
  const steps = [0, 1, 5, 20];
  assert.equal(neighbour(steps, 1, 1), 5);
  assert.equal(neighbour(steps, 1, -1), 0);
  assert.equal(neighbour(steps, 3.2, 1), 5);
  assert.equal(neighbour(steps, 3.2, -1), 1);
  assert.equal(neighbour(steps, 20, 1), 20);
  assert.equal(neighbour(steps, 0, -1), 0);
});
