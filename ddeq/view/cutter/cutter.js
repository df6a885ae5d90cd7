// A cloud of which points can be removed with a brush, a box or a lasso.
// Points lie in the unit square, y down. Python hears of a change when the pointer is lifted.

const DISC = 2.6; // CSS pixels, the radius of a point
const STEP = 0.02; // of the square, that an arrow key moves the brush
const TOOLS = { brush: "Brush", box: "Box", lasso: "Lasso" };

class Cutter {
  constructor(parent) {
    this.host = document.createElement("div");
    this.host.className = "cutter";
    this.host.innerHTML = `
      <div class="bar">
        <div class="tools" role="radiogroup" aria-label="Tool">
          ${Object.entries(TOOLS).map(([tool, text]) => `
            <button type="button" role="radio" data-tool="${tool}"
              data-testid="cutter-${tool}">${text}</button>`).join("")}
        </div>
        <label>Size <input type="range" min="0.02" max="0.2" step="0.01" value="0.07"
          aria-label="Brush size" data-testid="cutter-size"></label>
      </div>
      <div class="sheet">
        <canvas data-testid="cutter-canvas"></canvas>
        <p class="hint">Draw over the points to remove</p>
      </div>
      <div class="foot">
        <span role="status" data-testid="cutter-count"></span>
        <button type="button" data-testid="cutter-undo">Undo</button>
        <button type="button" data-testid="cutter-clear">Clear</button>
      </div>`;
    const find = (name) => this.host.querySelector(name);
    this.canvas = find("canvas");
    this.size = find("input");
    this.label = find("label");
    this.count = find("[role=status]");
    this.hint = find(".hint");
    [this.undo, this.clear] = this.host.querySelectorAll(".foot button");
    this.tools = [...this.host.querySelectorAll(".tools button")];
    this.tools.forEach((button, k) => {
      button.onclick = () => this.pick(button.dataset.tool);
      button.onkeydown = (event) => {
        const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!by) return;
        event.preventDefault();
        const next = this.tools.at((k + by) % this.tools.length);
        this.pick(next.dataset.tool);
        next.focus();
      };
    });
    this.undo.onclick = () => {
      this.removed = this.history.pop();
      this.tell();
    };
    this.clear.onclick = () => this.change(() => this.removed.fill(0));
    this.size.oninput = () => this.draw();
    this.canvas.onpointerdown = (event) => this.down(event);
    this.canvas.onpointermove = (event) => this.move(event);
    this.canvas.onpointerup = (event) => this.up(event);
    this.canvas.onpointercancel = (event) => this.cancel(event);
    this.canvas.onpointerleave = () => this.pointAt(null);
    this.canvas.onkeydown = (event) => this.key(event);
    this.canvas.onblur = () => this.pointAt(null);
    parent.append(this.host);
    this.resizes = new ResizeObserver(() => this.draw());
    this.resizes.observe(this.canvas);
    this.tool = "brush";
    this.at = null; // where the brush is shown
  }

  show({ id, points, removed, count, editable }) {
    if (id === this.id) return this.draw(); // what is drawn here is newer than what Python knows
    this.id = id;
    this.points = points;
    this.removed = new Uint8Array(points.length);
    for (const k of removed) this.removed[k] = 1;
    this.history = [];
    this.pointer = null;
    this.editable = editable;
    this.counted = count; // where only some points are shown, they cannot be counted here
    this.host.toggleAttribute("data-editable", editable);
    this.canvas.tabIndex = editable ? 0 : -1;
    this.canvas.role = editable ? "application" : "img";
    this.pick(this.tool);
    this.update();
  }

  pick(tool) {
    this.tool = tool;
    for (const button of this.tools) {
      const chosen = button.dataset.tool === tool;
      button.ariaChecked = chosen;
      button.tabIndex = chosen ? 0 : -1;
    }
    this.label.style.visibility = tool === "brush" ? "" : "hidden";
    this.draw();
  }

  // Do something to `removed` that Undo takes back.
  change(action) {
    const before = this.removed.slice();
    action();
    this.commit(before);
  }

  commit(before) {
    if (this.removed.every((gone, k) => gone === before[k])) return this.update();
    this.history.push(before);
    this.tell();
  }

  tell() {
    this.update();
    const removed = [];
    this.removed.forEach((gone, k) => gone && removed.push(k));
    this.onChange({ id: this.id, removed });
  }

  down(event) {
    if (!this.editable || event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.before = this.removed.slice();
    this.path = [this.place(event)];
    this.follow();
  }

  move(event) {
    if (!this.editable) return;
    if (event.pointerId === this.pointer) {
      for (const moment of event.getCoalescedEvents?.() ?? [event]) {
        this.path.push(this.place(moment));
        if (this.tool === "brush") this.sweep(...this.path.slice(-2));
      }
      this.follow();
    }
    this.pointAt(event.pointerType === "touch" && this.pointer === null ? null : this.place(event));
  }

  up(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    if (event.pointerType === "touch") this.at = null;
    this.commit(this.before);
  }

  cancel(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.removed = this.before;
    this.update();
  }

  // Apply the tool to where the pointer has been since it went down.
  follow() {
    const { path } = this;
    if (this.tool === "brush") this.sweep(path.at(-1), path.at(-1));
    else {
      const outline = this.tool === "box" ? corners(path[0], path.at(-1)) : path;
      this.removed = this.before.slice();
      this.points.forEach((point, k) => inside(point, outline) && (this.removed[k] = 1));
    }
    this.update();
  }

  // Remove what the brush touches on its way from one place to another.
  sweep(from, to) {
    const reach = Number(this.size.value);
    this.points.forEach((point, k) => distance(point, from, to) <= reach && (this.removed[k] = 1));
  }

  key(event) {
    if (!this.editable) return;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const arrow = arrows[event.key];
    if (arrow) {
      const [x, y] = this.at ?? [0.5, 0.5];
      const unit = (value) => Math.min(1, Math.max(0, value));
      this.pick("brush");
      this.pointAt([unit(x + STEP * arrow[0]), unit(y + STEP * arrow[1])]);
    } else if (event.key === " " || event.key === "Enter") {
      if (this.at) this.change(() => this.sweep(this.at, this.at));
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      if (this.history.length) this.undo.click();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  pointAt(place) {
    this.at = place;
    this.draw();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  update() {
    const gone = this.removed.reduce((sum, value) => sum + value, 0);
    const counted = `${gone} of ${this.points.length} points removed`;
    this.count.textContent = this.editable ? counted : this.counted;
    this.canvas.ariaLabel = this.editable
      ? "The points: draw over those to remove; arrow keys move the brush, space removes, Ctrl+Z undoes"
      : `The points; ${this.count.textContent}`;
    this.canvas.dataset.removed = gone;
    this.undo.disabled = this.history.length === 0;
    this.clear.disabled = gone === 0;
    this.hint.hidden = !this.editable || gone > 0 || this.pointer !== null;
    this.draw();
  }

  draw() {
    const { canvas } = this;
    const size = canvas.clientWidth;
    if (!size || !this.points) return;
    const pixels = Math.round(size * (window.devicePixelRatio || 1));
    if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
    const c = canvas.getContext("2d");
    c.setTransform(pixels, 0, 0, pixels, 0, 0);
    c.clearRect(0, 0, 1, 1);
    const style = getComputedStyle(this.host);
    const [colour, accent] = [style.color, style.getPropertyValue("--accent").trim()];
    const radius = (DISC / size) * Math.min(1, Math.max(0.4, 30 / Math.sqrt(this.points.length)));
    const pixel = 1 / size;
    for (const gone of [1, 0]) {
      c.fillStyle = colour;
      c.strokeStyle = accent;
      c.lineWidth = pixel;
      for (let k = 0; k < this.points.length; k++) {
        if (this.removed[k] !== gone) continue;
        c.beginPath();
        c.arc(...this.points[k], radius, 0, 7);
        if (gone) c.stroke();
        else c.fill();
      }
    }
    this.drawTool(c, accent, pixel);
  }

  drawTool(c, accent, pixel) {
    c.strokeStyle = accent;
    c.fillStyle = accent;
    c.lineWidth = 1.5 * pixel;
    c.beginPath();
    if (this.tool === "brush" && this.at) c.arc(...this.at, Number(this.size.value), 0, 7);
    else if (this.tool !== "brush" && this.pointer !== null) {
      const ends = [this.path[0], this.path.at(-1)];
      const outline = this.tool === "box" ? corners(...ends) : this.path;
      for (const point of outline) c.lineTo(...point);
      c.closePath();
    }
    c.globalAlpha = 0.12;
    c.fill("evenodd");
    c.globalAlpha = 1;
    c.stroke();
  }
}

function corners([x0, y0], [x1, y1]) {
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
}

// Whether a point lies in a closed outline, by the parity of the edges to its right.
function inside([x, y], outline) {
  let odd = false;
  outline.forEach(([x1, y1], k) => {
    const [x0, y0] = outline.at(k - 1);
    if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) odd = !odd;
  });
  return odd;
}

// From a point to the straight line between two others.
function distance([x, y], [x0, y0], [x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1);
  const u = Math.min(1, Math.max(0, along));
  return Math.hypot(x - x0 - u * dx, y - y0 - u * dy);
}

const CUTTERS = new WeakMap(); // so that reruns keep the undo history

export default function ({ data, parentElement, setTriggerValue }) {
  if (!CUTTERS.has(parentElement)) CUTTERS.set(parentElement, new Cutter(parentElement));
  const cutter = CUTTERS.get(parentElement);
  cutter.onChange = (change) => setTriggerValue("change", change);
  cutter.host.style.setProperty("--size", `${data.size}px`);
  cutter.show(data);
  // Streamlit calls this also where a newer call has overtaken this one.
  return () => !parentElement.isConnected && cutter.resizes.disconnect();
}
