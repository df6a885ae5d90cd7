// Reads the bytes of docs/player-format.md, piece by piece as they arrive.

const VERSION = 3;
const LAST_CODE = 65534;
const NOT_FINITE = 65535;
const AIR = 0.12; // of the largest extent, on every side
export const TERM_NAMES = ["attraction", "repulsion", "through F"];

export class Run {
  constructor() {
    this.meta = null;
    this.pieces = []; // the bytes themselves, kept for saving; all arrays below are views on them
    this.chunks = [];
    this.steps = []; // recorded step numbers
    this.curves = []; // [{name, group, log, values: []}]
    this.status = "";
    this.maxError = 0; // largest rounding of a position
    this.low = null; // box of all particles so far
    this.high = null;
  }

  get frames() {
    return this.steps.length;
  }

  get count() {
    return this.meta.particles;
  }

  get dim() {
    return this.meta.dim;
  }

  append(bytes) {
    if (bytes.byteOffset % 4) bytes = bytes.slice(); // arrays must start at multiples of 4
    let at = 0;
    while (at < bytes.length) {
      if (bytes.length - at < 12) throw new Error("The recorded run is cut off.");
      const view = new DataView(bytes.buffer, bytes.byteOffset + at);
      const tag = String.fromCharCode(...bytes.subarray(at, at + 4));
      const [textSize, payloadSize] = [view.getUint32(4, true), view.getUint32(8, true)];
      at += 12;
      if (bytes.length - at < textSize + payloadSize) throw new Error("The recorded run is cut off.");
      const meta = JSON.parse(new TextDecoder().decode(bytes.subarray(at, at + textSize)));
      const payload = { buffer: bytes.buffer, start: bytes.byteOffset + at + textSize, size: payloadSize };
      at += textSize + payloadSize;
      if (tag === "DQFH") this.readHeader(meta, payload);
      else if (tag === "DQFC") this.readChunk(meta, payload);
      else throw new Error("This is not a recorded run of the flow player.");
    }
    this.pieces.push(bytes);
  }

