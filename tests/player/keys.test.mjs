import assert from "node:assert/strict";
import test from "node:test";
import { actionsOf, lastChange } from "../../ddeq/view/player/web/actions.js";
import { Clock } from "../../ddeq/view/player/web/clock.js";
import { KEYS, actionOf } from "../../ddeq/view/player/web/keys.js";

function press(key, { on = "div", ...more } = {}) {
  const target = { matches: (selector) => selector.split(", ").includes(on) };
  return actionOf({ key, composedPath: () => [target], ...more });
}

test("keys do what the help says", () => {
  assert.deepEqual(press(" "), ["toggle"]);
  assert.deepEqual(press("ArrowLeft"), ["step", -1]);
  assert.deepEqual(press("ArrowRight"), ["step", 1]);
  assert.deepEqual(press("End"), ["end"]);
  assert.deepEqual(press("+", { shiftKey: true }), ["zoom", 1.25]); // as on many keyboards
  assert.deepEqual(press("?", { shiftKey: true }), ["help"]);
  assert.deepEqual(press("Escape"), ["escape"]);
  assert.equal(press("x"), null);
});

test("with shift arrows turn, all four of them; without, up and down scroll the page", () => {
  const turns = ["Left", "Right", "Up", "Down"].map((way) => press(`Arrow${way}`, { shiftKey: true }));
  assert.deepEqual(turns, [["nudge", -20, 0], ["nudge", 20, 0], ["nudge", 0, -20], ["nudge", 0, 20]]);
  assert.equal(press("ArrowUp"), null);
  assert.equal(press("ArrowDown"), null);
});

test("what the browser or a field does with a key is left to it", () => {
  for (const held of ["ctrlKey", "metaKey", "altKey"]) assert.equal(press("f", { [held]: true }), null);
  assert.equal(press(" ", { on: "button" }), null); // presses the button
  assert.deepEqual(press("ArrowLeft", { on: "button" }), ["step", -1]);
  for (const on of ["select", "input[type=checkbox]"]) {
    assert.equal(press("ArrowLeft", { on }), null);
    assert.deepEqual(press("Escape", { on }), ["escape"]);
  }
});

const recorder = () => {
  const told = [];
  const note = (name) => (...given) => told.push([name, ...given]);
  return { told, note };
};

test("every key has an action, and the help has a line for every key", () => {
  const { note } = recorder();
  const stage = { fit: note("fit"), setCamera: note("camera"), zoom: note("zoom"), nudge: note("nudge") };
  const actions = actionsOf({ clock: new Clock(), stage, invalidate: note("invalidate") });
  const all = [" ", "Home", "End", "[", "]", "c", "p", "f", "0", "+", "-", "?", "Escape", "ArrowLeft", "ArrowRight"];
  for (const key of all) assert.equal(typeof actions[press(key)[0]], "function", key);
  for (const key of ["ArrowUp", "ArrowDown"]) {
    assert.equal(typeof actions[press(key, { shiftKey: true })[0]], "function");
  }
  assert.equal(KEYS.flatMap(([shown]) => shown.split(" + ").at(-1).split(" ")).length, 16);
});

function running(steps) {
  const { told, note } = recorder();
  const clock = new Clock();
  clock.setRange(steps[0], steps.at(-1));
  const player = {
    clock, recorded: steps, runs: [], told,
    invalidate: note("invalidate"), draw: note("draw"), drawRibbon: note("ribbon"),
  };
  return { clock, player, told, actions: actionsOf(player) };
}

test("steps are those that were recorded, and stop what plays", () => {
  const { clock, actions } = running([0, 3, 9]);
  actions.toggle();
  assert.ok(clock.playing);
  actions.step(1);
  assert.deepEqual([clock.playing, clock.time], [false, 3]);
  actions.end();
  actions.step(-1);
  assert.equal(clock.time, 3);
});

test("a loop has its ends in order, and is drawn", () => {
  const { clock, actions, told } = running([0, 9]);
  actions.loop();
  actions.loopTo(0, 5);
  actions.loopTo(1, 2);
  assert.deepEqual(clock.loop, [5, 5]);
  actions.loop();
  assert.equal(clock.loop, null);
  assert.equal(told.filter(([name]) => name === "ribbon").length, 4);
});

function predicting(...labels) {
  return {
    meta: { classes: ["cat", "dog"] }, frames: labels.length, steps: labels.map((_, t) => 10 * t),
    prediction: (t) => labels[t],
  };
}

test("the last change of all runs is gone to", () => {
  const { clock, player, actions } = running([0, 10, 20, 30]);
  player.runs = [predicting(0, 1, 1, 1), predicting(0, 0, 1, 1)];
  actions.change();
  assert.equal(clock.time, 20);
  assert.equal(lastChange([predicting(1, 1)]), 0); // it never changed
  assert.equal(lastChange([{ meta: { classes: null } }]), null);
});
