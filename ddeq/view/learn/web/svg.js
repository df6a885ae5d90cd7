// What the figures of Learn share: an SVG that fills its box, in units of the data.

const NS = "http://www.w3.org/2000/svg";

function svg(tag, attributes = {}, text = null) {
  const node = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  if (text !== null) node.textContent = text;
  return node;
}

// A figure element with an empty SVG; `redraw` is called when its size changes.
function makeFigure(parent, redraw) {
  const root = document.createElement("figure");
  root.className = "learn-figure";
  const sheet = svg("svg", { role: "group" });
  const hint = document.createElement("figcaption");
  root.append(sheet, hint);
  parent.append(root);
  const resizes = new ResizeObserver(redraw);
  resizes.observe(root);
  return { root, sheet, hint, resizes };
}

// Scales for data bounds [x0, x1, y0, y1], shape preserved, as large as the box allows.
function fit(root, [x0, x1, y0, y1], tallest) {
  const width = root.clientWidth;
  const unit = Math.min(width / (x1 - x0), tallest / (y1 - y0));
  const height = unit * (y1 - y0);
  const left = (width - unit * (x1 - x0)) / 2;
  return {
    width, height, unit,
    x: (v) => left + (v - x0) * unit,
    y: (v) => height - (v - y0) * unit,
    invert: (px, py) => [x0 + (px - left) / unit, y0 + (height - py) / unit],
  };
}

const clampTo = (v, low, high) => Math.min(high, Math.max(low, v));

// Let a person drag a node, or move it with the arrow keys: move(x, y) in data units, then end().
function draggable(node, place, at, move, end) {
  node.onpointerdown = (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    node.setPointerCapture(event.pointerId);
    node.focus();
    node.dataset.held = "";
  };
  node.onpointermove = (event) => {
    if (!("held" in node.dataset)) return;
    const box = node.ownerSVGElement.getBoundingClientRect();
    move(...place().invert(event.clientX - box.left, event.clientY - box.top));
  };
  node.onpointerup = node.onpointercancel = () => {
    if (!("held" in node.dataset)) return;
    delete node.dataset.held;
    end();
  };
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  node.onkeydown = (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = at();
    move(x + 0.05 * step[0], y + 0.05 * step[1]);
  };
  node.onkeyup = (event) => event.key in STEPS && end();
}
