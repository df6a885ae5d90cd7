// The timeline and its buttons.

import { SPEEDS } from "./clock.js";
import { css } from "./theme.js";
import { element, fitCanvas, icon, iconButton, setAttribute, setText, setTransform } from "./dom.js";

export class Transport {
  // actions: {toggle, step(±1), start, end, change, follow, seek(time), speed(x), loop, ...}
  constructor(actions) {
    this.play = iconButton("play", "Play", "player-play", actions.toggle);
    this.play.classList.add("main");
    this.follow = iconButton("live", "Follow the solver live", "player-live", actions.follow, {
      "aria-pressed": "false",
    });
    this.change = iconButton(
      "change", "Go to the last change of the prediction", "player-change", actions.change,
    );
    this.loop = iconButton("loop", "Loop a range", "player-loop", actions.loop, {
      "aria-pressed": "false",
    });
    this.ends = ["from", "to"].map((end, k) => {
      const handle = element("input.end", {
        type: "range", min: 0, max: 1, step: "any", hidden: true,
        "aria-label": k ? "End of the loop" : "Start of the loop", "data-testid": `player-loop-${end}`,
        oninput: () => actions.loopTo(k, Number(handle.value)),
      });
      return handle;
    });
    this.progress = element("i");
    this.thumb = element("b", {}, element("u"));
    this.scrub = element("input.scrub", {
      type: "range", min: 0, max: 1, step: "any", value: 0,
      "aria-label": "Step", "data-testid": "player-scrub",
      oninput: () => actions.seek(Number(this.scrub.value)),
    });
    this.ribbon = element("canvas.ribbon", { "aria-hidden": "true" });
    this.label = element("output.step", { "data-testid": "player-step-label" });
    this.speed = element(
      "select",
      {
        "aria-label": "Speed", title: "Speed", "data-testid": "player-speed",
        onchange: () => actions.speed(Number(this.speed.value)),
      },
      ...SPEEDS.map((s) => element("option", { value: s }, `${s}×`)),
    );
    this.timeline = element(
      "div.timeline", {}, this.ribbon, element("div.progress", {}, this.progress, this.thumb), this.scrub, ...this.ends,
    );
    this.root = element(
      "div.transport",
      { role: "group", "aria-label": "Timeline" },
      element(
        "div.buttons",
        { "data-unpainted": true },
        iconButton("start", "Go to the start", "player-start", actions.start),
        iconButton("back", "Step back", "player-step-back", () => actions.step(-1)),
        this.play,
        iconButton("forward", "Step forward", "player-step-forward", () => actions.step(1)),
        iconButton("end", "Go to the end", "player-end", actions.end),
      ),
      this.timeline,
      this.label,
      element("div.buttons", { "data-unpainted": true }, this.change, this.loop, this.follow, this.speed),
    );
  }

  // Once per change of data: the range, and where the prediction changes.
  setRuns(runs, clock) {
    for (const slider of [this.scrub, ...this.ends]) {
      slider.min = clock.first;
      slider.max = Math.max(clock.last, clock.first + 1);
    }
    this.scrub.disabled = clock.last === clock.first;
    this.change.hidden = !runs.some((run) => run.meta.classes);
    this.timeline.toggleAttribute("data-bare", this.change.hidden);
    this.runs = runs;
  }

  drawRibbon(theme, dpr, clock) {
    const { ribbon } = this;
    const [width, height] = [ribbon.clientWidth, ribbon.clientHeight];
    if (!width) return;
    fitCanvas(ribbon, width, height, dpr);
    const c = ribbon.getContext("2d");
    c.setTransform(dpr, 0, 0, dpr, 0, 0);
    c.clearRect(0, 0, width, height);
    const shown = this.runs.filter((run) => run.meta.classes && run.frames);
    const x = (time) => ((time - clock.first) / Math.max(1, clock.last - clock.first)) * width;
    c.font = `600 10.5px ${theme.font}`;
    c.textBaseline = "middle";
    const row = height / Math.max(1, shown.length);
    shown.forEach((run, k) => {
      const pieces = stretches(run);
      pieces.forEach(({ from, to, label }, i) => {
        const [left, right] = [x(from), clock.last > clock.first ? x(to) : width];
        const last = i === pieces.length - 1;
        const colour = shown.length > 1 ? theme.runs[this.runs.indexOf(run)] : theme.accent;
        const strength = row > 9 ? 0.2 : 0.5;
        c.fillStyle = last ? css(colour, strength) : css(theme.muted, i % 2 ? 0.1 : 0.2);
        c.fillRect(left, k * row, Math.max(0.5, right - left - 1), row - 1);
        if (row >= 9 && right - left > c.measureText(label).width + 8) {
          c.fillStyle = css(last ? theme.accent : theme.muted);
          c.fillText(label, left + 5, k * row + row / 2);
        }
      });
    });
    if (clock.loop) {
      const [left, right] = clock.loop.map(x);
      c.fillStyle = css(theme.accent);
      c.fillRect(left, height - 2, Math.max(2, right - left), 2);
    }
  }

  update(clock, step, total, prediction) {
    const playing = clock.playing;
    if (this.shownPlaying !== playing) {
      this.shownPlaying = playing;
      this.play.replaceChildren(icon(playing ? "pause" : "play"));
      this.play.title = playing ? "Pause" : "Play";
      this.play.setAttribute("aria-label", this.play.title);
    }
    this.follow.hidden = !clock.live;
    setAttribute(this.follow, "aria-pressed", clock.following);
    setAttribute(this.loop, "aria-pressed", clock.loop !== null);
    const share = (clock.time - clock.first) / Math.max(1, clock.last - clock.first);
    const shown = Math.round(share * 800) / 800; // finer would only cost repaints
    setTransform(this.progress, `scaleX(${shown})`);
    setTransform(this.thumb, `translateX(${100 * shown}%)`);
    this.ends.forEach((handle, k) => {
      handle.hidden = clock.loop === null;
      if (clock.loop && Number(handle.value) !== clock.loop[k]) handle.value = clock.loop[k];
    });
    // The rest changes with the recorded step only: texts and sliders cost a repaint.
    const said = `step ${step} of ${total}${prediction}`;
    if (said !== this.said) {
      this.said = said;
      this.scrub.value = clock.time;
      this.scrub.setAttribute("aria-valuetext", said);
      setText(this.label, `step ${step} / ${total}`);
    }
    if (Number(this.speed.value) !== clock.speed) this.speed.value = clock.speed;
  }
}

// Maximal ranges of recorded steps with one prediction: [{from, to, label, frame}]. A step reaches
// half-way to its neighbours, so that each has some width, the last one too.
export function stretches(run) {
  const pieces = [];
  for (let t = 0; t < run.frames; t++) {
    const label = run.meta.classes[run.prediction(t)];
    const from = t ? (run.steps[t - 1] + run.steps[t]) / 2 : run.steps[t];
    const current = pieces.at(-1);
    if (current?.label !== label) {
      if (current) current.to = from;
      pieces.push({ from, to: run.steps[t], label, frame: t });
    } else current.to = run.steps[t];
  }
  return pieces;
}
