// Touching particles: one is dragged and let go, or all are shaken, two merged, one added or removed.
// The page is told, and has the solver go on from there.

import { project } from "./camera.js";
import { element, setAttribute } from "./dom.js";
import { frameOf } from "./format.js";
import { css } from "./theme.js";

const OF_ONE = "Pin a particle first: click it.";

export class Touching {
  // player: which particles are pinned and where they are, and whom to tell, `player.onTouch`.
  constructor(player) {
    this.player = player;
    this.held = null; // {k, n, from, to}: particle n of run k, and where it is dragged to
    this.canvas = element("canvas.over", { hidden: true, "data-testid": "player-held" });
    const button = (kind, text) =>
      element("button", { type: "button", "data-testid": `player-${kind}`, onclick: () => this.tell(kind) }, text);
    this.ofOne = [button("merge", "Merge with the nearest"), button("remove", "Remove")];
    this.hint = element("span", {}, "Drag a particle and let go, or");
    this.root = element(
      "div.touching",
      { role: "group", "aria-label": "Touch particles", hidden: true, "data-unpainted": true, "data-testid": "player-touching" },
      this.hint, button("shake", "Shake all"), button("add", "Add one"), ...this.ofOne,
    );
    const { stage } = player;
    stage.onGrab = (x, y) => this.grab(x, y);
    stage.onDrag = (x, y) => this.drag(x, y);
    stage.onDrop = () => this.drop();
    stage.onLetGo = () => this.letGo();
  }

  update() {
    const { player } = this;
    this.root.hidden = !player.onTouch || player.clock.live;
    const none = !player.inspector.pin;
    for (const button of this.ofOne) {
      button.disabled = none;
      setAttribute(button, "title", none ? OF_ONE : "");
    }
  }

  // Take hold of what is under the pointer; whether there is something.
  grab(x, y) {
    const { player } = this;
    const { stage, inspector, dpr } = player;
    if (!player.onTouch || player.clock.live || !stage.views || player.cutting.picks) return false;
    const found = inspector.find(stage.views, stage.rects, x, y, dpr);
    if (!found) return false;
    const { run, at } = stage.views[found.k];
    const from = run.point("particles", frameOf(at), found.n, [0, 0, 0]);
    this.held = { ...found, from, to: from, start: [x, y] };
    return true;
  }

  // Where it is now: moved across the view, as far away as it was.
  drag(x, y) {
    const { player, held } = this;
    const view = player.stage.views[held.k];
    if (player.clock.playing) player.clock.pause();
    const m = view.matrix;
    const row = (k) => [m[k], m[4 + k], m[8 + k]];
    const w = held.from.reduce((sum, p, k) => sum + row(3)[k] * p, m[15]);
    const { rect } = view;
    const dpr = player.dpr;
    const across = [(2 * (x - held.start[0]) * dpr) / rect.width, (-2 * (y - held.start[1]) * dpr) / rect.height];
    held.to = held.from.map((p, axis) => {
      const shares = [0, 1].map((k) => {
        const along = row(k);
        const square = along.reduce((sum, a) => sum + a * a, 0) || 1;
        return (across[k] * w * along[axis]) / square;
      });
      return p + shares[0] + shares[1];
    });
    this.draw(view);
  }

  drop() {
    const { held, player } = this;
    const { dim } = player.runs[held.k];
    this.letGo();
    this.tell("throw", { run: held.k, particle: held.n, to: held.to.slice(0, dim) });
  }

  letGo() {
    this.held = null;
    this.canvas.hidden = true;
  }

  tell(kind, more = {}) {
    const { player } = this;
    const pin = player.inspector.pin;
    const run = more.run ?? pin?.k ?? player.runs.length - 1;
    const step = player.runs[run].steps[frameOf(player.places()[run])];
    player.onTouch?.({ kind, step, run, particle: pin?.n ?? 0, ...more });
  }

  draw({ matrix, rect, look }) {
    const { canvas, held, player } = this;
    const c = canvas.getContext("2d");
    canvas.hidden = false;
    c.clearRect(0, 0, canvas.width, canvas.height);
    const [from, to] = [held.from, held.to].map((p) => {
      const [x, y] = project(matrix, p, rect.width, rect.height, [0, 0, 0]);
      return [rect.x + x, rect.y + y];
    });
    c.strokeStyle = c.fillStyle = css(player.theme.accent);
    c.lineWidth = 1.5 * player.dpr;
    c.setLineDash([4 * player.dpr, 4 * player.dpr]);
    c.beginPath();
    c.moveTo(...from);
    c.lineTo(...to);
    c.stroke();
    c.beginPath();
    c.arc(...to, look.size * 0.7, 0, 7);
    c.fill();
  }
}
