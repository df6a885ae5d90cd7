// Prints what particles of a file look at, for comparison with a softmax of one's own.
import { readFileSync } from "node:fs";
import { Run } from "../../ddeq/view/player/web/format.js";
import { attentionOf } from "../../ddeq/view/player/web/attention.js";

const run = new Run();
run.append(new Uint8Array(readFileSync(process.argv[2])));
const particles = [...Array(run.count).keys()];
const all = (at, head) => particles.map((n) => [...attentionOf(run, at, n, head)]);
console.log(
  JSON.stringify({
    mean: run.steps.map((step) => all(run.locate(step), null)),
    second: run.steps.map((step) => all(run.locate(step), 1)),
    between: all(run.locate((run.steps[1] + run.steps[2]) / 2), null),
  }),
);
