// A cloud in space that can be turned. Its box is centred, and its longest side is 2.

import { HOME, frameBox, orbit, project, viewMatrix, zoomAt } from "../player/web/camera.js";
import { directionOf } from "../player/web/cutting.js";
import { css, mix, readTheme } from "../player/web/theme.js";

const LAYERS = 12; // of depth, each of one colour, drawn from back to front
const KEYS = { ArrowLeft: [-12, 0], ArrowRight: [12, 0], ArrowUp: [0, -12], ArrowDown: [0, 12] };
const AXES = { x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };
const UNIT_BOX = frameBox([-1, -1, -1], [1, 1, 1]);

class CloudView {
  constructor(parent) {
    this.host = document.createElement("div");
    this.host.className = "cloud-view";
    this.host.innerHTML = `
      <div class="sheet">
        <canvas tabindex="0" role="application" data-testid="cloud-canvas"></canvas>
        <p class="hint" aria-hidden="true">Drag to turn</p>
      </div>
      <div class="foot">
        <span role="status" data-testid="cloud-count"></span>
      </div>`;
    const find = (name) => this.host.querySelector(name);
    this.canvas = find("canvas");
    this.hint = find(".hint");
    this.status = find("[role=status]");
    this.camera = { ...HOME };
    this.pointers = new Map();
    this.listen();
    parent.append(this.host);
    this.resizes = new ResizeObserver(() => this.draw());
    this.resizes.observe(this.canvas);
  }

  show({ id, points, half, count }) {
    if (id !== this.id) {
      const steps = new Int16Array(bytes(points).buffer);
      const coordinate = (n, k) => steps[3 * n + k] / 32767;
      this.points = Array.from({ length: steps.length / 3 }, (_, n) => [0, 1, 2].map((k) => coordinate(n, k)));
      this.camera = { ...HOME, yaw: this.camera.yaw, pitch: this.camera.pitch };
      const across = Math.hypot(half[0], half[1]) / Math.SQRT2; // so that it fits however it is turned
      this.box = frameBox([-across, -across, -half[2]], [across, across, half[2]]);
    }
    this.id = id;
    this.status.textContent = count;
    this.canvas.ariaLabel =
      `The points in space; ${count}. Drag or arrow keys turn the view, + and - zoom, 0 resets.`;
    this.draw();
  }

  listen() {
    const { canvas, pointers } = this;
    canvas.onpointerdown = (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, place(event));
    };
    canvas.onpointermove = (event) => {
      const last = pointers.get(event.pointerId);
      if (!last) return;
      const before = span(pointers);
      const now = place(event);
      pointers.set(event.pointerId, now);
      const [dx, dy] = [now[0] - last[0], now[1] - last[1]];
      this.look(before ? zoomAt(this.camera, span(pointers) / before) : orbit(this.camera, dx, dy));
    };
    canvas.onpointerup = (event) => pointers.delete(event.pointerId);
    canvas.onpointercancel = (event) => pointers.delete(event.pointerId);
    canvas.ondblclick = () => this.look({ ...HOME });
    canvas.onkeydown = (event) => this.key(event);
    canvas.onfocus = canvas.onblur = () => this.draw();
    // The wheel scrolls the page until the view is in use.
    const zoom = (event) => {
      if (canvas.getRootNode().activeElement !== canvas && !event.ctrlKey) return;
      event.preventDefault();
      this.look(zoomAt(this.camera, Math.exp(-event.deltaY * 0.0015)));
    };
    canvas.addEventListener("wheel", zoom, { passive: false });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (KEYS[key]) this.look(orbit(this.camera, ...KEYS[key]));
    else if (key === "+" || key === "=") this.look(zoomAt(this.camera, 1.2));
    else if (key === "-") this.look(zoomAt(this.camera, 1 / 1.2));
    else if (key === "0") this.look({ ...HOME });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  look(camera) {
    this.camera = camera;
    this.hint.hidden = true;
    cancelAnimationFrame(this.waiting);
    this.waiting = requestAnimationFrame(() => this.draw());
  }

  draw() {
    const { canvas } = this;
    this.width = canvas.clientWidth;
    if (!this.width || !this.points) return;
    const dpr = window.devicePixelRatio || 1;
    const side = Math.round(this.width * dpr);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    canvas.dataset.camera = directionOf(this.camera);
    const theme = readTheme(this.host);
    const c = canvas.getContext("2d");
    c.clearRect(0, 0, side, side);
    const matrix = viewMatrix(this.camera, this.box, 3, side, side);
    this.drawPoints(c, matrix, side, dpr, theme);
    drawAxes(c, this.camera, side, dpr, theme);
  }

  drawPoints(c, matrix, side, dpr, theme) {
    const layers = Array.from({ length: LAYERS }, () => []);
    this.points.forEach((point) => {
      const p = project(matrix, point, side, side);
      const near = Math.min(0.999, Math.max(0, 0.5 - 1.2 * (2 * p[2] - 1)));
      layers[Math.floor(near * LAYERS)].push(p);
    });
    const size = Math.min(2.8, 90 / Math.sqrt(this.points.length)) * (this.width / 380);
    layers.forEach((places, layer) => {
      const near = layer / (LAYERS - 1);
      const colour = mix(theme.bg, theme.fg, 0.3 + 0.65 * near);
      const dot = disc(dpr * Math.max(0.8, size * (0.75 + 0.4 * near)), colour);
      for (const [x, y] of places) c.drawImage(dot, x - dot.width / 2, y - dot.height / 2);
    });
  }
}

// Which way x, y and z point, in a corner.
function drawAxes(c, camera, side, dpr, theme) {
  const size = 56 * dpr;
  const matrix = viewMatrix({ ...camera, zoom: 1, x: 0, y: 0 }, UNIT_BOX, 3, size, size);
  const place = (point) => {
    const [x, y] = project(matrix, point, size, size);
    return [x + 2 * dpr, y + side - size - 2 * dpr];
  };
  c.lineWidth = dpr;
  c.strokeStyle = css(theme.faint);
  c.fillStyle = css(theme.muted);
  c.font = `${11 * dpr}px ${theme.font}`;
  c.textAlign = "center";
  c.textBaseline = "middle";
  for (const [name, axis] of Object.entries(AXES)) {
    c.beginPath();
    c.moveTo(...place([0, 0, 0]));
    c.lineTo(...place(axis));
    c.stroke();
    c.fillText(name, ...place(axis.map((v) => 1.4 * v)));
  }
}

// A small picture of a dot, which is drawn faster than a circle.
function disc(radius, colour) {
  const dot = document.createElement("canvas");
  dot.width = dot.height = Math.ceil(2 * radius) + 2;
  const c = dot.getContext("2d");
  c.fillStyle = css(colour);
  c.beginPath();
  c.arc(dot.width / 2, dot.width / 2, radius, 0, 7);
  c.fill();
  return dot;
}

function place(event) {
  const box = event.target.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

// How far apart two fingers are; null where there are not two.
function span(pointers) {
  if (pointers.size !== 2) return null;
  const [[x0, y0], [x1, y1]] = pointers.values();
  return Math.hypot(x0 - x1, y0 - y1) || 1;
}

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

const VIEWS = new WeakMap(); // so that reruns keep the camera

export default function ({ data, parentElement }) {
  if (!VIEWS.has(parentElement)) VIEWS.set(parentElement, new CloudView(parentElement));
  const view = VIEWS.get(parentElement);
  view.host.style.setProperty("--size", `${data.size}px`);
  view.show(data);
  // Streamlit calls this also where a newer call has overtaken this one.
  return () => !parentElement.isConnected && view.resizes.disconnect();
}
