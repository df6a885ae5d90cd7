// Draws runs with WebGL2. Positions are uploaded once, as they came; each frame is a few draw calls
// that mix two recorded steps on the graphics processor.

import { frameOf } from "./format.js";
import { lengthsOf } from "./measures.js";

const PLACE = `
  // A stored position: 16-bit codes arrive as [0, 1], where 1 is reserved for "not finite".
  uniform bool quantised;
  bool missing(vec3 code) {
    return quantised ? any(greaterThan(code, vec3(0.99999))) : any(isnan(code));
  }
  vec3 place(vec3 code, vec3 low, vec3 scale) { return low + code * scale; }
  uniform vec3 cycle[8];
  uniform vec3 stops[5];
  vec3 ramp(float u) {
    float at = clamp(u, 0.0, 1.0) * 4.0;
    int k = min(3, int(at));
    return mix(stops[k], stops[k + 1], at - float(k));
  }
  // 0 plain, 1 particle (few), 2 particle (many), 3 speed, 4 distance, 5 kept, 6 by lengths of their own
  uniform int mode;
  uniform vec3 plain;
  uniform float count;
  vec3 tint(int id) {
    if (mode == 1) return cycle[id % 8];
    if (mode == 2) return ramp(0.2 + 0.8 * float(id) / count);
    return plain;
  }
`;

const POINT_VERTEX = `#version 300 es
  in vec3 a; in vec3 b; in vec3 c; in vec3 d; in float kept;
  uniform vec3 aLow; uniform vec3 aScale; uniform vec3 bLow; uniform vec3 bScale;
  uniform vec3 cLow; uniform vec3 cScale; uniform vec3 dLow; uniform vec3 dScale;
  uniform mat4 view;
  uniform float u; uniform float size; uniform float unit; uniform float depthCue;
  uniform vec3 bg; uniform vec3 keptColour; uniform bool keptAlone;
  out vec3 colour; out float radius;
  ${PLACE}
  void main() {
    vec3 p = place(a, aLow, aScale);
    vec3 q = place(b, bLow, bScale);
    vec3 at = mix(p, q, u);
    gl_Position = view * vec4(at, 1.0);
    colour = tint(gl_VertexID);
    if (mode == 3) colour = ramp(0.15 + 0.85 * distance(p, q) * unit);
    if (mode == 4) {
      vec3 ghost = mix(place(c, cLow, cScale), place(d, dLow, dScale), u);
      colour = ramp(0.15 + 0.85 * distance(at, ghost) * unit);
    }
    if (mode == 6) colour = ramp(0.15 + 0.85 * c.x * unit);
    if (mode >= 5 && kept > 0.5) colour = keptColour;
    float depth = depthCue * clamp(gl_Position.z / gl_Position.w * 1.2 + 0.42, 0.0, 1.0);
    colour = mix(colour, bg, depth * 0.42);
    gl_PointSize = size * (1.0 + 0.22 * depthCue - 0.44 * depth);
    radius = gl_PointSize * 0.5;
    bool hidden = keptAlone && kept < 0.5;
    if (hidden || missing(a) || missing(b)) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  }
`;

const POINT_FRAGMENT = `#version 300 es
  precision highp float;
  in vec3 colour; in float radius;
  uniform float ring; // stroke width in pixels, 0 for a disc
  uniform float alpha; uniform float outline; uniform vec3 bg;
  out vec4 pixel;
  void main() {
    vec2 p = gl_PointCoord * 2.0 - 1.0;
    float edge = (1.0 - length(p)) * radius; // pixels inside the rim
    float cover = clamp(edge + 0.5, 0.0, 1.0);
    vec3 c = colour;
    if (ring > 0.0) cover *= clamp(ring + 0.5 - edge, 0.0, 1.0);
    else {
      c += (dot(p, vec2(-0.35, -0.5)) * 0.09 + 0.02) * (1.0 - c); // a little light from above
      c = mix(bg, c, clamp(edge + 0.5 - outline, 0.0, 1.0));
    }
    if (cover < 0.04) discard;
    pixel = vec4(c, 1.0) * cover * alpha;
  }
`;

