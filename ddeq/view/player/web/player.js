// The player: one clock, and views that follow it.

import { actionsOf } from "./actions.js";
import { barsOf } from "./bars.js";
import { cameraText, parseCamera } from "./camera.js";
import { chartsOf } from "./charts.js";
import { Clock } from "./clock.js";
import { Cutting, directionOf } from "./cutting.js";
import { element, setAttribute, setText } from "./dom.js";
import { frameOf } from "./format.js";
import { InputCloud } from "./input.js";
import { Inspector } from "./inspect.js";
import { actionOf } from "./keys.js";
import { Layers } from "./layers.js";
import { Ramps, lookOf, marksOf } from "./look.js";
import { Panels } from "./panels.js";
import { ParticleStage } from "./particle_stage.js";
import { saveAs } from "./save.js";
import { numberText, percentText } from "./scales.js";
import { settingsOf } from "./settings.js";
import { applyTheme, css, readTheme } from "./theme.js";
import { Touching } from "./touching.js";
import { Transport } from "./transport.js";
import { Turntable } from "./turntable.js";

const CHARTS = 3; // that are shown at once; the others are behind "more"
const PATIENCE = 250; // ms between two words to the page about the step that is shown

export class Player {
  // moment: {step, camera} to begin with. saved: what `save` of an earlier player returned.
  // source(): promise of {script, template}, to save a page. onLink(moment), once set, is called
  // for "Link to this moment". onStep(step), once set, is told which step is shown: while it
  // changes no more often than a page can follow, and where it rests for sure. onTake(direction)
  // and onPick(point), once set, are told how a cut is to go.
  constructor(host, { moment = {}, saved = null, source }) {
    this.clock = new Clock();
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.clock.smooth = !this.still;
    this.chosen = saved?.chosen ?? {};
    this.tips = {}; // what headings mean, for those who point at them
    this.source = source;
    this.runs = [];
    this.ramps = new Ramps();
    this.invalidate = this.invalidate.bind(this);
    this.build();
    const touched = Boolean(saved?.touched || moment.camera);
    this.turntable = new Turntable(this.root, this.stage.root, { still: this.still, touched });
    host.append(this.root);
    if (saved) {
      this.clock.speed = saved.speed;
      this.stage.camera = saved.camera;
    }
    const step = Number(moment.step ?? NaN);
    this.wanted = Number.isFinite(step) ? step : (saved?.time ?? null); // where to go first
    const camera = moment.camera && parseCamera(moment.camera);
    if (camera) this.stage.camera = camera;
    this.watchThePage();
  }

