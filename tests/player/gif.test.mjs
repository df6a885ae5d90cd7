import assert from "node:assert/strict";
import test from "node:test";
import { encodeGif } from "../../ddeq/view/player/web/gif.js";

// An independent LZW reader, after the GIF89a specification.
function unlzw(bytes, minimum) {
  const [clear, end] = [1 << minimum, (1 << minimum) + 1];
  const out = [];
  let [table, width, previous, bit] = [[], minimum + 1, null, 0];
  const reset = () => {
    table = [...Array(end + 1).keys()].map((k) => [k]);
    width = minimum + 1;
    previous = null;
  };
  reset();
  for (;;) {
    let code = 0;
    for (let k = 0; k < width; k++, bit++) code |= ((bytes[bit >> 3] >> (bit & 7)) & 1) << k;
    if (code === end) return out;
    if (code === clear) {
      reset();
      continue;
    }
    assert.ok(code <= table.length, "a code that cannot be known yet");
    const entry = code < table.length ? table[code] : [...previous, previous[0]];
    out.push(...entry);
    if (previous && table.length < 4096) table.push([...previous, entry[0]]);
    if (table.length === 1 << width && width < 12) width++;
    previous = entry;
  }
}

function random(seed) {
  return () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
}

// Reads the frames of a GIF file back to RGB pixels.
function readGif(bytes) {
  assert.equal(String.fromCharCode(...bytes.slice(0, 6)), "GIF89a");
  const short = (at) => bytes[at] | (bytes[at + 1] << 8);
  const [width, height] = [short(6), short(8)];
  const colours = 2 << (bytes[10] & 7);
  const palette = bytes.slice(13, 13 + 3 * colours);
  let at = 13 + palette.length;
  let transparent = null;
  const frames = [];
  const delays = [];
  let shown = new Array(width * height).fill(null);
  while (bytes[at] !== 0x3b) {
    if (bytes[at] === 0x21) {
      if (bytes[at + 1] === 0xf9) {
        delays.push(short(at + 4));
        transparent = bytes[at + 6];
      }
      at += 2;
      while (bytes[at]) at += bytes[at] + 1;
      at++;
    } else {
      assert.equal(bytes[at], 0x2c);
      assert.deepEqual([short(at + 1), short(at + 3), short(at + 5), short(at + 7)], [0, 0, width, height]);
      const minimum = bytes[at + 10];
      at += 11;
      const data = [];
      while (bytes[at]) {
        data.push(...bytes.slice(at + 1, at + 1 + bytes[at]));
        at += bytes[at] + 1;
      }
      at++;
      const indices = unlzw(data, minimum);
      assert.equal(indices.length, width * height);
      shown = shown.map((old, i) => (indices[i] === transparent ? old : [...palette.slice(3 * indices[i], 3 * indices[i] + 3)]));
      frames.push(shown);
    }
  }
  return { width, height, frames, delays };
}

test("pictures read back, short and long, regular and not", () => {
  const next = random(1);
  const inputs = [
    [0],
    [249, 249],
    new Array(5000).fill(7),
    Array.from({ length: 20_000 }, (_, k) => k % 250),
    Array.from({ length: 60_000 }, () => Math.floor(next() * 250)),
    Array.from({ length: 60_000 }, () => (next() < 0.9 ? 3 : Math.floor(next() * 250))),
  ];
  const colour = (v) => [8 * (v % 32), 32 * Math.floor(v / 32), 0]; // far enough apart to be kept
  for (const input of inputs) {
    const data = Uint8ClampedArray.from(input.flatMap((v) => [...colour(v), 255]));
    const { frames } = readGif(encodeGif([{ data, width: input.length, height: 1 }], 5));
    assert.deepEqual(frames[0].map((rgb) => [...rgb]), input.map(colour));
  }
});

test("an animation reads back with its sizes, delays and colours", () => {
  const [width, height] = [17, 9];
  const colours = [[255, 255, 255], [31, 104, 173], [213, 94, 0], [20, 23, 28]];
  const frames = [0, 1, 2].map((f) => {
    const data = new Uint8ClampedArray(width * height * 4);
    for (let i = 0; i < width * height; i++) data.set([...colours[(i * (f + 1) + f) % 4], 255], 4 * i);
    return { data, width, height };
  });
  const gif = readGif(encodeGif(frames, 7));
  assert.deepEqual([gif.width, gif.height, gif.delays], [width, height, [7, 7, 7]]);
  gif.frames.forEach((pixels, f) => {
    pixels.forEach((rgb, i) => assert.deepEqual(rgb, [...frames[f].data.slice(4 * i, 4 * i + 3)]));
  });
});

test("more colours than a palette holds come out close", () => {
  const [width, height] = [64, 64];
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) data.set([(i % 64) * 4, (i >> 6) * 4, 128, 255], 4 * i);
  const { frames } = readGif(encodeGif([{ data, width, height }], 5));
  let total = 0;
  frames[0].forEach((rgb, i) => rgb.forEach((v, k) => (total += Math.abs(v - data[4 * i + k]))));
  assert.ok(total / (width * height * 3) < 8);
});
