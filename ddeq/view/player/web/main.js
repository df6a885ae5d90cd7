// The player: one clock, and views that follow it.

import { Clock, clamp, neighbour } from "./clock.js";
import { frameOf } from "./format.js";
import { Stage } from "./stage.js";
import { InputCloud } from "./input.js";
import { Bars } from "./bars.js";
import { Chart } from "./charts.js";
import { Transport, stretches } from "./transport.js";
import { applyTheme, css, readTheme } from "./theme.js";
import { HOME, cameraText, parseCamera } from "./camera.js";
import { typical } from "./measures.js";
import { Panels } from "./panels.js";
import { Inspector } from "./inspect.js";
import { download, pageText, plyText, saveGif, savePng, saveVideo } from "./save.js";
import { element, setAttribute, setText } from "./dom.js";
import { numberText, percentText } from "./scales.js";

const MODES = { plain: 0, particle: 1, speed: 3, distance: 4, kept: 5 };
const RESIDUALS_UP_TO = 4000; // particles; beyond, the lines would be a grey blur
const TRAIL = 24; // recorded steps a trail is long
const SHORT_TRAIL = 8; // ... where there are many particles
const MANY = 3000;
const AHEAD = 6; // steps a velocity dart looks ahead

// What is shown until a person chooses; and where particles fill a cloud in, what differs.
const SETTINGS = {
  ghost: true, residuals: true, truth: true, trails: false, arrows: false, colour: "plain", raw: false,
};
const PATIENCE = 250; // ms between two words to the page about the step that is shown
const FILLING = { residuals: false, trails: true, colour: "kept" };
const FILLING_IN_SPACE = { ...FILLING, trails: false }; // those of a surface would hide it

export class Player {
  // moment: {step, camera} to begin with. saved: what `save` of an earlier player returned.
  // source(): promise of {script, template}, to save a page. onLink(moment), once set, is called
  // for "Link to this moment". onStep(step), once set, is told which step is shown: while it
  // changes no more often than a page can follow, and where it rests for sure.
  constructor(host, { moment = {}, saved = null, source }) {
    this.clock = new Clock();
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.clock.smooth = !this.still;
    this.chosen = saved?.chosen ?? {};
    this.tips = {}; // what headings mean, for those who point at them
    this.source = source;
    this.runs = [];
    this.invalidate = this.invalidate.bind(this);
    this.stage = new Stage(this.invalidate);
    this.input = new InputCloud(() => {
      this.inputStale = true;
      this.invalidate();
    });
    this.transport = new Transport(this.actions());
    this.panels = new Panels(this.choices());
    this.inspector = new Inspector();
    this.stage.root.append(...this.inspector.nodes, ...this.panels.nodes);
    this.stage.onHover = (x, y) => this.hover(x, y);
    this.stage.onTap = (x, y) => this.tap(x, y);
    this.status = element("p.status", { role: "status", "data-testid": "player-status" });
    this.note = element("p", { "data-testid": "player-note" });
    this.legend = element("p.legend", { "data-testid": "player-legend" });
    this.side = element("div.side");
    this.curves = element("div.curves");
    this.error = element("p.error", { role: "alert", hidden: true });
    this.root = element(
      "section.player",
      { "aria-label": "Flow player", "data-testid": "player-root" },
      this.error,
      element(
        "div.body",
        {},
        element(
          "div.views",
          {},
          element("div", {}, this.stage.root, element("div.note", {}, this.note, this.legend)),
          this.side,
        ),
        this.transport.root,
        this.curves,
        this.status,
      ),
    );
    this.root.addEventListener("keydown", (event) => this.key(event));
    host.append(this.root);

    if (saved) {
      this.clock.speed = saved.speed;
      this.stage.camera = saved.camera;
    }
    const step = Number(moment.step ?? NaN);
    this.wanted = Number.isFinite(step) ? step : (saved?.time ?? null); // where to go first
    const camera = moment.camera && parseCamera(moment.camera);
    if (camera) this.stage.camera = camera;

    this.resizes = new ResizeObserver(() => this.refresh());
    this.resizes.observe(this.root);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.onTheme = () => this.setTheme();
    this.dark.addEventListener("change", this.onTheme);
    this.setTheme();
  }