  // The parts, and where they stand.
  build() {
    this.stage = new ParticleStage(this.invalidate);
    this.actions = actionsOf(this);
    this.input = new InputCloud(() => {
      this.inputStale = true;
      this.invalidate();
    });
    this.transport = new Transport(this.actions);
    this.panels = new Panels(this.actions);
    this.inspector = new Inspector();
    this.layers = new Layers(this.actions);
    this.cutting = new Cutting(() => this.onTake?.(directionOf(this.stage.camera)));
    this.touching = new Touching(this);
    const over = [
      ...this.inspector.nodes, ...this.panels.nodes, this.layers.root, ...this.cutting.nodes, this.touching.canvas,
    ];
    this.stage.root.append(...over);
    this.stage.overlays.push(this.cutting.canvas, this.touching.canvas);
    this.stage.onHover = (x, y) => this.hover(x, y);
    this.stage.onTap = (x, y) => this.tap(x, y);
    this.status = element("p.status", { role: "status", "data-testid": "player-status" });
    this.note = element("p", { "data-testid": "player-note" });
    this.legend = element("p.legend", { "data-testid": "player-legend" });
    this.side = element("div.side");
    this.curves = element("div.curves");
    this.rest = element("div.curves");
    this.more = element(
      "details.more",
      { hidden: true, "data-unpainted": true, "data-testid": "player-more", ontoggle: () => this.refresh() },
      element("summary", {}, "More curves"),
      this.rest,
    );
    this.error = element("p.error", { role: "alert", hidden: true });
    const note = element("div.note", {}, this.note, this.legend);
    const particles = element("div", {}, this.stage.root, note, this.touching.root);
    this.root = element(
      "section.player",
      { "aria-label": "Flow player", "data-testid": "player-root" },
      this.error,
      element(
        "div.body",
        {},
        element("div.views", {}, particles, this.side),
        this.transport.root,
        this.curves,
        this.more,
        this.status,
      ),
    );
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  // Follow the page's size and colours.
  watchThePage() {
    this.resizes = new ResizeObserver(() => this.refresh());
    this.resizes.observe(this.root);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.onTheme = () => this.setTheme();
    this.dark.addEventListener("change", this.onTheme);
    this.setTheme();
  }

  get settings() {
    return settingsOf(this.runs, this.chosen, this.still);
  }

  choose(name, value) {
    this.chosen = { ...this.chosen, [name]: value };
    this.refresh();
  }

  async link() {
    const moment = this.moment();
    const address = this.onLink(moment);
    const copied = await navigator.clipboard?.writeText(address).then(() => true, () => false);
    this.panels.say(copied ? "Link to this moment copied." : "The address now leads to this moment.");
  }

  async keep(kind) {
    const { panels } = this;
    panels.close();
    this.clock.pause();
    try {
      await saveAs(kind, this, (share) => panels.say(`Recording, ${Math.round(100 * share)} % …`, 0));
      panels.say("Saved.");
    } catch (error) {
      panels.say(`Could not be saved: ${error.message}`, 8);
    }
    this.refresh();
  }

  hover(x, y) {
    const { inspector, stage } = this;
    const there = x !== null && stage.views && !this.touching.held;
    const found = there ? inspector.find(stage.views, stage.rects, x, y, this.dpr) : null;
    if (found?.k === inspector.hover?.k && found?.n === inspector.hover?.n) return;
    inspector.hover = found;
    stage.root.toggleAttribute("data-hit", found !== null);
    this.invalidate();
  }

  tap(x, y) {
    const { inspector, stage } = this;
    if (this.panels.close() || !stage.views) return;
    if (this.cutting.picks) return this.pick(x, y);
    const found = inspector.find(stage.views, stage.rects, x, y, this.dpr);
    if (!found) return;
    const again = found.k === inspector.pin?.k && found.n === inspector.pin?.n;
    inspector.pin = again ? null : found;
    this.invalidate();
  }

  // Tell the page which point was clicked.
  pick(x, y, reach) {
    const point = this.cutting.find(this.stage.views[0], x, y, this.dpr, reach);
    if (point) this.onPick?.(point);
  }

  // Without a pointer: the next particle of the run that one is pinned of.
  pinNext() {
    const { k, n } = this.inspector.pin ?? { k: 0, n: -1 };
    this.inspector.pin = { k, n: (n + 1) % this.runs[k].count };
    this.invalidate();
  }

  unpin() {
    this.inspector.pin = null;
    this.invalidate();
  }

  key(event) {
    if (event.target.closest(".layers, .cutting, .more, .touching")) return; // buttons have keys of their own
    if (event.key === "Enter" && this.cutting.picks && this.stage.views) {
      event.preventDefault();
      return this.pick(this.stage.width / 2, this.stage.height / 2, Infinity);
    }
    const action = this.runs.length ? actionOf(event) : null;
    if (!action) return;
    const [name, ...given] = action;
    event.preventDefault();
    event.stopPropagation();
    this.actions[name](...given);
  }

  // Show these runs. Called again with the same, grown runs while a solver works.
  // cut: how it is cut before it is filled in, see `Cutting.show`.
  setRuns(runs, { live = false, follow = live, height = 440, cut = null } = {}) {
    this.cutting.show(cut);
    const shown = runs.filter((run) => run.meta && run.frames > 0);
    const same = shown.length === this.runs.length && shown.every((run, k) => run === this.runs[k]);
    const wasLive = this.clock.live;
    this.runs = shown;
    for (const run of shown) run.others = shown.filter((other) => other !== run && other.kept);
    this.root.style.setProperty("--stage-height", `${height}px`);
    this.root.toggleAttribute("data-empty", shown.length === 0);
    this.root.toggleAttribute("data-live", live);
    this.root.dataset.runs = shown.length;
    this.root.toggleAttribute("data-cut", Boolean(cut));
    this.clock.live = live;
    if (!shown.length) {
      setText(this.status, live ? "The solver is starting." : "Nothing has been solved yet.");
      return;
    }
    this.clock.setRange(
      Math.min(...shown.map((run) => run.steps[0])),
      Math.max(...shown.map((run) => run.steps.at(-1))),
    );
    this.recorded = [...new Set(shown.flatMap((run) => run.steps))].sort((a, b) => a - b);
    if (!same) {
      if (follow && this.wanted === null) this.clock.follow();
      this.ramps = new Ramps();
      this.buildSide();
      this.buildCharts();
    } else if (live && !wasLive) this.clock.follow();
    if (this.wanted !== null && (!live || this.wanted <= this.clock.last)) {
      this.clock.seek(this.wanted);
      this.wanted = null;
    }
    this.stage.setRuns(shown, this.theme);
    this.transport.setRuns(shown, this.clock);
    this.bars.forEach((bars) => bars.rebuild());
    this.describe();
    this.refresh();
  }

  buildSide() {
    this.bars = barsOf(this.runs);
    const input = this.runs.some((run) => run.input) ? [this.input.root] : [];
    this.side.replaceChildren(...input, ...this.bars.map((bars) => bars.root));
    this.side.hidden = this.side.childElementCount === 0;
    this.explain(this.side);
  }

  buildCharts() {
    this.charts = chartsOf(this.runs, this.theme, this.actions.seek);
    const roots = this.charts.map((chart) => chart.root);
    this.curves.replaceChildren(...roots.slice(0, CHARTS));
    this.rest.replaceChildren(...roots.slice(CHARTS));
    this.more.hidden = roots.length <= CHARTS;
    this.explain(this.curves);
    this.explain(this.rest);
  }

  // Headings that are terms carry their meaning; the page shows it in a bubble.
  explain(place) {
    for (const heading of place.querySelectorAll("h3")) {
      const tip = this.tips[heading.textContent];
      if (tip) Object.assign(heading, { tabIndex: 0, ariaDescription: tip }).dataset.tip = tip;
    }
  }

  describe() {
    const notes = [...new Set(this.runs.map((run) => run.meta.note).filter(Boolean))];
    const error = Math.max(...this.runs.map((run) => run.maxError));
    const size = numberText(this.runs.reduce((sum, run) => sum + run.bytes, 0) / 1e6);
    setText(this.note, notes.join(" "));
    const names = this.runs.map((run) => `${run.meta.label}, ${run.count} particles`).join("; ");
    setAttribute(this.stage.root, "aria-label", `${names}. Drag to turn, scroll to zoom, ? for keys.`);
    setText(
      this.panels.info,
      `${size} MB; positions are rounded by at most ${numberText(error)}. Drawn with ${this.stage.renderer.name}.`,
    );
    const done = this.runs.filter((run) => run.status);
    if (this.runs.length === 1 || !done.length) {
      setText(this.status, done[0]?.status ?? (this.clock.live ? "Solving …" : ""));
    } else {
      this.status.replaceChildren(
        ...done.map((run) => element("span", {}, element("b", {}, run.meta.label), ` ${run.status}`)),
      );
    }
  }

  setTheme() {
    const theme = readTheme(this.root);
    if (JSON.stringify(theme) === JSON.stringify(this.theme)) return;
    this.theme = theme;
    applyTheme(this.root, this.theme);
    if (this.runs.length) {
      this.stage.setRuns(this.runs, this.theme);
      this.buildCharts();
    }
    this.refresh();
  }

  // Redraw what depends on size, theme or data, with `dpr` device pixels to a CSS pixel.
  refresh(dpr = Math.min(3, window.devicePixelRatio || 1)) {
    this.dpr = dpr;
    if (!this.runs.length) return;
    this.root.style.setProperty("--stage-rows", this.stage.grid().rows);
    this.stage.measure();
    const range = [this.clock.first, Math.max(this.clock.last, this.clock.first + 1)];
    for (const chart of this.charts) chart.draw(range, this.theme, this.dpr);
    this.drawRibbon();
    this.panels.update(this.settings, this.runs, Boolean(this.onLink));
    this.layers.update(this.settings, this.runs);
    this.touching.update();
    this.legend.replaceChildren(...this.marks());
    this.inputStale = true;
    this.invalidate();
  }

  drawRibbon() {
    this.transport.drawRibbon(this.theme, this.dpr, this.clock);
  }

  invalidate() {
    if (this.pending || this.destroyed) return;
    this.pending = requestAnimationFrame((now) => {
      this.pending = null;
      this.frame(now);
    });
  }

  frame(now) {
    if (!this.runs.length) return;
    const dt = Math.min(0.1, (now - (this.lastFrame ?? now)) / 1000);
    const turns = this.turntable.turns(this.settings.cut && this.stage.dim === 3);
    if (turns) this.stage.camera = this.turntable.turned(this.stage.camera, dt);
    setAttribute(this.root, "data-turning", turns);
    const moving = this.clock.tick(dt) || turns;
    this.lastFrame = moving || this.clock.playing ? now : undefined;
    this.draw();
    if (moving || (this.clock.playing && !this.clock.live)) this.invalidate();
  }

  places() {
    return this.runs.map((run) => {
      const at = run.locate(this.clock.time);
      return this.settings.raw && at.u < 1 ? { ...at, u: 0 } : at;
    });
  }

  draw() {
    const { clock, runs, theme } = this;
    const places = this.places();
    this.stage.draw(places, runs.map((run, k) => this.look(run, places[k], k)), theme, this.dpr);
    this.drawInput(places);
    for (const bars of this.bars) bars.update(places[runs.indexOf(bars.run)]);
    for (const chart of this.charts) chart.cursor(clock.time);
    this.cutting.draw(this.stage.views?.[0], theme, this.dpr);
    this.drawInspected();
    this.touching.update();
    const step = Math.max(...runs.map((run, k) => run.steps[frameOf(places[k])]));
    this.transport.update(clock, step, clock.last, predictionText(runs[0], frameOf(places[0])));
    setAttribute(this.root, "data-step", step);
    setAttribute(this.root, "data-last", clock.last);
    setAttribute(this.root, "data-playing", clock.playing);
    this.tell(step);
  }

  // The input, and what of it the particle looks at that is pinned, or pointed at.
  drawInput(places) {
    const { inspector, runs } = this;
    const mark = inspector.pin ?? inspector.hover;
    const looked = mark && runs[mark.k]?.looked && mark.n < runs[mark.k].count;
    const run = looked ? runs[mark.k] : runs.find((run) => run.input);
    const looks = looked ? { at: places[mark.k], n: mark.n } : null;
    const seen = looked ? `${mark.k} ${mark.n} ${this.clock.time}` : "";
    if (!run || (!this.inputStale && seen === this.inputSeen)) return;
    [this.inputStale, this.inputSeen] = [false, seen];
    const name = runs.length > 1 ? "" : run.meta.label; // of several, labels name the runs
    this.input.draw(run, name, looks, this.theme, this.dpr);
  }

  drawInspected() {
    const { inspector, stage } = this;
    const present = Boolean(inspector.pin || inspector.hover);
    if (!present && !this.inspected) return;
    this.inspected = present;
    stage.over.hidden = !present; // a canvas in the way costs, even an empty one
    inspector.draw(stage.over, stage.views ?? [], this.theme, this.dpr);
  }

  tell(step) {
    if (!this.onStep || this.clock.live || this.telling || step === this.told) return;
    this.telling = setTimeout(() => {
      this.telling = null;
      this.told = Number(this.root.dataset.step);
      this.onStep?.(this.told);
    }, PATIENCE);
  }

  // How the k-th run is drawn.
  look(run, at, k) {
    const { settings, theme, dpr, stage } = this;
    return lookOf(run, at, {
      settings,
      plain: this.runs.length > 1 ? theme.runs[k] : theme.accent,
      cell: stage.rects?.[k],
      dpr,
      theme,
      rampEnd: (measured, mode) => this.ramps.end(measured, mode, this.clock.live),
    });
  }

  // What the marks on the stage mean, for the first run.
  marks() {
    const [run] = this.runs;
    const look = this.look(run, run.locate(this.clock.time), 0);
    return marksOf(run, look, this.theme, this.runs.length === 1).map(({ kind, text, colour }) =>
      element("span", {}, element(`i.${kind}`, { style: colour && `--mark: ${css(colour)}` }), text),
    );
  }

  // What outlives this player: camera, speed, step and switches.
  save() {
    return {
      chosen: this.chosen,
      speed: this.clock.speed,
      camera: this.stage.camera,
      touched: this.turntable.touched,
      time: this.clock.following ? null : this.clock.time,
    };
  }

  moment() {
    return { step: String(Math.round(this.clock.time * 100) / 100), camera: cameraText(this.stage.camera) };
  }

  fail(message) {
    this.error.textContent = message;
    this.error.hidden = !message;
  }

  destroy() {
    this.destroyed = true;
    cancelAnimationFrame(this.pending);
    clearTimeout(this.telling);
    this.resizes.disconnect();
    this.dark.removeEventListener("change", this.onTheme);
    this.stage.dispose();
    this.root.remove();
  }
}

// The most probable class of a run's frame in words, after a comma; nothing without classes.
function predictionText(run, frame) {
  if (!run.meta.classes) return "";
  const best = run.prediction(frame);
  return `, prediction ${run.meta.classes[best]} (${percentText(run.bars(frame)[best])})`;
}
