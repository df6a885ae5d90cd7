// A drawing pad: strokes as lists of [x, y] in the unit square, y down.

const PEN = 0.055; // stroke width as a share of the square
const CLOSEST = 0.004; // points nearer than this to the last one add nothing

class Pad {
  constructor(root) {
    this.strokes = [];
    root.innerHTML = `
      <div class="pad">
        <div class="sheet">
          <canvas data-testid="pad-canvas" role="img" aria-label="Draw a digit here"></canvas>
          <p class="hint">Draw a digit here</p>
        </div>
        <div class="buttons">
          <button type="button" data-testid="pad-undo">Undo</button>
          <button type="button" data-testid="pad-clear">Clear</button>
          <button type="button" class="use" data-testid="pad-use">Use this drawing</button>
        </div>
      </div>`;
    this.root = root.querySelector(".pad");
    this.canvas = root.querySelector("canvas");
    this.hint = root.querySelector(".hint");
    [this.undo, this.clear, this.use] = root.querySelectorAll("button");
    this.undo.onclick = () => this.change(this.strokes.slice(0, -1));
    this.clear.onclick = () => this.change([]);
    this.use.onclick = () => this.onUse(this.strokes);
    this.canvas.onpointerdown = (event) => {
      if (event.button !== 0) return;
      this.canvas.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.change([...this.strokes, [this.point(event)]]);
    };
    this.canvas.onpointermove = (event) => {
      if (event.pointerId !== this.pointer) return;
      const stroke = this.strokes.at(-1);
      for (const moment of event.getCoalescedEvents?.() ?? [event]) {
        const [x, y] = this.point(moment);
        const [px, py] = stroke.at(-1);
        if (Math.hypot(x - px, y - py) > CLOSEST) stroke.push([x, y]);
      }
      this.draw();
    };
    this.canvas.onpointerup = this.canvas.onpointercancel = (event) => {
      if (event.pointerId === this.pointer) this.pointer = null;
    };
    this.resizes = new ResizeObserver(() => this.draw());
    this.resizes.observe(this.canvas);
    this.change([]);
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const unit = (value, low, size) => Math.min(1, Math.max(0, (value - low) / size));
    return [unit(event.clientX, box.left, box.width), unit(event.clientY, box.top, box.height)];
  }

  change(strokes) {
    this.strokes = strokes;
    const empty = strokes.length === 0;
    for (const button of [this.undo, this.clear, this.use]) button.disabled = empty;
    this.hint.hidden = !empty;
    this.hint.style.display = empty ? "" : "none";
    this.canvas.dataset.strokes = strokes.length;
    this.draw();
  }

  draw() {
    const { canvas } = this;
    const size = canvas.clientWidth;
    if (!size) return;
    const pixels = Math.round(size * (window.devicePixelRatio || 1));
    if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
    const c = canvas.getContext("2d");
    c.setTransform(pixels, 0, 0, pixels, 0, 0);
    c.clearRect(0, 0, 1, 1);
    c.lineWidth = PEN;
    c.lineCap = c.lineJoin = "round";
    c.strokeStyle = getComputedStyle(this.root).color;
    for (const stroke of this.strokes) {
      c.beginPath();
      c.moveTo(...stroke[0]);
      for (const [x, y] of stroke) c.lineTo(x, y);
      c.stroke();
    }
  }
}

const PADS = new WeakMap(); // so that reruns keep the strokes

export default function ({ data, parentElement, setTriggerValue }) {
  let pad = PADS.get(parentElement);
  if (!pad) {
    const host = document.createElement("div");
    parentElement.append(host);
    pad = new Pad(host);
    PADS.set(parentElement, pad);
  }
  pad.root.style.setProperty("--size", `${data.size}px`);
  pad.onUse = (strokes) => setTriggerValue("strokes", strokes);
  pad.draw();
  // Streamlit calls this also where a newer call has overtaken this one.
  return () => !parentElement.isConnected && pad.resizes.disconnect();
}