  get settings() {
    const [filled] = this.runs.filter((run) => run.kept);
    const filling = !filled ? {} : filled.dim === 3 ? FILLING_IN_SPACE : FILLING;
    return { ...SETTINGS, raw: this.still, ...filling, ...this.chosen };
  }

  actions() {
    const { clock } = this;
    const then = (change) => (...args) => {
      change(...args);
      this.invalidate();
    };
    return {
      toggle: then(() => (clock.playing ? clock.pause() : clock.play())),
      step: then((direction) => {
        clock.pause();
        clock.seek(neighbour(this.recorded, clock.time, direction));
      }),
      start: then(() => clock.seek(clock.first)),
      end: then(() => clock.seek(clock.last)),
      seek: (time) => {
        clock.seek(time);
        this.draw(); // at once: the browser hands over slider moves just before each frame
      },
      follow: then(() => (clock.following ? clock.pause() : clock.follow())),
      speed: then((speed) => (clock.speed = speed)),
      change: then(() => this.seekChange()),
      loop: then(() => {
        clock.loop = clock.loop ? null : [clock.first, clock.last];
        this.transport.drawRibbon(this.theme, this.dpr, clock);
      }),
      loopTo: then((end, time) => {
        clock.loop[end] = end ? Math.max(time, clock.loop[0]) : Math.min(time, clock.loop[1]);
        this.transport.drawRibbon(this.theme, this.dpr, clock);
      }),
    };
  }

  // What the panels on the stage can do.
  choices() {
    return {
      set: (name, value) => {
        this.chosen = { ...this.chosen, [name]: value };
        this.refresh();
      },
      fit: () => this.stage.fit(),
      link: () => this.link(),
      save: (kind) => this.keep(kind),
    };
  }

  async link() {
    const moment = this.moment();
    const address = this.onLink(moment);
    const copied = await navigator.clipboard?.writeText(address).then(() => true, () => false);
    this.panels.say(copied ? "Link to this moment copied." : "The address now leads to this moment.");
  }

  async keep(kind) {
    const { panels, runs, clock } = this;
    panels.close();
    const label = runs[0].meta.label.replace(/[^\w-]+/g, "-").toLowerCase() || "run";
    const name = `${label}-step-${this.root.dataset.step}`;
    const progress = (share) => panels.say(`Recording, ${Math.round(100 * share)} % …`, 0);
    try {
      clock.pause();
      if (kind === "png") download(await savePng(this), `${name}.png`);
      if (kind === "gif") download(await saveGif(this, progress), `${name}.gif`);
      if (kind === "video") {
        const film = await saveVideo(this, progress);
        download(film, `${name}.${film.type.split("/")[1]}`);
      }
      if (kind === "ply") download(new Blob([plyText(runs[0], this.places()[0])]), `${name}.ply`);
      if (kind === "html") {
        const { script, template } = await this.source();
        const title = runs.map((run) => run.meta.label).join(", ");
        const text = pageText(template, script, title, runs, { height: 520 });
        download(new Blob([text], { type: "text/html" }), `${name}.html`);
      }
      panels.say("Saved.");
    } catch (error) {
      panels.say(`Could not be saved: ${error.message}`, 8);
    }
    this.refresh();
  }

  hover(x, y) {
    const { inspector, stage } = this;
    const there = x !== null && stage.views;
    const found = there ? inspector.find(stage.views, stage.rects, x, y, this.dpr) : null;
    if (found?.k === inspector.hover?.k && found?.n === inspector.hover?.n) return;
    inspector.hover = found;
    stage.root.toggleAttribute("data-hit", found !== null);
    this.invalidate();
  }

  tap(x, y) {
    const { inspector, stage } = this;
    if (this.panels.close() || !stage.views) return;
    const found = inspector.find(stage.views, stage.rects, x, y, this.dpr);
    if (!found) return;
    const again = found.k === inspector.pin?.k && found.n === inspector.pin?.n;
    inspector.pin = again ? null : found;
    this.invalidate();
  }

  seekChange() {
    const changes = this.runs
      .filter((run) => run.meta.classes && run.frames)
      .map((run) => run.steps[stretches(run).at(-1).frame]);
    if (!changes.length) return;
    this.clock.pause();
    this.clock.seek(Math.max(...changes));
  }

