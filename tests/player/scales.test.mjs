import assert from "node:assert/strict";
import test from "node:test";
import {
  extent, linearScale, linearTicks, logScale, logTicks, numberText, percentText, tickText,
} from "../../ddeq/view/player/web/scales.js";

test("scales hit the ends of their range and invert", () => {
  for (const scale of [linearScale([-3, 7], [20, 220]), logScale([1e-5, 10], [20, 220])]) {
    for (const pixel of [20, 57, 220]) assert.ok(Math.abs(scale(scale.invert(pixel)) - pixel) < 1e-9);
  }
  assert.equal(logScale([0.01, 100], [0, 4])(1), 2);
});

test("ticks are round, increasing and inside", () => {
  for (const [low, high] of [[0, 200], [-0.013, 0.72], [1e6, 1.3e6], [5, 5.0001]]) {
    const ticks = linearTicks(low, high, 4);
    assert.ok(ticks.length >= 2 && ticks.length <= 6);
    const gap = ticks[1] - ticks[0];
    ticks.forEach((tick, k) => {
      assert.ok(tick >= low - 1e-9 && tick <= high + 1e-9);
      if (k) assert.ok(Math.abs(tick - ticks[k - 1] - gap) < gap * 1e-6);
    });
    const digit = gap / 10 ** Math.floor(Math.log10(gap * 1.0001));
    assert.ok([1, 2, 5, 10].some((d) => Math.abs(d - digit) < 1e-3));
  }
});

test("logarithmic ticks are powers of ten, or their simple multiples where space is short", () => {
  assert.deepEqual(logTicks(1e-3, 1.2, 4), [1e-3, 1e-2, 1e-1, 1]);
  assert.deepEqual(logTicks(0.15, 0.9), [0.2, 0.5]);
  const many = logTicks(1e-12, 1, 4);
  assert.ok(many.length <= 5 && many.every((t) => Math.abs(Math.log10(t) % 1) < 1e-9));
});

test("the extent skips what cannot be drawn", () => {
  const [low, high] = extent([[NaN, 2, Infinity], [4, -1]], false);
  assert.ok(low < -1 && low > -2 && high > 4 && high < 5);
  const [logLow, logHigh] = extent([[0, -5, 0.1, 10, NaN]], true);
  assert.ok(logLow < 0.1 && logLow > 0.05 && logHigh > 10 && logHigh < 20);
  assert.deepEqual(extent([[NaN]], false), [0, 1]);
});

test("what hardly changes covers little of its axis", () => {
  const [low, high] = extent([[0.56, 0.562]], false);
  assert.ok(high - low >= 0.05 && low < 0.56 && high > 0.562);
  const [below, above] = extent([[-0.562, -0.56]], false);
  assert.ok(above - below >= 0.05 && above < 0);
  const [from, to] = extent([[1, 3]], false); // what changes much fills it
  assert.ok(to - from < 2.5);
});

test("numbers are short and typeset", () => {
  assert.equal(numberText(0.13579), "0.136");
  assert.equal(numberText(-2), "−2");
  assert.equal(numberText(0.0000123), "1.23·10⁻⁵");
  assert.equal(numberText(NaN), "–");
  assert.equal(numberText(0), "0");
  assert.equal(tickText(1e-6, true), "10⁻⁶");
  assert.equal(tickText(0.1, true), "0.1");
  assert.equal(tickText(-5), "−5");
  assert.equal(percentText(0.0512), "5.1 %");
  assert.equal(percentText(0.512), "51 %");
  assert.equal(percentText(0.9999), "100 %");
});
