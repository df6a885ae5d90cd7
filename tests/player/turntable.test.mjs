import assert from "node:assert/strict";
import test from "node:test";
import { HOME } from "../../ddeq/view/player/web/camera.js";
import { Turntable } from "../../ddeq/view/player/web/turntable.js";

function tableOf(more = {}) {
  const [root, stage] = [new EventTarget(), new EventTarget()];
  return { root, stage, table: new Turntable(root, stage, { still: false, touched: false, ...more }) };
}

test("an object that stands is turned about its own axis, and nothing else changes", () => {
  const { table } = tableOf();
  const { yaw, ...rest } = table.turned(HOME, 0.5);
  assert.ok(Math.abs(yaw - HOME.yaw) > 0.01);
  assert.deepEqual({ yaw: HOME.yaw, ...rest }, HOME);
  assert.equal(table.turns(true), true);
  assert.equal(table.turns(false), false);
});

test("who touches it stops it for good, a pointer over it holds it", () => {
  for (const touch of ["pointerdown", "keydown", "wheel"]) {
    const { root, table } = tableOf();
    root.dispatchEvent(new Event(touch));
    assert.equal(table.turns(true), false);
  }
  const { stage, table } = tableOf();
  stage.dispatchEvent(new Event("pointerenter"));
  assert.deepEqual(table.turned(HOME, 1), HOME);
  stage.dispatchEvent(new Event("pointerleave"));
  assert.notDeepEqual(table.turned(HOME, 1), HOME);
});

test("it rests for those who want little to move, and stays as it was left", () => {
  assert.equal(tableOf({ still: true }).table.turns(true), false);
  assert.equal(tableOf({ touched: true }).table.turns(true), false);
});
