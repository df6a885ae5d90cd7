// Ways to keep what is on screen.

import { encodeGif } from "./gif.js";
import { paint } from "./paint.js";
import { css } from "./theme.js";
import { frameOf } from "./format.js";

const GIF_FRAMES = 64;
const GIF_WIDTH = 900; // pixels at most
const GIF_DELAY = 7; // 1/100 s a frame
const VIDEO_TYPES = ["video/mp4;codecs=avc1", "video/webm;codecs=vp9", "video/webm"];

export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Save what a player shows as a file of this kind. progress(share) is told how far that is.
export async function saveAs(kind, player, progress) {
  const { runs } = player;
  const label = runs[0].meta.label.replace(/[^\w-]+/g, "-").toLowerCase() || "run";
  const { blob, suffix = kind } = await made(kind, player, progress);
  download(blob, `${label}-step-${player.root.dataset.step}.${suffix}`);
}

async function made(kind, player, progress) {
  const { runs } = player;
  if (kind === "png") return { blob: await savePng(player) };
  if (kind === "gif") return { blob: await saveGif(player, progress) };
  if (kind === "ply") return { blob: new Blob([plyText(runs[0], player.places()[0])]) };
  if (kind === "video") {
    const blob = await saveVideo(player, progress);
    return { blob, suffix: blob.type.split("/")[1] };
  }
  const { script, template } = await player.source();
  const title = runs.map((run) => run.meta.label).join(", ");
  const text = pageText(template, script, title, runs, { height: 520 });
  return { blob: new Blob([text], { type: "text/html" }) };
}

// A canvas with the player as it is now.
export function picture(player, scale, canvas = document.createElement("canvas")) {
  player.draw(); // WebGL keeps its picture only until the browser has shown it
  paint(player.root, canvas, css(player.theme.bg), scale);
  return canvas;
}

export async function savePng(player) {
  const scale = Math.max(2, player.dpr);
  player.refresh(scale);
  const canvas = picture(player, scale);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

export async function saveGif(player, progress) {
  const { clock, root } = player;
  const scale = Math.min(1, GIF_WIDTH / root.clientWidth);
  const [from, to] = clock.loop ?? [clock.first, clock.last];
  const count = Math.max(2, Math.min(GIF_FRAMES, Math.round(to - from) + 1));
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const frames = [];
  const time = clock.time;
  for (let k = 0; k < count; k++) {
    clock.time = from + ((to - from) * k) / (count - 1);
    picture(player, scale, canvas);
    frames.push(context.getImageData(0, 0, canvas.width, canvas.height));
    progress(k / count);
    await new Promise((resolve) => setTimeout(resolve)); // let the page breathe
  }
  clock.time = time;
  return new Blob([encodeGif(frames, GIF_DELAY)], { type: "image/gif" });
}

// Plays the range once at the present speed and records it.
export async function saveVideo(player, progress) {
  const type = VIDEO_TYPES.find((kind) => globalThis.MediaRecorder?.isTypeSupported(kind));
  if (!type) throw new Error("this browser cannot record video; save a GIF instead.");
  const { clock } = player;
  const scale = Math.min(2, Math.max(1, player.dpr));
  const [from, to] = clock.loop ?? [clock.first, clock.last];
  const time = clock.time;
  clock.pause();
  clock.time = from;
  player.refresh(scale);
  const canvas = picture(player, scale);
  const options = { mimeType: type, videoBitsPerSecond: 12e6 };
  const recorder = new MediaRecorder(canvas.captureStream(30), options);
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const stopped = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  let last = performance.now();
  while (clock.time < to) {
    const now = await new Promise(requestAnimationFrame);
    clock.time = Math.min(to, clock.time + ((now - last) / 1000) * clock.rate * clock.speed);
    last = now;
    picture(player, scale, canvas);
    progress((clock.time - from) / (to - from || 1));
  }
  await new Promise((resolve) => setTimeout(resolve, 400)); // rest on the end
  recorder.stop();
  await stopped;
  clock.time = time;
  return new Blob(parts, { type: type.split(";")[0] });
}

// The first run's particles at the present step, as recorded or, between steps, interpolated.
export function plyText(run, at) {
  const lines = [
    "ply", "format ascii 1.0", `comment ${run.meta.label.replace(/\s+/g, " ")}, step ${run.steps[frameOf(at)]}`,
    `element vertex ${run.count}`, "property float x", "property float y", "property float z",
  ];
  if (run.kept) lines.push("property uchar kept");
  lines.push("end_header");
  for (let n = 0; n < run.count; n++) {
    const point = run.between("particles", at, n, [0, 0, 0]).map((x) => Number(x.toPrecision(7)));
    lines.push(run.kept ? `${point.join(" ")} ${run.kept[n]}` : point.join(" "));
  }
  return `${lines.join("\n")}\n`;
}

// A page like that of export_html, made here from the script that is running.
export function pageText(template, script, title, runs, options) {
  const base64 = (pieces) => {
    let text = "";
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; at += 32768) {
        text += String.fromCharCode(...piece.subarray(at, at + 32768));
      }
    }
    return btoa(text);
  };
  const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const fill = {
    title: escape(title),
    script: script.replaceAll("</", "<\\/"),
    runs: JSON.stringify(runs.map((run) => base64(run.pieces))),
    options: JSON.stringify(options).replaceAll("</", "<\\/"),
  };
  return template.replace(/\{\{(\w+)\}\}/g, (_, name) => fill[name]);
}
