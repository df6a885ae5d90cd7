import assert from "node:assert/strict";
import test from "node:test";
import { attentionOf, halfOf } from "../../ddeq/view/player/web/attention.js";

test("half of the attention lies on few points where a particle looks at one place", () => {
  assert.equal(halfOf([0.1, 0.6, 0.1, 0.2]), 1);
  assert.equal(halfOf([0.25, 0.25, 0.25, 0.25]), 2);
  assert.equal(halfOf([0.3, 0.3, 0.2, 0.2]), 2);
});

test("a run that does not tell what particles look at says so", () => {
  assert.equal(attentionOf({ looked: null }, { a: 0, b: 0, u: 0 }, 0), null);
});
