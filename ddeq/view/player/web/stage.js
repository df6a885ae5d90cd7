// The particles' stage: canvases, pointer and camera.

import { GLRenderer } from "./gl.js";
import { Canvas2DRenderer } from "./canvas2d.js";
import { HOME, frameBox, orbit, pan, project, viewMatrix, zoomAt } from "./camera.js";
import { drawAxes } from "./axes.js";
import { element, fitCanvas } from "./dom.js";
import { css } from "./theme.js";

const CLICK = 5; // pixels a pointer may move during a click
const COLUMN = 300; // narrowest useful view in pixels, before runs are stacked

export class Stage {
  constructor(invalidate) {
    this.invalidate = invalidate;
    this.camera = { ...HOME };
    this.under = element("canvas");
    this.over = element("canvas.over");
    this.labels = element("div.labels");
    this.notice = element("p.notice", { role: "status", hidden: true, "data-testid": "player-fallback" });
    this.root = element(
      "div.stage",
      { tabindex: 0, role: "application", "aria-label": "Particles: drag to turn, scroll to zoom, ? for keys", "data-testid": "player-stage" },
      this.under, this.over, this.labels, this.notice,
    );
    this.makeRenderer();
    this.listen();
  }

  makeRenderer() {
    const canvas = element("canvas");
    try {
      this.renderer = new GLRenderer(canvas, this.invalidate);
      this.canvas = canvas;
    } catch (error) {
      console.info(String(error));
      this.canvas = element("canvas");
      this.renderer = new Canvas2DRenderer(this.canvas);
      this.notice.textContent = "WebGL2 is not available, so particles are drawn on a plain 2-D canvas: the same picture, slower.";
      this.notice.hidden = false;
    }
    this.root.dataset.renderer = this.renderer.name;
    this.under.after(this.canvas);
  }

  setRuns(runs, theme) {
    this.runs = runs;
    const low = [0, 1, 2].map((k) => Math.min(...runs.map((run) => run.low?.[k] ?? Infinity)));
    const high = [0, 1, 2].map((k) => Math.max(...runs.map((run) => run.high?.[k] ?? -Infinity)));
    const finite = low.map(Number.isFinite);
    this.bounds = { low: low.filter((_, k) => finite[k]), high: high.filter((_, k) => finite[k]) };
    this.box = frameBox(this.bounds.low, this.bounds.high);
    this.dim = Math.max(...runs.map((run) => run.dim));
    this.labels.replaceChildren(
      ...(runs.length > 1
        ? runs.map((run, k) => element("h3", { style: `color: ${css(theme.runs[k])}` }, run.meta.label))
        : []),
    );
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
    for (const canvas of [this.under, this.canvas, this.over]) fitCanvas(canvas, width, height, dpr);
    this.rects = this.layout(width, height);
    this.views = this.runs.map((run, k) => {
      const r = this.rects[k];
      const [x, y] = [Math.round(r.x * dpr), Math.round(r.y * dpr)];
      const rect = {
        x, y,
        width: Math.round((r.x + r.width) * dpr) - x,
        height: Math.round((r.y + r.height) * dpr) - y,
      };
      const matrix = viewMatrix(this.camera, this.box, run.dim, rect.width, rect.height);
      return { run, at: places[k], rect, matrix, look: looks[k] };
    });
    const scenery = JSON.stringify([this.camera, this.box, this.rects, dpr, theme.tone, theme.bg]);
    if (scenery !== this.scenery) {
      this.scenery = scenery;
      const c = this.under.getContext("2d");
      c.clearRect(0, 0, this.under.width, this.under.height);
      for (const view of this.views) drawAxes(c, view, this.bounds, theme, dpr);
      [...this.labels.children].forEach((label, k) => {
        label.style.left = `${this.rects[k].x + 14}px`;
        label.style.top = `${this.rects[k].y + 10}px`;
      });
    }
    this.renderer.draw(this.views, theme);
  }

  // Which run's view holds a point of the stage, and where in clip units.
  clip(x, y) {
    const k = Math.max(0, this.rects?.findIndex((r) => x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height) ?? 0);
    const r = this.rects[k];
    return { k, x: ((x - r.x) / r.width) * 2 - 1, y: 1 - ((y - r.y) / r.height) * 2 };
  }

  setCamera(camera) {
    this.camera = camera;
    this.invalidate();
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
      if (event.target.closest("button, .panel, .card")) return;
      root.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, local(event));
      this.moved = 0;
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
      if (before) {
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
      if (pointers.delete(event.pointerId) && this.moved < CLICK) this.onTap(...local(event));
    });
    root.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
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
      if (!event.target.closest("button, .panel, .card")) this.setCamera({ ...HOME });
    });
  }

  dispose() {
    this.renderer.dispose();
  }
}