const LINE_VERTEX = `#version 300 es
  in vec3 a; in vec3 b; in vec3 c; in vec3 d;
  uniform vec3 aLow; uniform vec3 aScale; uniform vec3 bLow; uniform vec3 bScale;
  uniform vec3 cLow; uniform vec3 cScale; uniform vec3 dLow; uniform vec3 dScale;
  uniform mat4 view; uniform vec2 pixels;
  uniform vec2 mixes; // how far the two ends lie between a, b and between c, d
  uniform vec2 widths; uniform vec2 alphas;
  out vec4 colour; out float across; out float halfWidth;
  ${PLACE}
  void main() {
    vec4 from = view * vec4(mix(place(a, aLow, aScale), place(b, bLow, bScale), mixes.x), 1.0);
    vec4 to = view * vec4(mix(place(c, cLow, cScale), place(d, dLow, dScale), mixes.y), 1.0);
    int end = gl_VertexID / 2;
    float side = float(gl_VertexID % 2) * 2.0 - 1.0;
    vec2 along = (to.xy / to.w - from.xy / from.w) * pixels;
    float len = length(along);
    vec2 normal = len > 1e-4 ? vec2(-along.y, along.x) / len : vec2(0.0);
    halfWidth = widths[end] * 0.5;
    across = side * (halfWidth + 0.5);
    gl_Position = end == 0 ? from : to;
    gl_Position.xy += normal * across * 2.0 / pixels * gl_Position.w;
    colour = vec4(tint(gl_InstanceID), 1.0) * alphas[end];
    if (missing(a) || missing(b) || missing(c) || missing(d)) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  }
`;

const LINE_FRAGMENT = `#version 300 es
  precision highp float;
  in vec4 colour; in float across; in float halfWidth;
  out vec4 pixel;
  void main() {
    pixel = colour * clamp(halfWidth + 0.5 - abs(across), 0.0, 1.0) * min(1.0, halfWidth * 2.0);
  }
`;

const STILL = { a: 0, b: 0, u: 0 };
const FLAT = { data: null, quantised: false, offset: [0, 0, 0], scale: [0, 0, 0] };

export class GLRenderer {
  constructor(canvas, onRestored) {
    // Opaque: what lies below need not be blended in by the browser.
    const options = { antialias: false, alpha: false };
    const gl = canvas.getContext("webgl2", options);
    if (!gl) throw new Error("WebGL2 is not available.");
    this.name = "WebGL2";
    this.canvas = canvas;
    this.gl = gl;
    this.onLost = (event) => {
      event.preventDefault(); // ask for it back
      this.lost = true;
    };
    this.onBack = () => {
      this.lost = false;
      this.setUp();
      onRestored();
    };
    canvas.addEventListener("webglcontextlost", this.onLost);
    canvas.addEventListener("webglcontextrestored", this.onBack);
    this.setUp();
  }