  get bytes() {
    return this.pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  readHeader(meta, payload) {
    if (meta.version !== VERSION) throw new Error(`Unknown format version ${meta.version}.`);
    const take = reader(payload);
    this.meta = meta;
    this.input = meta.input && { points: take(Float32Array, product(meta.input)), dim: meta.input[1] };
    this.truth = meta.truth && { points: take(Float32Array, product(meta.truth)), dim: meta.truth[1] };
    if (this.truth) {
      const [low, high] = bounds(this.truth.points, this.truth.dim);
      this.grow({ low, high });
    }
    this.kept = meta.kept ? take(Uint8Array, meta.particles) : null;
    this.looked = meta.looked ? readLooked(meta, take) : null;
    this.curves = meta.curves.map((curve) => ({ ...curve, values: [] }));
  }

  readChunk(meta, payload) {
    const { particles: N, dim, classes } = this.meta;
    const T = meta.frames;
    const take = reader(payload);
    if (meta.first !== this.frames) throw new Error("The recorded run's pieces are out of order.");
    const steps = take(Int32Array, T);
    const curves = this.curves.map(() => take(Float32Array, T));
    const chunk = { first: meta.first, frames: T, fields: {} };
    if (classes) chunk.bars = take(Float32Array, T * classes.length);
    const quantised = meta.precision === "uint16";
    const widths = { particles: N * dim, ghost: N * dim, terms: TERM_NAMES.length * N * dim };
    if (this.looked) widths.queries = this.looked.heads * N * this.looked.width;
    for (const [name, width] of Object.entries(widths)) {
      if (this.meta[name] === false) continue;
      const axes = name === "queries" ? this.looked.width : dim;
      const data = take(quantised ? Uint16Array : Float32Array, T * width);
      const [low, high] = quantised ? meta.boxes[name] : bounds(data, axes);
      const scale = low.map((l, k) => (quantised ? (high[k] - l) / LAST_CODE : 1));
      const offset = quantised ? low : low.map(() => 0);
      chunk.fields[name] = { data, quantised, width, offset, scale, low, high };
      if (name === "queries") continue; // no positions
      this.maxError = Math.max(this.maxError, meta.max_error[name] ?? 0);
    }
    // Only now is the chunk known to be whole.
    if (T > 0) {
      this.chunks.push(chunk);
      for (const step of steps) this.steps.push(step);
      curves.forEach((values, k) => this.curves[k].values.push(...values));
      for (const name of ["particles", "ghost"]) this.grow(chunk.fields[name]);
    }
    if (meta.status) this.status = meta.status;
  }

  grow(field) {
    if (!field) return;
    this.low = field.low.map((x, k) => Math.min(x, this.low?.[k] ?? x));
    this.high = field.high.map((x, k) => Math.max(x, this.high?.[k] ?? x));
  }

  // The box worth showing: of all there is; where particles fill in a cloud, of the whole cloud,
  // or where nobody knows that, of the known part and of where they are last, with some air,
  // rather than of the noise they began as.
  extent() {
    if (!this.kept || !this.frames) return { low: this.low, high: this.high };
    const points = this.truth ? [...this.truth.points] : [];
    for (let n = 0; n < this.count; n++) {
      if (this.truth && !this.kept[n]) continue;
      points.push(...this.point("particles", this.frames - 1, n).slice(0, this.dim));
    }
    const [low, high] = bounds(points, this.dim);
    const air = AIR * Math.max(...high.map((h, k) => h - low[k]));
    return { low: low.map((l) => l - air), high: high.map((h) => h + air) };
  }

  // The chunk of a frame and the frame's place in it.
  find(frame) {
    let [a, b] = [0, this.chunks.length - 1];
    while (a < b) {
      const middle = (a + b + 1) >> 1;
      if (this.chunks[middle].first <= frame) a = middle;
      else b = middle - 1;
    }
    return { chunk: this.chunks[a], index: frame - this.chunks[a].first };
  }

  // Frames on either side of a step number, and how far (0 ... 1) from one to the other it lies.
  locate(step) {
    const { steps } = this;
    let [a, b] = [0, steps.length - 1];
    if (b === 0) return { a, b, u: 0 };
    if (step >= steps[b]) return { a: b - 1, b, u: 1 };
    while (b - a > 1) {
      const middle = (a + b) >> 1;
      if (steps[middle] <= step) a = middle;
      else b = middle;
    }
    const u = Math.max(0, (step - steps[a]) / (steps[b] - steps[a]));
    return { a, b, u };
  }

  // Coordinate triple of entry n of a field at one frame; a missing third coordinate is 0.
  point(name, frame, n, out = [0, 0, 0]) {
    const { chunk, index } = this.find(frame);
    const { data, quantised, width, offset, scale } = chunk.fields[name];
    const at = index * width + n * this.dim;
    out[2] = 0;
    for (let k = 0; k < this.dim; k++) {
      const code = data[at + k];
      out[k] = quantised && code === NOT_FINITE ? NaN : offset[k] + code * scale[k];
    }
    return out;
  }

  // The same between two frames.
  between(name, { a, b, u }, n, out = [0, 0, 0]) {
    this.point(name, a, n, out);
    if (u > 0) {
      const next = this.point(name, b, n, SCRATCH);
      for (let k = 0; k < 3; k++) out[k] += u * (next[k] - out[k]);
    }
    return out;
  }

  bars(frame) {
    const { chunk, index } = this.find(frame);
    const C = this.meta.classes.length;
    return chunk.bars.subarray(index * C, (index + 1) * C);
  }

  prediction(frame) {
    const bars = this.bars(frame);
    let best = 0;
    for (let c = 1; c < bars.length; c++) if (bars[c] > bars[best]) best = c;
    return best;
  }
}

const SCRATCH = [0, 0, 0];

// Keys as numbers, (heads, tokens, width), and rows of shares (tokens, points) that sum to one.
function readLooked(meta, take) {
  const { heads, tokens, width, box, shares } = meta.looked;
  const codes = take(Uint16Array, heads * tokens * width);
  const [low, high] = box;
  const keys = Float32Array.from(codes, (code, k) => {
    const axis = k % width;
    return low[axis] + (code * (high[axis] - low[axis])) / LAST_CODE;
  });
  if (!shares) return { heads, tokens, width, keys, shares: null };
  const points = meta.input[0];
  const rows = Float32Array.from(take(Uint8Array, tokens * points));
  for (let c = 0; c < tokens; c++) {
    const row = rows.subarray(c * points, (c + 1) * points);
    const sum = row.reduce((a, b) => a + b, 0) || 1;
    row.forEach((part, m) => (row[m] = part / sum));
  }
  return { heads, tokens, width, keys, shares: rows };
}

// The last recorded frame at or before a place found by `locate`.
export function frameOf({ a, b, u }) {
  return u >= 1 ? b : a;
}

function reader({ buffer, start, size }) {
  let at = 0;
  return (Type, count) => {
    const bytes = count * Type.BYTES_PER_ELEMENT;
    if (at + bytes > size) throw new Error("The recorded run is damaged: an array is cut short.");
    const array = new Type(buffer, start + at, count);
    at += Math.ceil(bytes / 4) * 4;
    return array;
  };
}

function product(shape) {
  return shape.reduce((a, b) => a * b, 1);
}

export function bounds(data, dim) {
  const low = new Array(dim).fill(Infinity);
  const high = new Array(dim).fill(-Infinity);
  for (let i = 0; i < data.length; i++) {
    const x = data[i];
    if (!Number.isFinite(x)) continue;
    if (x < low[i % dim]) low[i % dim] = x;
    if (x > high[i % dim]) high[i % dim] = x;
  }
  return low[0] > high[0] ? [low.map(() => 0), high.map(() => 0)] : [low, high];
}
