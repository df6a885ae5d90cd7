import assert from "node:assert/strict";
import test from "node:test";
import { COLOURS, choicesOf, settingsOf } from "../../ddeq/view/player/web/settings.js";

const latent = { dim: 3, kept: null, truth: null, meta: { ghost: true } };
const flat = { dim: 2, kept: new Uint8Array([1, 0]), truth: {}, meta: { ghost: true } };
const solid = { ...flat, dim: 3 };
const bare = { ...latent, meta: { ghost: false } };

test("a run in latent space shows where particles are sent, in one colour", () => {
  const { ghost, residuals, trails, colour, raw } = settingsOf([latent], {}, false);
  assert.deepEqual([ghost, residuals, trails, colour, raw], [true, true, false, "plain", false]);
});

test("where a cloud is filled in, free particles leave trails, but not over a surface", () => {
  for (const [run, trails] of [[flat, true], [solid, false]]) {
    const settings = settingsOf([run], {}, false);
    assert.deepEqual([settings.trails, settings.residuals, settings.colour], [trails, false, "kept"]);
  }
});

test("what a person chose comes before all else", () => {
  const chosen = { trails: true, colour: "speed", raw: false };
  const settings = settingsOf([solid], chosen, true);
  for (const [name, value] of Object.entries(chosen)) assert.equal(settings[name], value);
});

test("who wants little to move sees recorded steps only", () => {
  assert.equal(settingsOf([latent], {}, true).raw, true);
});

test("only what means something for the runs is offered", () => {
  const offered = (runs) => {
    const { switches, colours } = choicesOf(runs);
    return Object.entries({ ...switches, ...colours }).filter(([, is]) => !is).map(([name]) => name);
  };
  assert.deepEqual(offered([latent]), ["truth", "kept", "error", "agreement"]);
  assert.deepEqual(offered([flat]), ["agreement"]); // with none
  assert.deepEqual(offered([flat, flat]), []);
  assert.deepEqual(offered([bare]), ["ghost", "residuals", "truth", "distance", "kept", "error", "agreement"]);
  assert.deepEqual(offered([bare, flat]), ["agreement"]); // for others one of several is enough
  assert.deepEqual(Object.keys(choicesOf([latent]).colours), Object.keys(COLOURS));
});

test("what is only cut shows what is cut away, whatever was chosen of another run", () => {
  const cut = { ...solid, kept: new Uint8Array([1, 1]) };
  const settings = settingsOf([cut], { layer: "truth", truth: false, colour: "error" }, false);
  assert.deepEqual([settings.cut, settings.layer, settings.truth, settings.colour], [true, "after", true, "kept"]);
  assert.equal(settingsOf([solid], { layer: "truth" }, false).layer, "truth");
});
