// Writes animated GIF files (GIF89a): one palette for all frames, LZW, unchanged pixels transparent.

const TRANSPARENT = 255; // palette entry that is never painted
const COLOURS_USED = 255;

// frames: [{data: RGBA bytes, width, height}], all of one size. delay in 1/100 s.
export function encodeGif(frames, delay) {
  const { width, height } = frames[0];
  const { palette, nearest } = makePalette(frames);
  const out = new ByteList();
  out.text("GIF89a");
  out.short(width);
  out.short(height);
  out.bytes([0xf7, 0, 0]); // a global table of 256 colours
  out.bytes(palette);
  out.bytes([0x21, 0xff, 11]);
  out.text("NETSCAPE2.0");
  out.bytes([3, 1, 0, 0, 0]); // repeat for ever
  let shown = null;
  for (const frame of frames) {
    const indices = indexed(frame.data, nearest);
    const painted = shown ? indices.map((v, i) => (v === shown[i] ? TRANSPARENT : v)) : indices;
    out.bytes([0x21, 0xf9, 4, 0x05]); // leave in place, with a transparent colour
    out.short(delay);
    out.bytes([TRANSPARENT, 0, 0x2c]);
    for (const value of [0, 0, width, height]) out.short(value);
    out.bytes([0, 8]);
    const packed = lzw(painted, 8);
    for (let at = 0; at < packed.length; at += 255) {
      const block = packed.subarray(at, at + 255);
      out.bytes([block.length]);
      out.bytes(block);
    }
    out.bytes([0]);
    shown = indices;
  }
  out.bytes([0x3b]);
  return out.result();
}

// The most frequent colours, at 5 bits a channel, over a few frames.
function makePalette(frames) {
  const counts = new Map();
  const stride = Math.ceil(frames.length / 6);
  for (let f = 0; f < frames.length; f += stride) {
    const { data } = frames[f];
    for (let i = 0; i < data.length; i += 4) {
      const key = bin(data, i);
      const entry = counts.get(key);
      if (entry) entry.count++;
      else counts.set(key, { key, count: 1, rgb: [data[i], data[i + 1], data[i + 2]] });
    }
  }
  const common = [...counts.values()].sort((a, b) => b.count - a.count);
  // Half by frequency, half spread over what is left, so that rare accents survive.
  const chosen = common.slice(0, COLOURS_USED >> 1);
  const rest = common.slice(chosen.length);
  while (chosen.length < COLOURS_USED && rest.length) {
    let far = 0;
    let farthest = -1;
    const step = Math.ceil(rest.length / 64);
    for (let r = 0; r < rest.length; r += step) {
      const distance = Math.min(...chosen.map(({ rgb }) => gap(rgb, rest[r].rgb)));
      if (distance > farthest) [far, farthest] = [r, distance];
    }
    chosen.push(...rest.splice(far, 1));
  }
  const palette = new Uint8Array(256 * 3);
  chosen.forEach(({ rgb }, k) => palette.set(rgb, 3 * k));
  const cache = new Map(chosen.map(({ key }, k) => [key, k]));
  const nearest = (data, i) => {
    const key = bin(data, i);
    let found = cache.get(key);
    if (found === undefined) {
      const rgb = [data[i], data[i + 1], data[i + 2]];
      found = 0;
      chosen.forEach((entry, k) => {
        if (gap(entry.rgb, rgb) < gap(chosen[found].rgb, rgb)) found = k;
      });
      cache.set(key, found);
    }
    return found;
  };
  return { palette, nearest };
}

function bin(data, i) {
  return ((data[i] >> 3) << 10) | ((data[i + 1] >> 3) << 5) | (data[i + 2] >> 3);
}

function gap([r, g, b], [R, G, B]) {
  return 2 * (r - R) ** 2 + 4 * (g - G) ** 2 + (b - B) ** 2;
}

function indexed(data, nearest) {
  const indices = new Uint8Array(data.length / 4);
  for (let i = 0; i < indices.length; i++) indices[i] = nearest(data, 4 * i);
  return indices;
}

// Variable-width LZW codes, lowest bit first. A table key is (code of the prefix, next value).
export function lzw(values, minimum) {
  const clear = 1 << minimum;
  const out = new ByteList();
  let table = new Map();
  let next = clear + 2;
  let width = minimum + 1;
  let [buffer, filled] = [0, 0];
  const emit = (code) => {
    buffer |= code << filled;
    filled += width;
    while (filled >= 8) {
      out.byte(buffer & 255);
      buffer >>>= 8;
      filled -= 8;
    }
  };
  emit(clear);
  let prefix = values[0];
  for (let i = 1; i < values.length; i++) {
    const key = (prefix << 8) | values[i];
    const known = table.get(key);
    if (known !== undefined) {
      prefix = known;
      continue;
    }
    emit(prefix);
    if (next < 4096) {
      if (next === 1 << width) width++;
      table.set(key, next++);
    } else {
      emit(clear);
      table = new Map();
      next = clear + 2;
      width = minimum + 1;
    }
    prefix = values[i];
  }
  emit(prefix);
  if (next === 1 << width && width < 12) width++;
  emit(clear + 1);
  if (filled > 0) out.byte(buffer & 255);
  return out.result();
}

class ByteList {
  constructor() {
    this.data = new Uint8Array(1 << 16);
    this.length = 0;
  }

  byte(value) {
    if (this.length === this.data.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.data);
      this.data = larger;
    }
    this.data[this.length++] = value;
  }

  bytes(values) {
    for (const value of values) this.byte(value);
  }

  short(value) {
    this.bytes([value & 255, value >> 8]);
  }

  text(value) {
    this.bytes([...value].map((c) => c.charCodeAt(0)));
  }

  result() {
    return this.data.slice(0, this.length);
  }
}
