// Plays by itself: waits until what is shown has been solved, plays it once more with one particle
// pinned, rests, and asks the page for the next scene; until somebody touches anything.

const TOUCHES = ["pointerdown", "keydown", "wheel"];
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

class Demo {
  constructor(parent) {
    this.badge = document.createElement("p");
    this.badge.className = "badge";
    this.badge.popover = "manual";
    this.badge.role = "status";
    this.badge.dataset.testid = "demo";
    const title = document.createElement("b");
    title.textContent = "Demo";
    this.badge.append(title, " · touch anything to take over");
    parent.append(this.badge);
    this.badge.showPopover();
    this.onTouch = (event) => event.isTrusted && this.stop();
    for (const kind of TOUCHES) window.addEventListener(kind, this.onTouch, { capture: true, passive: true });
  }

  // What the page now shows; the same again where it has been run for another reason.
  show(data, setTriggerValue) {
    this.tell = setTriggerValue;
    this.data = data;
    if (this.over || data.place === this.place) return;
    this.place = data.place;
    this.enter(this.solving);
  }

  get player() {
    return globalThis.ddeqPlayers?.get(this.data.player)?.player;
  }

  // A state is asked, as often as the page is drawn and so only while it is seen, which state comes
  // next: itself, another, or null at the scene's end. It is given the seconds since it began.
  enter(state) {
    cancelAnimationFrame(this.frame);
    const began = performance.now();
    const look = (now) => {
      const next = state.call(this, (now - began) / 1000);
      if (next === state) this.frame = requestAnimationFrame(look);
      else if (next) this.enter(next);
    };
    this.frame = requestAnimationFrame(look);
  }

  solving(seconds) {
    if (seconds > this.data.patience) return this.leave();
    const { player } = this;
    const run = player?.runs[0];
    if (!run?.status || run.meta.label !== this.data.name) return this.solving;
    const { live, playing, time, last } = player.clock;
    return live || playing || time < last ? this.solving : this.solved;
  }

  solved(seconds) {
    if (seconds < this.data.before) return this.solved;
    if (still()) return this.ended;
    this.player?.pinNext();
    this.player?.actions.toggle();
    return this.replaying;
  }

  replaying(seconds) {
    const plays = seconds < this.data.patience && this.player?.clock.playing;
    return plays ? this.replaying : this.ended;
  }

  ended(seconds) {
    return seconds < this.data.after ? this.ended : this.leave();
  }

  leave() {
    this.player?.unpin();
    this.tell("next", true);
    return null;
  }

  stop() {
    this.player?.unpin();
    this.end();
    this.tell("stop", true);
  }

  end() {
    if (this.over) return;
    this.over = true;
    cancelAnimationFrame(this.frame);
    this.badge.remove();
    for (const kind of TOUCHES) window.removeEventListener(kind, this.onTouch, { capture: true });
  }
}

const DEMOS = new WeakMap(); // so that reruns go on with what they find

export default function ({ data, parentElement, setTriggerValue }) {
  const demo = DEMOS.get(parentElement) ?? new Demo(parentElement);
  DEMOS.set(parentElement, demo);
  demo.show(data, setTriggerValue);
  return () => !parentElement.isConnected && demo.end();
}
