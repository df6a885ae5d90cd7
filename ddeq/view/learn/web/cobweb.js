// A cobweb: a map and the diagonal, a walk between them, a start and a slope to drag.
// The same maps as in ddeq/learn/maps.py, here because they have to answer while one drags.

const COBWEB_MAPS = {
  line: (s) => (x) => 0.4 + s * (x - 0.4),
  neuron: (s) => (x) => Math.tanh(s * x + 0.2),
};
const HANDLE = 1.4; // how far right of the pivot the slope is held
const WORLD = [-2, 2, -2, 2];
const REDRAWN = 350; // ms a step of the animation takes

class Cobweb {
  constructor(parent) {
    Object.assign(this, makeFigure(parent, () => this.draw()));
    this.root.dataset.testid = "learn-cobweb";
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.build();
  }

  show(data, send) {
    this.send = send;
    if (data.serial === this.data?.serial) return;
    this.data = data;
    [this.start, this.slope] = [data.start, data.slope];
    this.play();
  }

  // Show the walk step by step, from its first one.
  play() {
    clearTimeout(this.timer);
    this.shown = this.still ? Infinity : 0;
    const next = () => {
      this.shown += 1;
      this.draw();
      if (this.shown < this.data.steps) this.timer = setTimeout(next, REDRAWN / (1 + this.shown / 4));
    };
    next();
  }

  pivot() {
    return this.data.map === "line" ? 0.4 : 0;
  }

  draw() {
    const { data, root, sheet, hint } = this;
    if (!data || !root.clientWidth) return;
    const place = (this.place = fit(root, WORLD, data.height));
    const f = COBWEB_MAPS[data.map](this.slope);
    this.title.textContent = data.alt;
    sheet.setAttribute("aria-label", data.alt);
    sheet.setAttribute("viewBox", `0 0 ${place.width} ${place.height}`);
    sheet.setAttribute("height", place.height);
    const path = (points) => "M" + points.map(([x, y]) => `${place.x(x)} ${place.y(y)}`).join("L");
    const inside = ([x, y]) => Math.abs(x) < 50 && Math.abs(y) < 50;
    const grid = Array.from({ length: 201 }, (_, k) => -2 + k / 50);
    this.axes.setAttribute("d", path([[-2, 0], [2, 0]]) + path([[0, -2], [0, 2]]));
    for (const { node, at, dx, dy } of this.ticks) {
      node.setAttribute("x", place.x(at[0]) + dx);
      node.setAttribute("y", place.y(at[1]) + dy);
    }
    this.curve.setAttribute("d", path(grid.map((x) => [x, f(x)])));
    this.diagonal.setAttribute("d", path([[-2, -2], [2, 2]]));
    let x = this.start;
    const walk = [[x, 0]];
    const xs = [x];
    for (let k = 0; k < Math.min(data.steps, this.shown); k++) {
      const next = (1 - data.damping) * x + data.damping * f(x);
      walk.push([x, next], [next, next]);
      x = next;
      xs.push(x);
      if (!inside([x, x])) break;
    }
    this.web.setAttribute("d", path(walk));
    this.end.setAttribute("transform", `translate(${place.x(clampTo(x, -3, 3))} ${place.y(clampTo(x, -3, 3))})`);
    const put = (node, px, py) => node.setAttribute("transform", `translate(${place.x(px)} ${place.y(py)})`);
    put(this.from, this.start, 0);
    put(this.handle, ...this.handleAt());
    this.from.setAttribute("aria-valuenow", this.start.toFixed(2));
    this.handle.setAttribute("aria-valuenow", this.slope.toFixed(2));
    this.root.dataset.end = x.toFixed(4);
    const label = Math.abs(x) > 10 ? "it has flown off" : `after ${xs.length - 1} steps it is at ${x.toFixed(3)}`;
    hint.textContent = `From ${this.start.toFixed(2)} with slope ${this.slope.toFixed(2)}: ${label}.`;
  }

  // On the curve: for the line to the right of its pivot, for the neuron where it bends.
  handleAt() {
    const s = this.slope;
    if (this.data.map === "neuron") return [0.6, Math.tanh(0.6 * s + 0.2)];
    const reach = HANDLE / Math.hypot(1, s);
    return [this.pivot() + reach, 0.4 + s * reach];
  }

  slopeTo(x, y) {
    if (this.data.map === "neuron") {
      const t = clampTo(y, -0.98, 0.98);
      return clampTo((Math.atanh(t) - 0.2) / 0.6, -3, 3);
    }
    return clampTo((y - 0.4) / Math.max(0.35, x - 0.4), -3, 3);
  }

  // Once: what is held or has the focus stays while it is drawn anew.
  build() {
    this.title = svg("title");
    this.axes = svg("path", { class: "axis" });
    const tick = (v, at, dx, dy, anchor) => ({
      node: svg("text", { class: "tick", "text-anchor": anchor }, v), at, dx, dy,
    });
    this.ticks = [-1, 1].flatMap((v) => [
      tick(v, [v, 0], 0, 15, "middle"), tick(v, [0, v], -6, 4, "end"),
    ]);
    this.diagonal = svg("path", { class: "diagonal", "data-term": "diagonal" });
    this.curve = svg("path", { class: "curve", "data-term": "map" });
    this.web = svg("path", { class: "web", "data-term": "x" });
    this.end = svg("g", { class: "dot green", "data-term": "fixed" });
    this.end.append(svg("circle", { r: 5 }));
    this.from = this.knob("start", "x\u2080", "Start: drag, or move with left and right", "x");
    this.handle = this.knob("slope", "slope", "Slope: drag, or move with up and down", "map");
    this.sheet.append(this.title, this.axes, ...this.ticks.map(({ node }) => node));
    this.sheet.append(this.diagonal, this.curve, this.web, this.end, this.from, this.handle);
    const end = () => this.send("moved", { start: this.start, slope: this.slope });
    const all = (change) => (x, y) => {
      clearTimeout(this.timer);
      this.shown = Infinity;
      change(x, y);
      this.draw();
    };
    draggable(this.from, () => this.place, () => [this.start, 0],
      all((x) => (this.start = clampTo(x, -2, 2))), end);
    draggable(this.handle, () => this.place, () => this.handleAt(),
      all((x, y) => (this.slope = this.slopeTo(x, y))), end);
  }

  knob(name, label, description, term) {
    const node = svg("g", {
      class: `dot free ${name === "start" ? "blue" : "orange"}`, tabindex: 0, role: "slider",
      "aria-label": description, "data-testid": `cobweb-${name}`, "data-term": term,
    });
    node.append(svg("circle", { r: 18, class: "reach" }), svg("circle", { r: 8 }));
    node.append(svg("text", { x: 13, y: -8 }, label));
    return node;
  }
}

const COBWEBS = new WeakMap(); // so that reruns keep the figure

export default function ({ data, parentElement, setTriggerValue }) {
  let cobweb = COBWEBS.get(parentElement);
  if (!cobweb) COBWEBS.set(parentElement, (cobweb = new Cobweb(parentElement)));
  cobweb.show(data, setTriggerValue);
  return () => {
    if (parentElement.isConnected) return;
    clearTimeout(cobweb.timer);
    cobweb.resizes.disconnect();
  };
}
