// The one clock all views follow. Its time is a step number, fractional between recorded steps.

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4, 8];
const RUN_SECONDS = 8; // a whole run at speed 1
const FOLLOW_RATE = 10; // 1/s, how quickly "follow live" catches up
const FOLLOW_SECONDS = 2; // ... but a whole run takes so long, so that a swift one is seen to flow

export class Clock {
  constructor() {
    this.first = 0;
    this.last = 0;
    this.time = 0;
    this.speed = 1;
    this.playing = false;
    this.live = false; // the solver still runs
    this.following = false; // stay with its newest step
    this.smooth = true; // glide to it; else jump
    this.loop = null; // [from, to] or null
  }

  get rate() {
    return Math.min(30, Math.max(4, (this.last - this.first) / RUN_SECONDS));
  }

  setRange(first, last) {
    this.first = first;
    this.last = last;
    this.time = clamp(this.time, first, last);
    if (this.loop) this.loop = this.loop.map((t) => clamp(t, first, last));
  }

  seek(time) {
    this.time = clamp(time, this.first, this.last);
    this.following = false;
  }

  follow() {
    this.following = true;
    this.playing = false;
  }

  play() {
    const end = this.loop ? this.loop[1] : this.last;
    if (this.time >= end && !this.live) this.time = this.loop ? this.loop[0] : this.first;
    this.playing = true;
    this.following = false;
  }

  pause() {
    this.playing = false;
    this.following = false;
  }

  // Advance by dt seconds; true while the time still moves.
  tick(dt) {
    if (this.following) {
      const gap = this.last - this.time;
      const arrived = gap < 0.25 || !this.smooth;
      const most = (dt * (this.last - this.first)) / FOLLOW_SECONDS;
      const glide = Math.min(most, gap * (1 - Math.exp(-FOLLOW_RATE * dt)));
      this.time = arrived ? this.last : this.time + glide;
      if (gap === 0 && !this.live) this.following = false;
      return gap > 0;
    }
    if (!this.playing) return false;
    this.time += dt * this.rate * this.speed;
    if (this.loop && this.time > this.loop[1]) {
      const [from, to] = this.loop;
      this.time = to > from ? from + ((this.time - to) % (to - from)) : from;
    } else if (this.time >= this.last) {
      this.time = this.last;
      if (!this.live) this.playing = false;
    }
    return true;
  }

  faster() {
    this.speed = SPEEDS.find((s) => s > this.speed) ?? this.speed;
  }

  slower() {
    this.speed = SPEEDS.findLast((s) => s < this.speed) ?? this.speed;
  }
}

// The neighbour of `time` among sorted recorded steps, in direction +1 or -1.
export function neighbour(steps, time, direction) {
  const found =
    direction > 0 ? steps.find((s) => s > time + 1e-9) : steps.findLast((s) => s < time - 1e-9);
  return found ?? (direction > 0 ? steps.at(-1) : steps[0]);
}

export function clamp(x, low, high) {
  return Math.min(high, Math.max(low, x));
}