  // Show these runs. Called again with the same, grown runs while a solver works.
  setRuns(runs, { live = false, follow = live, height = 440 } = {}) {
    const shown = runs.filter((run) => run.meta && run.frames > 0);
    const same = shown.length === this.runs.length && shown.every((run, k) => run === this.runs[k]);
    const wasLive = this.clock.live;
    this.runs = shown;
    this.root.style.setProperty("--stage-height", `${height}px`);
    this.root.toggleAttribute("data-empty", shown.length === 0);
    this.root.toggleAttribute("data-live", live);
    this.root.dataset.runs = shown.length;
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
      this.scales = null;
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
    const withBars = this.runs.filter((run) => run.meta.classes);
    this.bars = withBars.map((run) => new Bars(run));
    if (this.runs.length > 1) {
      for (const bars of this.bars) {
        bars.root.querySelector("h3").replaceChildren(bars.run.meta.label);
        bars.root.style.setProperty("--accent", `var(--run-${this.runs.indexOf(bars.run)})`);
      }
    }
    const input = this.runs.find((run) => run.input);
    this.side.replaceChildren(...(input ? [this.input.root] : []), ...this.bars.map((bars) => bars.root));
    this.side.hidden = this.side.childElementCount === 0;
    this.explain(this.side);
  }

  buildCharts() {
    const groups = new Map();
    this.runs.forEach((run, r) => {
      for (const curve of run.curves) {
        const name = curve.group || curve.name;
        if (!groups.has(name)) groups.set(name, { lines: [], log: curve.log });
        groups.get(name).lines.push({ run, r, curve });
      }
    });
    this.charts = [...groups].map(([name, { lines, log }]) => {
      const chart = new Chart(name, (time) => Number.isFinite(time) && this.actions().seek(time));
      const compare = this.runs.length > 1;
      chart.setLines(
        lines.map((line, k) => ({
          ...line,
          colour: compare ? this.theme.runs[line.r] : lines.length > 1 ? this.theme.runs[k] : this.theme.accent,
          label: lines.length === 1 ? "" : compare ? line.run.meta.label : line.curve.name,
        })),
        log,
      );
      return chart;
    });
    this.curves.replaceChildren(...this.charts.map((chart) => chart.root));
    this.explain(this.curves);
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
    this.transport.drawRibbon(this.theme, this.dpr, this.clock);
    this.panels.update(this.settings, this.runs, Boolean(this.onLink));
    this.legend.replaceChildren(...this.marks());
    this.inputStale = true;
    this.invalidate();
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
    const moving = this.clock.tick(dt);
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
    const input = runs.find((run) => run.input);
    if (input && this.inputStale) this.input.draw(input.input, theme, this.dpr);
    this.inputStale = false;
    for (const bars of this.bars) bars.update(places[runs.indexOf(bars.run)]);
    for (const chart of this.charts) chart.cursor(clock.time);
    if (this.inspector.pin || this.inspector.hover || this.inspected) {
      this.inspected = Boolean(this.inspector.pin || this.inspector.hover);
      this.stage.over.hidden = !this.inspected; // a canvas in the way costs, even an empty one
      this.inspector.draw(this.stage.over, this.stage.views ?? [], theme, this.dpr);
    }
    const step = Math.max(...runs.map((run, k) => run.steps[frameOf(places[k])]));
    const leader = runs[0];
    let prediction = "";
    if (leader.meta.classes) {
      const frame = frameOf(places[0]);
      const best = leader.prediction(frame);
      prediction = `, prediction ${leader.meta.classes[best]} (${percentText(leader.bars(frame)[best])})`;
    }
    this.transport.update(clock, step, clock.last, prediction);
    setAttribute(this.root, "data-step", step);
    setAttribute(this.root, "data-last", clock.last);
    setAttribute(this.root, "data-playing", clock.playing);
    this.tell(step);
  }

  tell(step) {
    if (!this.onStep || this.clock.live || this.telling || step === this.told) return;
    this.telling = setTimeout(() => {
      this.telling = null;
      this.told = Number(this.root.dataset.step);
      this.onStep?.(this.told);
    }, PATIENCE);
  }

