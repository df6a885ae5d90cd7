// The cloud that was given to the model, and what of it a particle looks at.

import { attentionOf, halfOf } from "./attention.js";
import { drawCloud } from "./canvas2d.js";
import { HOME, frameBox, orbit, viewMatrix } from "./camera.js";
import { bounds } from "./format.js";
import { element, fitCanvas, setText } from "./dom.js";
import { css, mix } from "./theme.js";

const SWELL = 1.1; // by which of its size the point grows that is looked at most

export class InputCloud {
  constructor(invalidate) {
    this.camera = { ...HOME };
    this.canvas = element("canvas", { role: "img", "data-testid": "player-input" });
    this.caption = element("span.values");
    this.said = element("span", { "data-testid": "player-looking" });
    this.heads = element("select", {
      "aria-label": "By which head", "data-testid": "player-head", "data-unpainted": true,
      onchange: invalidate,
    });
    this.looking = element("p.looking", { hidden: true }, this.said, this.heads);
    this.root = element(
      "figure.input",
      {},
      element("figcaption", {}, element("h3", {}, "Input"), this.caption),
      this.canvas,
      this.looking,
    );
    this.canvas.addEventListener("pointerdown", (event) => this.canvas.setPointerCapture(event.pointerId));
    this.canvas.addEventListener("pointermove", (event) => {
      if (!event.buttons || this.cloud?.dim !== 3) return;
      this.camera = orbit(this.camera, event.movementX, event.movementY);
      invalidate();
    });
  }

  // run: whose cloud it is; name: what it is called. looks: {at, n}, the particle that is looked
  // with, and where in the run; null where none is.
  draw(run, name, looks, theme, dpr) {
    const cloud = run.input;
    this.cloud = cloud;
    const count = cloud.points.length / cloud.dim;
    this.caption.textContent = [name, `${count} points`].filter(Boolean).join(", ");
    this.canvas.setAttribute("aria-label", `Input cloud ${name} of ${count} points`);
    const paid = this.look(run, looks, count);
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (!width) return;
    fitCanvas(this.canvas, width, height, dpr);
    const c = this.canvas.getContext("2d");
    c.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const rect = { width: this.canvas.width, height: this.canvas.height };
    const box = frameBox(...bounds(cloud.points, cloud.dim));
    const matrix = viewMatrix(this.camera, box, cloud.dim, rect.width, rect.height);
    const radius = Math.max(1, 2.6 - count / 700) * dpr;
    const fading = cloud.dim === 3 ? 0.55 : 0;
    if (!paid) {
      drawCloud(c, cloud, matrix, rect, radius, (depth) => css(theme.text, 0.95 - fading * depth));
      return;
    }
    const most = Math.max(...paid);
    // What is looked at most is drawn last, over what lies around it.
    const order = [...paid.keys()].sort((m, k) => paid[m] - paid[k]);
    for (const m of order) {
      const share = paid[m] / most;
      const point = { points: cloud.points.subarray(m * cloud.dim, (m + 1) * cloud.dim), dim: cloud.dim };
      const colour = mix(theme.faint, theme.glow, share);
      drawCloud(c, point, matrix, rect, radius * (1 + SWELL * share * share), () => css(colour));
    }
  }

  // What is looked at, in words and as attention (points,); null where nobody looks.
  look(run, looks, count) {
    this.looking.hidden = !run.looked;
    if (!run.looked) return null;
    const { heads } = run.looked;
    if (this.heads.options.length !== heads + 1) {
      const names = ["mean of heads", ...Array.from({ length: heads }, (_, h) => `head ${h + 1}`)];
      this.heads.replaceChildren(...names.map((text, h) => element("option", { value: h }, text)));
    }
    this.heads.hidden = !looks || heads < 2;
    this.canvas.toggleAttribute("data-lit", Boolean(looks));
    if (!looks) {
      this.said.title = "";
      setText(this.said, "Click a particle: what does it look at?");
      return null;
    }
    const head = Number(this.heads.value) - 1;
    const paid = attentionOf(run, looks.at, looks.n, head < 0 ? null : head);
    const half = halfOf(paid);
    setText(this.said, `Particle ${looks.n + 1}: half on ${half} point${half === 1 ? "" : "s"}`);
    this.said.title = `Half of the attention that particle ${looks.n + 1} pays the ${count} points.`;
    return paid;
  }
}
