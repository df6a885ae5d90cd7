// Turns the camera slowly round an object that stands and waits, until somebody touches the player.

import { orbit } from "./camera.js";

const SPEED = 28; // pixels of a drag a second: a turn in half a minute
const TOUCHES = ["pointerdown", "keydown", "wheel", "touchstart"];

export class Turntable {
  // root: what touching stops it for good. stage: over which a pointer holds it. still: whether a
  // person wants little to move. touched: whether somebody has, before.
  constructor(root, stage, { still, touched }) {
    Object.assign(this, { still, touched, held: false });
    const stop = () => (this.touched = true);
    for (const touch of TOUCHES) root.addEventListener(touch, stop, { capture: true, passive: true });
    stage.addEventListener("pointerenter", () => (this.held = true));
    stage.addEventListener("pointerleave", () => (this.held = false));
  }

  // Whether it goes on turning. stands: whether what is shown is an object that waits.
  turns(stands) {
    return stands && !this.still && !this.touched;
  }

  // The camera dt seconds later.
  turned(camera, dt) {
    return this.held ? camera : orbit(camera, -SPEED * dt, 0);
  }
}