  setUp() {
    const { gl } = this;
    this.buffers = new Map(); // typed array -> buffer on the graphics processor
    this.points = program(gl, POINT_VERTEX, POINT_FRAGMENT);
    this.lines = program(gl, LINE_VERTEX, LINE_FRAGMENT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.depthFunc(gl.LEQUAL);
  }

  // views: [{run, at, rect, matrix, look}], rect in device pixels from the top left.
  draw(views, theme) {
    if (this.lost) return;
    const { gl, canvas } = this;
    gl.disable(gl.SCISSOR_TEST);
    gl.depthMask(true);
    gl.clearColor(...theme.wash, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.SCISSOR_TEST);
    for (const view of views) {
      const { x, y, width, height } = view.rect;
      gl.viewport(x, canvas.height - y - height, width, height);
      gl.scissor(x, canvas.height - y - height, width, height);
      this.drawView(view, theme);
    }
    this.forget(views);
  }

  drawView({ run, at, rect, matrix, look, axes }, theme) {
    const { gl } = this;
    const deep = run.dim === 3;
    const shared = { matrix, rect, theme, run, look };
    gl.depthMask(false);
    this.drawSegments(shared, axes.weak, theme.hair);
    this.drawSegments(shared, axes.strong, theme.faint);
    if (deep) gl.enable(gl.DEPTH_TEST);
    else gl.disable(gl.DEPTH_TEST);

    if (run.truth && look.truth) {
      const field = this.cloud(run.truth);
      this.drawPoints({ ...shared, at: STILL, field, count: field.count }, {
        size: look.size * look.specks.size, plain: look.specks.colour, alpha: look.specks.alpha,
        mode: 0,
      });
    }
    for (const trail of look.trails ? trailPieces(at, look.trails) : []) {
      this.drawLines(shared, "particles", trail.from, "particles", trail.to, {
        widths: [1, 1].map(() => look.size * 0.34 * trail.alpha + 0.4 * look.dpr),
        alphas: [0.5 * trail.alpha, 0.5 * trail.alpha], plain: look.plain, mode: look.trailMode,
      });
    }
    if (run.meta.ghost && look.residuals) {
      this.drawLines(shared, "particles", at, "ghost", at, {
        widths: [look.dpr, look.dpr], alphas: [0.6 * look.calm, 0.32 * look.calm],
        plain: theme.ghost, mode: 0,
      });
    }
    if (look.arrows && at.a !== at.b) {
      const tip = { a: at.a, b: at.b, u: at.u + look.arrows };
      this.drawLines(shared, "particles", at, "particles", tip, {
        widths: [look.size * 0.5, 0.4 * look.dpr], alphas: [0.75, 0.75],
        plain: look.plain, mode: look.trailMode,
      });
    }
    if (run.meta.ghost && look.ghost) {
      this.drawPoints({ ...shared, at, name: "ghost", count: run.count }, {
        size: look.size * 1.1, plain: theme.ghost, ring: 1.2 * look.dpr,
        alpha: 0.9 * look.calm, mode: 0,
      });
    }
    gl.depthMask(true);
    this.drawPoints({ ...shared, at, name: "particles", count: run.count }, {
      size: look.size, plain: look.plain, outline: look.outline,
      alpha: 1, mode: look.mode, unit: look.unit, measure: look.colouring.mode, keptAlone: look.keptAlone,
    });
  }

  drawPoints({ matrix, theme, run, at, name, field, count, look }, style) {
    const { gl } = this;
    const p = this.points;
    gl.useProgram(p.program);
    const [first, second] = field
      ? [{ field, index: 0 }, { field, index: 0 }]
      : [pick(run, name, at.a), pick(run, name, at.b)];
    this.bind(p, "a", first, 0);
    this.bind(p, "b", second, 0);
    const needsGhost = style.mode === 4 && run.meta.ghost;
    this.bind(p, "c", needsGhost ? pick(run, "ghost", at.a) : null, 0);
    this.bind(p, "d", needsGhost ? pick(run, "ghost", at.b) : null, 0);
    if (style.mode === 6) this.bindLengths(p, lengthsOf(run, style.measure, frameOf(at)));
    this.bindKept(p, style.mode >= 5 || style.keptAlone ? run.kept : null);
    this.uniforms(p, first.field, run, theme, style);
    gl.uniformMatrix4fv(p.at("view"), false, matrix);
    gl.uniform1f(p.at("u"), at.u);
    gl.uniform1f(p.at("size"), style.size);
    gl.uniform1f(p.at("unit"), style.unit ?? 1);
    gl.uniform1f(p.at("ring"), style.ring ?? 0);
    gl.uniform1f(p.at("outline"), style.outline ?? 0);
    gl.uniform1f(p.at("alpha"), style.alpha);
    gl.uniform1f(p.at("depthCue"), run.dim === 3 ? 1 : 0);
    gl.uniform3fv(p.at("bg"), theme.wash);
    gl.uniform3fv(p.at("keptColour"), theme.muted);
    gl.uniform1i(p.at("keptAlone"), style.keptAlone ? 1 : 0);
    gl.drawArrays(gl.POINTS, 0, count);
  }

  // One line a particle, from a place of one field to a place of another.
  drawLines(shared, fromName, from, toName, to, style) {
    const { run } = shared;
    const ends = [
      pick(run, fromName, from.a), pick(run, fromName, from.b),
      pick(run, toName, to.a), pick(run, toName, to.b),
    ];
    this.drawSpans(shared, ends, [from.u, to.u], run.count, style);
  }

  // A few fixed lines, given as a flat Float32Array of their end points.
  drawSegments(shared, points, plain) {
    const { gl } = this;
    if (!points.length) return;
    const field = {
      data: points, quantised: false, width: 0, scale: [1, 1, 1], offset: [0, 0, 0], stride: 24,
    };
    const [from, to] = [{ field, index: 0 }, { field: { ...field, start: 12 }, index: 0 }];
    const widths = [shared.look.dpr, shared.look.dpr];
    const style = { widths, alphas: [1, 1], plain, mode: 0 };
    this.drawSpans(shared, [from, from, to, to], [0, 0], points.length / 6, style);
  }

  drawSpans({ matrix, rect, theme, run }, ends, mixes, count, style) {
    const { gl } = this;
    const p = this.lines;
    gl.useProgram(p.program);
    ends.forEach((end, k) => this.bind(p, "abcd"[k], end, 1));
    this.uniforms(p, ends[0].field, run, theme, style);
    gl.uniformMatrix4fv(p.at("view"), false, matrix);
    gl.uniform2f(p.at("pixels"), rect.width, rect.height);
    gl.uniform2fv(p.at("mixes"), mixes);
    gl.uniform2fv(p.at("widths"), style.widths);
    gl.uniform2fv(p.at("alphas"), style.alphas);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, count);
    for (const name of "abcd") gl.vertexAttribDivisor(p.attribute(name), 0);
  }

  uniforms(p, field, run, theme, style) {
    const { gl } = this;
    gl.uniform1i(p.at("quantised"), field.quantised ? 1 : 0);
    gl.uniform1i(p.at("mode"), style.mode);
    gl.uniform1f(p.at("count"), run.count);
    gl.uniform3fv(p.at("plain"), style.plain);
    gl.uniform3fv(p.at("cycle"), theme.particles.flat());
    gl.uniform3fv(p.at("stops"), theme.ramp.flat());
  }

