// The particles' stage: canvases, pointer and camera.

import { GLRenderer } from "./gl.js";
import { Canvas2DRenderer } from "./canvas2d.js";
import { HOME, frameBox, orbit, pan, project, viewMatrix, zoomAt } from "./camera.js";
import { axesOf } from "./axes.js";
import { element, fitCanvas, setText } from "./dom.js";
import { css } from "./theme.js";

const CLICK = 5; // pixels a pointer may move during a click
const COLUMN = 280; // narrowest useful view in pixels, before runs are stacked

export class ParticleStage {
  constructor(invalidate) {
    this.invalidate = invalidate;
    this.camera = { ...HOME };
    this.over = element("canvas.over", { hidden: true });
    this.overlays = [this.over]; // of its size
    this.ticks = element("div.ticks");
    this.labels = element("div.labels");
    this.notice = element("p.notice", { role: "status", hidden: true, "data-testid": "player-fallback" });
    this.root = element(
      "div.stage",
      {
        tabindex: 0, role: "application", "data-testid": "player-stage",
        "aria-label": "Particles: drag to turn, scroll to zoom, ? for keys",
      },
      this.over, this.ticks, this.labels, this.notice,
    );
    this.makeRenderer();
    this.listen();
  }

  makeRenderer() {
    const canvas = element("canvas");
    try {
      this.renderer = new GLRenderer(canvas, this.invalidate);
      this.canvas = canvas;
    } catch {
      this.canvas = element("canvas");
      this.renderer = new Canvas2DRenderer(this.canvas);
      this.notice.textContent =
        "WebGL2 is not available, so particles are drawn on a plain 2-D canvas: slower, but complete.";
      this.notice.hidden = false;
    }
    this.root.dataset.renderer = this.renderer.name;
    this.root.prepend(this.canvas);
  }

  setRuns(runs, theme) {
    this.runs = runs;
    const boxes = runs.map((run) => run.extent());
    const low = [0, 1, 2].map((k) => Math.min(...boxes.map((box) => box.low?.[k] ?? Infinity)));
    const high = [0, 1, 2].map((k) => Math.max(...boxes.map((box) => box.high?.[k] ?? -Infinity)));
    const finite = low.map(Number.isFinite);
    this.bounds = { low: low.filter((_, k) => finite[k]), high: high.filter((_, k) => finite[k]) };
    this.box = frameBox(this.bounds.low, this.bounds.high);
    this.dim = Math.max(...runs.map((run) => run.dim));
    this.labels.replaceChildren(
      ...(runs.length > 1
        ? runs.map((run, k) => element("h3", { style: `color: ${css(theme.runs[k])}` }, run.meta.label))
        : []),
    );
    this.scenery = null; // the new labels have no places yet
  }

  // Called where the size may have changed; asking at every frame would cost a layout.
  measure() {
    this.width = this.root.clientWidth;
    this.height = this.root.clientHeight;
  }

  // Side by side, or stacked where that would be too narrow.
  grid() {
    const n = this.runs.length;
    const width = this.root.clientWidth;
    const columns = Math.max(1, Math.min(n, Math.floor(width / (n === 4 ? COLUMN * 1.2 : COLUMN))));
    const even = n === 4 && columns === 3 ? 2 : columns;
    return { columns: even, rows: Math.ceil(n / even) };
  }

  // The runs' rectangles in CSS pixels.
  layout(width, height) {
    const { columns, rows } = this.grid();
    return this.runs.map((_, k) => ({
      x: ((k % columns) * width) / columns,
      y: (Math.floor(k / columns) * height) / rows,
      width: width / columns,
      height: height / rows,
    }));
  }

  // looks: one per run. places: where each run stands. Draws everything but the hover marks.
  draw(places, looks, theme, dpr) {
    const { width, height } = this;
    if (!width || !this.runs.length) return;
    for (const canvas of [this.canvas, ...this.overlays]) fitCanvas(canvas, width, height, dpr);
    this.rects = this.layout(width, height);
    const names = this.runs.map((run) => run.meta.axes);
    const scenery = JSON.stringify([this.camera, this.box, this.rects, dpr, names]);
    if (scenery !== this.scenery) {
      this.scenery = scenery;
      this.arrange(dpr);
    }
    this.views = this.runs.map((run, k) => ({ run, at: places[k], look: looks[k], ...this.settings[k] }));
    this.renderer.draw(this.views, theme);
  }

  // What only changes with the camera, the size or the extent of the data.
  arrange(dpr) {
    const texts = [];
    this.settings = this.runs.map((run, k) => {
      const r = this.rects[k];
      const [x, y] = [Math.round(r.x * dpr), Math.round(r.y * dpr)];
      const [right, bottom] = [(r.x + r.width) * dpr, (r.y + r.height) * dpr];
      const rect = { x, y, width: Math.round(right) - x, height: Math.round(bottom) - y };
      const matrix = viewMatrix(this.camera, this.box, run.dim, rect.width, rect.height);
      const axes = axesOf(run.dim, this.bounds, run.meta.axes, matrix, r.width, r.height);
      for (const label of axes.labels) texts.push({ ...label, x: label.x + r.x, y: label.y + r.y });
      const name = this.labels.children[k];
      if (name) Object.assign(name.style, { left: `${r.x + 34}px`, top: `${r.y + 10}px` });
      return { rect, matrix, axes };
    });
    while (this.ticks.childElementCount > texts.length) this.ticks.lastChild.remove();
    while (this.ticks.childElementCount < texts.length) this.ticks.append(element("span"));
    texts.forEach(({ text, x, y, anchor, faint }, k) => {
      const node = this.ticks.children[k];
      setText(node, text);
      node.className = faint ? `${anchor} faint` : anchor;
      node.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    });
  }

