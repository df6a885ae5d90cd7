// Prints what the browser's reader makes of a file, for comparison with the Python one.
import { readFileSync } from "node:fs";
import { Run } from "../../ddeq/view/player/web/format.js";

const run = new Run();
run.append(new Uint8Array(readFileSync(process.argv[2])));
const list = (name, count) =>
  run.steps.map((_, t) => [...Array(count).keys()].map((n) => run.point(name, t, n, [0, 0, 0]).slice(0, run.dim)));
console.log(
  JSON.stringify({
    label: run.meta.label,
    steps: run.steps,
    particles: list("particles", run.count),
    ghost: list("ghost", run.count),
    terms: list("terms", 3 * run.count),
    bars: run.steps.map((_, t) => [...run.bars(t)]),
    curves: run.curves.map((curve) => curve.values),
    input: [...run.input.points],
    truth: [...run.truth.points],
    kept: [...run.kept],
    status: run.status,
  }),
);
