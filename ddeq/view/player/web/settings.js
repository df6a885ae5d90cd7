// What is shown: until a person chooses, and what they have chosen.

const PLAIN = {
  ghost: true, residuals: true, truth: true, trails: false, arrows: false, colour: "plain", raw: false,
  layer: "after", cut: false,
};
// Where particles fill a cloud in, this differs.
const FILLING = { residuals: false, trails: true, colour: "kept" };
const FILLING_IN_SPACE = { ...FILLING, trails: false }; // those of a surface would hide it

export const COLOURS = {
  plain: "one colour",
  particle: "particle",
  speed: "speed",
  distance: "distance to F(μ)",
  kept: "known or free",
  error: "distance to the truth",
  agreement: "distance to other seeds",
};

// What a cloud that is filled in can be seen as.
export const LAYERS = { before: "Before", after: "After", truth: "Truth" };

// The settings of a player that shows these runs. still: whether a person wants little to move.
export function settingsOf(runs, chosen, still) {
  const filled = runs.find((run) => run.kept);
  const cut = Boolean(filled?.kept.every(Boolean)); // nothing has been filled in yet
  const filling = !filled ? {} : filled.dim === 3 ? FILLING_IN_SPACE : FILLING;
  const settings = { ...PLAIN, raw: still, ...filling, ...chosen, cut };
  return cut ? { ...settings, layer: "after", truth: true, colour: "kept" } : settings;
}

// Which switches and colours mean something for these runs.
export function choicesOf(runs) {
  const ghost = runs.some((run) => run.meta.ghost);
  const kept = runs.some((run) => run.kept);
  const truth = runs.some((run) => run.truth);
  const switches = { ghost, residuals: ghost, truth, trails: true, arrows: true, raw: true };
  const [error, agreement] = [kept && truth, runs.filter((run) => run.kept).length > 1];
  const colours = { plain: true, particle: true, speed: true, distance: ghost, kept, error, agreement };
  return { switches, colours };
}