  // A point of the stage in the clip units of the view that holds it.
  clip(x, y) {
    const holds = (r) => x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height;
    const r = this.rects.find(holds) ?? this.rects[0];
    return { x: ((x - r.x) / r.width) * 2 - 1, y: 1 - ((y - r.y) / r.height) * 2 };
  }

  setCamera(camera) {
    this.camera = camera;
    this.invalidate();
  }

  // Turn, or in 2-D move, as by a drag of so many pixels.
  nudge(dx, dy) {
    const { width, height } = this.rects[0];
    const moved = pan(this.camera, (2 * dx) / width, (-2 * dy) / height);
    this.setCamera(this.dim === 3 ? orbit(this.camera, dx, dy) : moved);
  }

  zoom(factor) {
    this.setCamera(zoomAt(this.camera, factor));
  }

  // Zoom and move, without turning, so that the particles of the present step fill the view.
  fit() {
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    const p = [0, 0, 0];
    for (const { run, at, matrix } of this.views ?? []) {
      for (const name of run.meta.ghost ? ["particles", "ghost"] : ["particles"]) {
        for (let n = 0; n < run.count; n++) {
          project(matrix, run.between(name, at, n), 2, 2, p);
          if (!Number.isFinite(p[0])) continue;
          [x0, x1] = [Math.min(x0, p[0] - 1), Math.max(x1, p[0] - 1)];
          [y0, y1] = [Math.min(y0, 1 - p[1]), Math.max(y1, 1 - p[1])];
        }
      }
    }
    if (x0 > x1) return;
    const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
    const factor = 1.5 / Math.max(x1 - x0, y1 - y0, 1e-3);
    this.setCamera(pan(zoomAt(this.camera, factor, x, y), -x, -y));
  }

  listen() {
    const { root } = this;
    const pointers = new Map();
    const local = (event) => {
      const box = root.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const spread = () => {
      const [p, q] = [...pointers.values()];
      return { size: Math.hypot(p[0] - q[0], p[1] - q[1]), at: [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2] };
    };
    root.addEventListener("pointerdown", (event) => {
      if (event.target.closest("button, .panel, .card, .layers, .cutting, .touching")) return;
      root.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, local(event));
      this.moved = 0;
      this.grabbed = pointers.size === 1 && !event.shiftKey && event.button === 0 && this.onGrab?.(...local(event));
    });
    root.addEventListener("pointermove", (event) => {
      const last = pointers.get(event.pointerId);
      if (!last && event.pointerType !== "touch") this.onHover(...local(event));
      if (!last || !this.rects) return;
      const before = pointers.size === 2 ? spread() : null;
      const now = local(event);
      pointers.set(event.pointerId, now);
      const [dx, dy] = [now[0] - last[0], now[1] - last[1]];
      this.moved += Math.hypot(dx, dy);
      const { width, height } = this.rects[0];
      if (this.grabbed && pointers.size === 1) {
        if (this.moved >= CLICK) this.onDrag(...now);
      } else if (before) {
        const after = spread();
        const { x, y } = this.clip(...after.at);
        const zoomed = zoomAt(this.camera, after.size / (before.size || 1), x, y);
        const [mx, my] = [after.at[0] - before.at[0], after.at[1] - before.at[1]];
        this.setCamera(pan(zoomed, (2 * mx) / width, (-2 * my) / height));
      } else if (this.dim === 2 || event.shiftKey || event.buttons & 6) {
        this.setCamera(pan(this.camera, (2 * dx) / width, (-2 * dy) / height));
      } else {
        this.setCamera(orbit(this.camera, dx, dy));
      }
    });
    root.addEventListener("pointerup", (event) => {
      if (!pointers.delete(event.pointerId)) return;
      if (this.moved < CLICK) this.onTap(...local(event));
      else if (this.grabbed) this.onDrop(...local(event));
      this.grabbed = false;
    });
    root.addEventListener("pointercancel", (event) => {
      pointers.delete(event.pointerId);
      this.grabbed = false;
      this.onLetGo?.();
    });
    root.addEventListener("pointerleave", () => this.onHover(null));
    // The wheel scrolls the page until the stage is in use.
    root.addEventListener("wheel", (event) => {
      const active = root.getRootNode().activeElement === root || event.ctrlKey;
      if (!active || !this.rects) return;
      event.preventDefault();
      const { x, y } = this.clip(...local(event));
      this.setCamera(zoomAt(this.camera, Math.exp(-event.deltaY * 0.0015), x, y));
    }, { passive: false });
    root.addEventListener("contextmenu", (event) => event.preventDefault());
    root.addEventListener("dblclick", (event) => {
      if (!event.target.closest("button, .panel, .card, .layers, .cutting")) this.setCamera({ ...HOME });
    });
  }

  dispose() {
    this.renderer.dispose();
  }
}
