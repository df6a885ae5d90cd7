// Writes animated GIF files: one palette for all frames, unchanged pixels transparent.

import gifenc from "./gifenc/gifenc.cjs";

const GIF_COLOURS = 255; // one more is never painted
const GIF_SAMPLED = 6; // frames that the palette is made from

// frames: [{data: RGBA bytes, width, height}], all of one size. delay in 1/100 s.
export function encodeGif(frames, delay) {
  const { width, height } = frames[0];
  const colours = gifenc.quantize(sampled(frames), GIF_COLOURS);
  const transparentIndex = colours.length;
  const gif = gifenc.GIFEncoder();
  let shown = null;
  for (const { data } of frames) {
    const indices = gifenc.applyPalette(data, colours);
    const painted = indices.map((v, i) => (v === shown?.[i] ? transparentIndex : v));
    gif.writeFrame(painted, width, height, {
      palette: shown ? null : [...colours, [0, 0, 0]], // the first frame's serves for all
      delay: 10 * delay, // in ms
      transparent: true,
      transparentIndex,
      dispose: 1, // leave in place
    });
    shown = indices;
  }
  gif.finish();
  return gif.bytes();
}

// The pixels of a few frames, one after another.
function sampled(frames) {
  const stride = Math.ceil(frames.length / GIF_SAMPLED);
  const few = frames.filter((_, f) => f % stride === 0);
  const pixels = new Uint8ClampedArray(few.length * few[0].data.length);
  few.forEach(({ data }, k) => pixels.set(data, k * data.length));
  return pixels;
}
