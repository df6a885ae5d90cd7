// An orbit camera as plain numbers, and the projection both renderers share.

export const HOME = Object.freeze({ yaw: 0.6, pitch: 0.38, zoom: 1, x: 0, y: 0 });
const DISTANCE = 4.2; // from the centre, in radii: mild perspective
const PITCH_LIMIT = Math.PI / 2;

// Where the camera looks: everything is drawn in units of `radius` about `centre`.
export function frameBox(low, high) {
  const centre = [0, 1, 2].map((k) => (k < low.length ? (low[k] + high[k]) / 2 : 0));
  const half = [0, 1, 2].map((k) => (k < low.length ? (high[k] - low[k]) / 2 : 0));
  return { centre, radius: Math.hypot(...half) || 1, half };
}

// World to clip space, column-major 4x4. `width/height` in pixels; 2-D scenes look straight down.
export function viewMatrix(camera, box, dim, width, height) {
  const { scale, x, y } = homeFit(box, dim, width / height);
  const m = rawMatrix(dim === 3 ? camera : FLAT_VIEW, box, dim);
  const shorter = Math.min(width, height);
  const [sx, sy] = [width, height].map((side) => (scale * camera.zoom * shorter) / side);
  for (let k = 0; k < 4; k++) {
    const w = m[4 * k + 3];
    m[4 * k] = m[4 * k] * sx + w * (camera.x + x * camera.zoom);
    m[4 * k + 1] = m[4 * k + 1] * sy + w * (camera.y + y * camera.zoom);
  }
  return m;
}

const FLAT_VIEW = { yaw: 0, pitch: 0 };
const FILL = 0.9; // share of the view that the box takes at home

// Scale and shift that make the box fill the view as seen from HOME.
function homeFit(box, dim, aspect) {
  const m = rawMatrix(dim === 3 ? HOME : FLAT_VIEW, box, dim);
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let corner = 0; corner < 8; corner++) {
    const p = [0, 1, 2].map((k) => box.centre[k] + box.half[k] * (corner & (1 << k) ? 1 : -1));
    const w = dot3(m, 3, p) + m[15];
    const [x, y] = [(dot3(m, 0, p) + m[12]) / w, (dot3(m, 1, p) + m[13]) / w];
    [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
  }
  const [ax, ay] = aspect > 1 ? [1 / aspect, 1] : [1, aspect];
  const scale = Math.min((2 * FILL) / ((x1 - x0) * ax || 1e-9), (2 * FILL) / ((y1 - y0) * ay || 1e-9), 1e6);
  return { scale, x: (-(x0 + x1) / 2) * scale * ax, y: (-(y0 + y1) / 2) * scale * ay };
}

// Turned and moved, perspective included, before any fitting to the view.
function rawMatrix({ yaw, pitch }, box, dim) {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  // Rows: right, up, toward the viewer; the data's third axis points up in 3-D.
  const rows =
    dim === 3
      ? [
          [cy, sy, 0],
          [-sp * sy, sp * cy, cp],
          [cp * sy, -cp * cy, sp],
        ]
      : [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 0],
        ];
  const m = new Float32Array(16);
  for (let k = 0; k < 3; k++) {
    m[4 * k] = rows[0][k] / box.radius;
    m[4 * k + 1] = rows[1][k] / box.radius;
    m[4 * k + 2] = (-rows[2][k] / box.radius) * 0.35; // nearer is more negative
    m[4 * k + 3] = -rows[2][k] / box.radius / DISTANCE;
  }
  for (let row = 0; row < 4; row++) m[12 + row] = -dot3(m, row, box.centre);
  m[15] += 1;
  return m;
}

function dot3(m, row, v) {
  return m[row] * v[0] + m[4 + row] * v[1] + m[8 + row] * v[2];
}

// Pixel position and depth (0 near, 1 far) of a world point.
export function project(m, p, width, height, out = [0, 0, 0]) {
  const w = dot3(m, 3, p) + m[15];
  out[0] = ((dot3(m, 0, p) + m[12]) / w + 1) * 0.5 * width;
  out[1] = (1 - (dot3(m, 1, p) + m[13]) / w) * 0.5 * height;
  out[2] = ((dot3(m, 2, p) + m[14]) / w + 1) * 0.5;
  return out;
}

export function orbit(camera, dx, dy) {
  const pitch = Math.max(-PITCH_LIMIT, Math.min(PITCH_LIMIT, camera.pitch + dy * 0.008));
  return { ...camera, yaw: camera.yaw - dx * 0.008, pitch };
}

// Pan by a fraction of the view, in clip units.
export function pan(camera, dx, dy) {
  return { ...camera, x: camera.x + dx, y: camera.y + dy };
}

// Zoom about a point given in clip units, so that it stays under the pointer.
export function zoomAt(camera, factor, x = 0, y = 0) {
  const zoom = Math.max(0.2, Math.min(200, camera.zoom * factor));
  const f = zoom / camera.zoom;
  return { ...camera, zoom, x: x + (camera.x - x) * f, y: y + (camera.y - y) * f };
}

// A camera as a short text for links, and back.
export function cameraText({ yaw, pitch, zoom, x, y }) {
  return [yaw, pitch, zoom, x, y].map((v) => Number(v.toFixed(3))).join(",");
}

export function parseCamera(text) {
  const [yaw, pitch, zoom, x, y] = String(text).split(",").map(Number);
  const camera = { yaw, pitch, zoom, x, y };
  return Object.values(camera).every(Number.isFinite) && zoom > 0 ? camera : null;
}
