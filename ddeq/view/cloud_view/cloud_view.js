// A cloud in space that can be turned. Its box is centred, and its longest side is 2.
// Python hears of a click on a point, and of the direction looked from where that is asked for.

import { HOME, frameBox, orbit, project, viewMatrix, zoomAt } from "../player/web/camera.js";
import { css, mix, readTheme } from "../player/web/theme.js";

const CLICK = 5; // pixels a pointer may move during a click
const REACH = 20; // pixels from a point at which a click means it
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
        <p class="hint" aria-hidden="true"></p>
      </div>
      <div class="foot">
        <span role="status" data-testid="cloud-count"></span>
        <button type="button" data-testid="cloud-take"></button>
      </div>`;
    const find = (name) => this.host.querySelector(name);
    this.canvas = find("canvas");
    this.hint = find(".hint");
    this.status = find("[role=status]");
    this.button = find("button");
    this.button.onclick = () => this.onTake(direction(this.camera));
    this.camera = { ...HOME };
    this.pointers = new Map();
    this.listen();
    parent.append(this.host);
    this.resizes = new ResizeObserver(() => this.draw());
    this.resizes.observe(this.canvas);
  }

  show({ id, points, removed, half, count, outlines, pick, take }) {
    if (id !== this.id) {
      const steps = new Int16Array(bytes(points).buffer);
      const coordinate = (n, k) => steps[3 * n + k] / 32767;
      this.points = Array.from({ length: steps.length / 3 }, (_, n) => [0, 1, 2].map((k) => coordinate(n, k)));
      this.camera = { ...HOME, yaw: this.camera.yaw, pitch: this.camera.pitch };
      const across = Math.hypot(half[0], half[1]) / Math.SQRT2; // so that it fits however it is turned
      this.box = frameBox([-across, -across, -half[2]], [across, across, half[2]]);
    }
    this.id = id;
    const bits = bytes(removed);
    this.gone = this.points.map((_, n) => (bits[n >> 3] >> (n & 7)) & 1);
    Object.assign(this, { outlines, pick });
    this.status.textContent = count;
    this.button.hidden = take === null;
    this.button.textContent = take ?? "";
    this.hint.textContent = pick ? "Drag to turn, click a point" : "Drag to turn";
    this.canvas.ariaLabel =
      `The points in space; ${count}. Drag or arrow keys turn the view, + and - zoom, 0 resets` +
      (pick ? "; a click picks a point, Enter the one in the middle." : ".");
    this.canvas.toggleAttribute("data-pick", pick);
    this.draw();
  }

  listen() {
    const { canvas, pointers } = this;
    canvas.onpointerdown = (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, place(event));
      this.moved = 0;
    };
    canvas.onpointermove = (event) => {
      const last = pointers.get(event.pointerId);
      if (!last) return;
      const before = span(pointers);
      const now = place(event);
      pointers.set(event.pointerId, now);
      const [dx, dy] = [now[0] - last[0], now[1] - last[1]];
      this.moved += Math.hypot(dx, dy);
      this.look(before ? zoomAt(this.camera, span(pointers) / before) : orbit(this.camera, dx, dy));
    };
    canvas.onpointerup = (event) => {
      const clicked = pointers.delete(event.pointerId) && this.moved < CLICK;
      if (clicked && this.pick) this.pickAt(...place(event));
    };
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
    else if (key === "Enter" && this.pick) this.pickAt(this.width / 2, this.width / 2, Infinity);
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

  // Report the point at this place of the view: of those within reach the one in front.
  pickAt(x, y, reach = REACH) {
    const { width } = this;
    const matrix = viewMatrix(this.camera, this.box, 3, width, width);
    let [best, least] = [-1, Infinity];
    this.points.forEach((point, n) => {
      const [u, v, depth] = project(matrix, point, width, width);
      const away = Math.hypot(u - x, v - y);
      const cost = away / REACH + 4 * depth;
      if (away <= reach && cost < least) [best, least] = [n, cost];
    });
    if (best >= 0) this.onPick({ id: this.id, index: best });
  }

  draw() {
    const { canvas } = this;
    this.width = canvas.clientWidth;
    if (!this.width || !this.points) return;
    const dpr = window.devicePixelRatio || 1;
    const side = Math.round(this.width * dpr);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    canvas.dataset.camera = direction(this.camera);
    const theme = readTheme(this.host);
    const c = canvas.getContext("2d");
    c.clearRect(0, 0, side, side);
    const matrix = viewMatrix(this.camera, this.box, 3, side, side);
    this.drawPoints(c, matrix, side, dpr, theme);
    this.drawOutlines(c, matrix, side, dpr, theme);
    drawAxes(c, this.camera, side, dpr, theme);
    if (this.pick && canvas.matches(":focus-visible")) drawCross(c, side / 2, dpr, theme);
  }

  drawPoints(c, matrix, side, dpr, theme) {
    const layers = Array.from({ length: 2 * LAYERS }, () => []); // removed points first
    this.points.forEach((point, n) => {
      const p = project(matrix, point, side, side);
      const near = Math.min(0.999, Math.max(0, 0.5 - 1.2 * (2 * p[2] - 1)));
      layers[Math.floor(near * LAYERS) + (this.gone[n] ? 0 : LAYERS)].push(p);
    });
    const size = Math.min(2.8, 90 / Math.sqrt(this.points.length)) * (this.width / 380);
    layers.forEach((places, layer) => {
      const near = (layer % LAYERS) / (LAYERS - 1);
      const dot =
        layer < LAYERS
          ? disc(dpr * Math.max(0.7, size * 0.75), mix(theme.bg, theme.accent, 0.22 + 0.23 * near))
          : disc(dpr * Math.max(0.8, size * (0.75 + 0.4 * near)), mix(theme.bg, theme.fg, 0.3 + 0.65 * near));
      for (const [x, y] of places) c.drawImage(dot, x - dot.width / 2, y - dot.height / 2);
    });
  }

  drawOutlines(c, matrix, side, dpr, theme) {
    c.lineWidth = 1.5 * dpr;
    for (const outline of this.outlines) {
      c.beginPath();
      for (const point of outline) c.lineTo(...project(matrix, point, side, side).slice(0, 2));
      c.closePath();
      c.fillStyle = css(theme.accent, 0.08);
      c.fill();
      c.strokeStyle = css(theme.accent);
      c.stroke();
    }
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

// Where Enter picks.
function drawCross(c, middle, dpr, theme) {
  c.lineWidth = 1.5 * dpr;
  c.strokeStyle = css(theme.accent);
  c.beginPath();
  for (const [x, y] of [[1, 0], [0, 1]]) {
    c.moveTo(middle - 8 * dpr * x, middle - 8 * dpr * y);
    c.lineTo(middle + 8 * dpr * x, middle + 8 * dpr * y);
  }
  c.stroke();
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

// Where the camera stands: degrees about z from +x, and above the horizon.
function direction({ yaw, pitch }) {
  const degrees = (radians) => Math.round((radians * 180) / Math.PI);
  return [(((degrees(yaw) - 90) % 360) + 360) % 360, degrees(pitch)];
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

export default function ({ data, parentElement, setTriggerValue }) {
  if (!VIEWS.has(parentElement)) VIEWS.set(parentElement, new CloudView(parentElement));
  const view = VIEWS.get(parentElement);
  view.onTake = (camera) => setTriggerValue("camera", camera);
  view.onPick = (point) => setTriggerValue("picked", point);
  view.host.style.setProperty("--size", `${data.size}px`);
  view.show(data);
  // Streamlit calls this also where a newer call has overtaken this one.
  return () => !parentElement.isConnected && view.resizes.disconnect();
}
