// Colours: two from the page, the rest from one small palette per tone (safe for colour-blind eyes).

const TONES = {
  light: {
    accent: "#1f68ad",
    glow: "#c44a00",
    terms: ["#1f77b4", "#d55e00", "#00896a"],
    runs: ["#1f68ad", "#b84f00", "#007a5e", "#a64d86"],
    particles: ["#1f68ad", "#d99000", "#00896a", "#b8442c", "#5aa9dd", "#8a5a9e", "#c9a400", "#4d5663"],
    ramp: ["#d5dde6", "#8fb5d6", "#4189c0", "#1c5a94", "#0b2b54"],
  },
  dark: {
    accent: "#62b3ee",
    glow: "#ffb454",
    terms: ["#62b3ee", "#f0913a", "#3cc9a2"],
    runs: ["#62b3ee", "#f0913a", "#3cc9a2", "#e39cc9"],
    particles: ["#62b3ee", "#f2b544", "#3cc9a2", "#f0784f", "#a6d5f7", "#c79bdc", "#efe07a", "#9aa4b2"],
    ramp: ["#2d3a48", "#2f6593", "#4593cc", "#8cc6f2", "#eaf5ff"],
  },
};

export function readTheme(element) {
  const style = getComputedStyle(element);
  const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const page = (name, light, dark) =>
    parseColour(style.getPropertyValue(name).trim() || (prefersDark ? dark : light));
  const bg = page("--st-background-color", "#ffffff", "#14171c");
  const fg = page("--st-text-color", "#22272e", "#e8eaed");
  const tone = luminance(bg) < 0.4 ? "dark" : "light";
  const grey = (amount) => mix(bg, fg, amount);
  const palette = TONES[tone];
  return {
    tone,
    bg,
    fg,
    text: grey(0.88),
    muted: grey(0.74),
    faint: grey(0.34),
    hair: grey(0.16),
    wash: grey(0.055),
    accent: parseColour(palette.accent),
    glow: parseColour(palette.glow), // of what is looked at
    removed: mix(bg, parseColour(palette.accent), 0.45),
    ghost: grey(0.5),
    terms: palette.terms.map(parseColour),
    runs: palette.runs.map(parseColour),
    particles: palette.particles.map(parseColour),
    ramp: palette.ramp.map(parseColour),
    font: style.getPropertyValue("font-family") || "sans-serif",
  };
}

// Make the same colours available to the style sheet.
export function applyTheme(element, theme) {
  element.dataset.tone = theme.tone;
  for (const name of ["bg", "fg", "text", "muted", "faint", "hair", "wash", "accent", "ghost"]) {
    element.style.setProperty(`--${name}`, css(theme[name]));
  }
  theme.runs.forEach((colour, k) => element.style.setProperty(`--run-${k}`, css(colour)));
  element.style.setProperty("--ramp", theme.ramp.map((colour) => css(colour)).join(", "));
  theme.terms.forEach((colour, k) => element.style.setProperty(`--term-${k}`, css(colour)));
}

export function mix(a, b, share) {
  return a.map((c, k) => c + (b[k] - c) * share);
}

// RGB in [0, 1] to a style sheet colour.
export function css([r, g, b], alpha = 1) {
  return `rgba(${Math.round(r * 255)}, ${Math.round(g * 255)}, ${Math.round(b * 255)}, ${alpha})`;
}

// "#rgb", "#rrggbb(aa)" or "rgb(r, g, b)" to RGB in [0, 1].
export function parseColour(text) {
  const hex = /^#([0-9a-f]{3,8})$/i.exec(text)?.[1];
  if (hex) {
    const wide = hex.length < 6 ? [...hex].map((c) => c + c).join("") : hex;
    return [0, 2, 4].map((k) => parseInt(wide.slice(k, k + 2), 16) / 255);
  }
  const numbers = text.match(/[\d.]+/g)?.slice(0, 3).map(Number);
  return numbers?.length === 3 ? numbers.map((v) => v / 255) : [0.5, 0.5, 0.5];
}

export function luminance([r, g, b]) {
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// Colour at u in [0, 1] of a list of stops.
export function ramp(stops, u) {
  const at = Math.max(0, Math.min(1, u)) * (stops.length - 1);
  const k = Math.min(stops.length - 2, Math.floor(at));
  return mix(stops[k], stops[k + 1], at - k);
}
