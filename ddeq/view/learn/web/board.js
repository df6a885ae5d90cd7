// A board with clouds, lines and arrows; points may be dragged, and lines between points follow.

class Board {
  constructor(parent) {
    Object.assign(this, makeFigure(parent, () => this.root.clientWidth !== this.width && this.draw()));
    this.root.dataset.testid = "learn-board";
  }

  show(data, send) {
    this.send = send;
    if (data.serial === this.data?.serial) return;
    this.data = data;
    this.draw();
  }

  point([group, index]) {
    return this.data.groups[group].points[index];
  }

  draw() {
    const { data, root, sheet, hint } = this;
    if (!data || !root.clientWidth) return;
    const focused = document.activeElement?.closest(".learn-figure .dot")?.dataset.testid;
    this.place = fit(root, data.bounds, data.height);
    const { width, height } = this.place;
    this.width = root.clientWidth;
    sheet.setAttribute("viewBox", `0 0 ${width} ${height}`);
    sheet.setAttribute("height", height);
    sheet.setAttribute("aria-label", data.alt);
    sheet.replaceChildren(svg("title", {}, data.alt));
    hint.textContent = data.hint;
    this.axes();
    this.lines = data.lines.map((line) => {
      const node = svg("line", { class: "plan", "data-term": line.term, "stroke-width": line.width });
      sheet.append(node);
      return { ...line, node };
    });
    data.arrows.forEach((arrow) => this.arrow(arrow));
    data.groups.forEach((group, g) => group.points.forEach((_, k) => this.dot(group, g, k)));
    this.follow();
    if (focused) sheet.querySelector(`[data-testid="${focused}"]`)?.focus(); // as it is another node
  }

  axes() {
    const { place, sheet, data } = this;
    const [x0, x1, y0, y1] = data.bounds;
    for (const [a, b] of [[[x0, 0], [x1, 0]], [[0, y0], [0, y1]]]) {
      sheet.append(svg("line", {
        class: "axis", x1: place.x(a[0]), y1: place.y(a[1]), x2: place.x(b[0]), y2: place.y(b[1]),
      }));
    }
  }

  dot(group, g, k) {
    const node = svg("g", {
      class: `dot free ${group.look}`, "data-term": group.term, "data-testid": `${group.name}-${k}`,
    });
    node.append(svg("circle", { r: 16, class: "reach" }), svg("circle", { r: group.size }));
    group.nodes ??= [];
    group.nodes[k] = node;
    node.setAttribute("tabindex", 0);
    node.setAttribute("role", "button");
    node.setAttribute("aria-label", `${group.label} ${k + 1}: drag, or move with arrow keys`);
    const [x0, x1, y0, y1] = this.data.bounds;
    draggable(
      node, () => this.place, () => group.points[k],
      (x, y) => {
        group.points[k] = [clampTo(x, x0, x1), clampTo(y, y0, y1)];
        this.follow();
      },
      () => this.send("moved", {
        group: group.name, index: k, x: group.points[k][0], y: group.points[k][1],
      }),
    );
    this.sheet.append(node);
  }

  arrow({ from, to, term, label, side }) {
    const { place, sheet } = this;
    const [ax, ay, bx, by] = [place.x(from[0]), place.y(from[1]), place.x(to[0]), place.y(to[1])];
    const length = Math.hypot(bx - ax, by - ay);
    if (length < 1) return;
    const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
    const head = Math.min(11, length / 2);
    const [cx, cy] = [bx - head * ux, by - head * uy];
    const node = svg("g", { class: "arrow", "data-term": term });
    node.append(
      svg("line", { x1: ax, y1: ay, x2: cx, y2: cy }),
      svg("path", {
        d: `M${bx} ${by}L${cx - (head / 2) * uy} ${cy + (head / 2) * ux}L${cx + (head / 2) * uy} ${cy - (head / 2) * ux}Z`,
      }),
    );
    if (label) {
      const [nx, ny] = [-(side ?? 1) * uy, (side ?? 1) * ux]; // beside the middle of the arrow
      node.append(svg("text", {
        x: (ax + bx) / 2 + 12 * nx, y: (ay + by) / 2 + 14 * ny + 4,
        "text-anchor": nx > 0.3 ? "start" : nx < -0.3 ? "end" : "middle",
      }, label));
    }
    sheet.append(node);
  }

  follow() {
    const { place } = this;
    for (const { a, b, node } of this.lines) {
      const [p, q] = [this.point(a), this.point(b)];
      const ends = { x1: place.x(p[0]), y1: place.y(p[1]), x2: place.x(q[0]), y2: place.y(q[1]) };
      for (const [name, value] of Object.entries(ends)) node.setAttribute(name, value);
    }
    for (const group of this.data.groups) {
      group.points.forEach(([x, y], k) =>
        group.nodes[k].setAttribute("transform", `translate(${place.x(x)} ${place.y(y)})`),
      );
    }
  }
}

const BOARDS = new WeakMap(); // so that reruns keep the figure

export default function ({ data, parentElement, setTriggerValue }) {
  let board = BOARDS.get(parentElement);
  if (!board) BOARDS.set(parentElement, (board = new Board(parentElement)));
  board.show(data, setTriggerValue);
  return () => !parentElement.isConnected && board.resizes.disconnect();
}