  // Point attribute `name` at one frame of a field.
  bind(p, name, picked, divisor) {
    const { gl } = this;
    const location = p.attribute(name);
    const { field, index } = picked ?? { field: FLAT, index: 0 };
    const pad = (values) => [values[0], values[1], values[2] ?? 0];
    // The hardware hands codes over as code / 65535.
    const factor = field.quantised ? 65535 : 1;
    gl.uniform3fv(p.at(`${name}Low`), pad(field.offset));
    gl.uniform3fv(p.at(`${name}Scale`), pad(field.scale.map((s) => s * factor)));
    if (location < 0) return;
    if (!field.data) {
      gl.disableVertexAttribArray(location);
      gl.vertexAttrib3f(location, 0, 0, 0);
      return;
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer(field.data));
    gl.enableVertexAttribArray(location);
    const type = field.quantised ? gl.UNSIGNED_SHORT : gl.FLOAT;
    const offset = field.start ?? index * field.width * (field.quantised ? 2 : 4);
    gl.vertexAttribPointer(location, field.scale.length, type, field.quantised, field.stride ?? 0, offset);
    gl.vertexAttribDivisor(location, divisor);
  }

  bindKept(p, kept) {
    const { gl } = this;
    const location = p.attribute("kept");
    if (!kept) {
      gl.disableVertexAttribArray(location);
      gl.vertexAttrib1f(location, 0);
      return;
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer(kept));
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, 1, gl.UNSIGNED_BYTE, false, 0, 0);
  }

  // How far each particle is from the truth, in the place of the ghost's first coordinate.
  bindLengths(p, lengths) {
    const { gl } = this;
    const location = p.attribute("c");
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer(lengths));
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, 1, gl.FLOAT, false, 0, 0);
    gl.vertexAttribDivisor(location, 0);
  }

  cloud({ points, dim }) {
    const scale = new Array(dim).fill(1);
    const offset = new Array(dim).fill(0);
    return { data: points, quantised: false, width: 0, scale, offset, count: points.length / dim };
  }

  buffer(array) {
    const { gl } = this;
    let entry = this.buffers.get(array);
    if (!entry) {
      entry = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, entry);
      gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
      this.buffers.set(array, entry);
    }
    return entry;
  }

  // Free what belongs to runs and axes that are no longer shown.
  forget(views) {
    const signature = views.flatMap(({ run, axes }) => [run, axes]);
    const shown = this.shown ?? [];
    if (signature.length === shown.length && signature.every((x, k) => x === shown[k])) return;
    this.shown = signature;
    const alive = new Set();
    for (const { run, axes } of views) {
      alive.add(axes.weak).add(axes.strong);
      for (const chunk of run.chunks) for (const field of Object.values(chunk.fields)) alive.add(field.data);
      if (run.truth) alive.add(run.truth.points);
      if (run.kept) alive.add(run.kept);
    }
    for (const [array, buffer] of this.buffers) {
      if (alive.has(array)) continue;
      this.gl.deleteBuffer(buffer);
      this.buffers.delete(array);
    }
  }

  dispose() {
    this.canvas.removeEventListener("webglcontextlost", this.onLost);
    this.canvas.removeEventListener("webglcontextrestored", this.onBack);
    for (const buffer of this.buffers.values()) this.gl.deleteBuffer(buffer);
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

function pick(run, name, frame) {
  const { chunk, index } = run.find(frame);
  return { field: chunk.fields[name], index };
}

// The last `length` recorded steps behind a moving point, newest first.
export function trailPieces(at, length) {
  const pieces = [];
  const still = (frame) => ({ a: frame, b: frame, u: 0 });
  if (at.u > 0) pieces.push({ from: still(at.a), to: at, alpha: 1 });
  for (let k = 0; k < length && at.a - k > 0; k++) {
    pieces.push({ from: still(at.a - k - 1), to: still(at.a - k), alpha: 1 - (k + 1 - at.u) / (length + 1) });
  }
  return pieces;
}

function program(gl, vertex, fragment) {
  const handle = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(handle, shader);
  }
  gl.linkProgram(handle);
  if (!gl.getProgramParameter(handle, gl.LINK_STATUS) && !gl.isContextLost()) {
    const logs = gl.getAttachedShaders(handle).map((shader) => gl.getShaderInfoLog(shader));
    throw new Error(`Shader: ${logs.join(" ")} ${gl.getProgramInfoLog(handle)}`);
  }
  const uniforms = new Map();
  const attributes = new Map();
  const cached = (map, look) => (name) => {
    if (!map.has(name)) map.set(name, look(name));
    return map.get(name);
  };
  return {
    program: handle,
    at: cached(uniforms, (name) => gl.getUniformLocation(handle, name)),
    attribute: cached(attributes, (name) => gl.getAttribLocation(handle, name)),
  };
}
