// The cloud that was given to the model.

import { drawCloud } from "./canvas2d.js";
import { HOME, frameBox, orbit, viewMatrix } from "./camera.js";
import { bounds } from "./format.js";
import { element, fitCanvas } from "./dom.js";
import { css } from "./theme.js";

export class InputCloud {
  constructor(invalidate) {
    this.camera = { ...HOME };
    this.canvas = element("canvas", { role: "img", "data-testid": "player-input" });
    this.caption = element("span.values");
    this.root = element(
      "figure.input",
      {},
      element("figcaption", {}, element("h3", {}, "Input"), this.caption),
      this.canvas,
    );
    this.canvas.addEventListener("pointerdown", (event) => this.canvas.setPointerCapture(event.pointerId));
    this.canvas.addEventListener("pointermove", (event) => {
      if (!event.buttons || this.cloud?.dim !== 3) return;
      this.camera = orbit(this.camera, event.movementX, event.movementY);
      invalidate();
    });
  }

  // name: whose cloud it is.
  draw(cloud, name, theme, dpr) {
    this.cloud = cloud;
    const count = cloud.points.length / cloud.dim;
    this.caption.textContent = [name, `${count} points`].filter(Boolean).join(", ");
    this.canvas.setAttribute("aria-label", `Input cloud ${name} of ${count} points`);
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
    drawCloud(c, cloud, matrix, rect, radius, (depth) => css(theme.text, 0.95 - fading * depth));
  }
}