  // How a run is drawn: settings turned into sizes, colours and shader modes.
  look(run, at, k) {
    const { settings, theme, dpr } = this;
    const plain = this.runs.length > 1 ? theme.runs[k] : theme.accent;
    let mode = settings.colour;
    if ((mode === "distance" && !run.meta.ghost) || (mode === "kept" && !run.kept)) mode = "plain";
    const scale = mode === "speed" || mode === "distance" ? this.typical(run, mode) : 1;
    const many = mode === "particle" && run.count > 16;
    const gap = run.steps[at.b] - run.steps[at.a] || 1;
    const cell = this.stage.rects?.[k];
    const room = cell ? clamp(Math.min(cell.width, cell.height) / 360, 0.5, 1) : 1;
    const size = clamp(20.5 * run.count ** -0.17, 3, 14) * room; // CSS pixels
    return {
      dpr,
      plain,
      size: size * dpr,
      outline: clamp((size - 4) * 0.16, 0.3, 1) * dpr,
      calm: clamp(16 / Math.sqrt(run.count), 0.25, 1), // of many ghosts each is fainter
      mode: many ? 2 : MODES[mode],
      trailMode: mode === "particle" ? (many ? 2 : 1) : 0,
      unit: mode === "speed" ? 1 / (scale * gap) : 1 / scale,
      colouring: { mode, scale, plain },
      ghost: settings.ghost,
      truth: settings.truth,
      residuals: settings.residuals && settings.ghost && run.count <= RESIDUALS_UP_TO,
      trails: !settings.trails ? 0 : run.count > MANY ? SHORT_TRAIL : TRAIL,
      arrows: settings.arrows ? AHEAD : 0,
    };
  }

  // What the marks on the stage mean, for the first run.
  marks() {
    const { settings, theme, runs } = this;
    const [run] = runs;
    const { colouring } = this.look(run, run.locate(this.clock.time), 0);
    const mark = (kind, text, colour) =>
      element("span", {}, element(`i.${kind}`, { style: colour && `--mark: ${css(colour)}` }), text);
    const particles = run.meta.ghost ? "particles μ" : "particles";
    const marks = [];
    if (colouring.mode === "speed" || colouring.mode === "distance") {
      const unit = colouring.mode === "speed" ? " a step" : " to F(μ)";
      marks.push(mark("ramp", `0 to ${numberText(colouring.scale)}${unit}`));
    } else if (colouring.mode === "kept") {
      marks.push(mark("disc", "known", theme.muted), mark("disc", "free", colouring.plain));
    } else if (runs.length === 1) {
      marks.push(mark("disc", particles, colouring.mode === "plain" ? colouring.plain : theme.muted));
    }
    if (run.meta.ghost && settings.ghost) marks.push(mark("ring", "F(μ)", theme.ghost));
    if (run.truth && settings.truth) marks.push(mark("speck", run.kept ? "removed" : "true cloud", theme.faint));
    return marks;
  }

  typical(run, mode) {
    this.scales ??= new Map();
    const key = `${mode} ${this.runs.indexOf(run)} ${this.clock.live ? 0 : run.frames}`;
    if (!this.scales.has(key)) this.scales.set(key, typical(run, mode));
    return this.scales.get(key);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (target.matches("select, input[type=checkbox]") && event.key !== "Escape") return;
    const actions = this.actions();
    const { stage } = this;
    const turn = { ArrowLeft: [-20, 0], ArrowRight: [20, 0], ArrowUp: [0, -20], ArrowDown: [0, 20] };
    const turned = event.shiftKey && turn[event.key];
    const bindings = {
      " ": target.matches("button") ? null : actions.toggle,
      ArrowLeft: () => actions.step(-1),
      ArrowRight: () => actions.step(1),
      Home: actions.start,
      End: actions.end,
      "[": () => (this.clock.slower(), this.invalidate()),
      "]": () => (this.clock.faster(), this.invalidate()),
      c: actions.change,
      f: () => stage.fit(),
      0: () => stage.setCamera({ ...HOME }),
      "+": () => stage.zoom(1.25),
      "-": () => stage.zoom(0.8),
      "?": () => this.panels.toggle(this.panels.help),
      Escape: () => this.panels.close() || this.unpin(),
    };
    const action = turned ? () => stage.nudge(...turned) : bindings[event.key];
    if (!action || !this.runs.length) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  unpin() {
    this.inspector.pin = null;
    this.invalidate();
  }

  // What outlives this player: camera, speed, step and switches.
  save() {
    return {
      chosen: this.chosen,
      speed: this.clock.speed,
      camera: this.stage.camera,
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
