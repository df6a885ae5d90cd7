// Axis scales, ticks and number texts.

export function linearScale([d0, d1], [r0, r1]) {
  const span = d1 - d0 || 1;
  const scale = (x) => r0 + ((x - d0) / span) * (r1 - r0);
  scale.invert = (r) => d0 + ((r - r0) / (r1 - r0)) * span;
  scale.ticks = (count) => linearTicks(d0, d1, count);
  return scale;
}

export function logScale([d0, d1], range) {
  const inner = linearScale([Math.log10(d0), Math.log10(d1)], range);
  const scale = (x) => inner(Math.log10(x));
  scale.invert = (r) => 10 ** inner.invert(r);
  scale.ticks = (count) => logTicks(d0, d1, count);
  return scale;
}

export function linearTicks(low, high, count = 4) {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
    ticks.push(Number((k * step).toPrecision(12)));
  }
  return ticks;
}

export function logTicks(low, high, count = 4) {
  const [a, b] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const stride = Math.max(1, Math.ceil((b - a + 1) / count));
  const ticks = [];
  for (let k = b; k >= a; k -= stride) ticks.unshift(10 ** k);
  if (ticks.length > 1) return ticks;
  // Less than two whole powers of ten: 1, 2 and 5 times each.
  const fine = [];
  for (let k = a - 1; k <= b + 1; k++) {
    for (const m of [1, 2, 5]) fine.push(Number((m * 10 ** k).toPrecision(1)));
  }
  return fine.filter((x) => x >= low && x <= high);
}

const LEAST_SHARE = 0.1; // of the largest value, that a linear axis covers

// The range of finite values (positive ones on a log axis), with a little air.
export function extent(lists, log) {
  let [low, high] = [Infinity, -Infinity];
  for (const values of lists) {
    for (const x of values) {
      if (!Number.isFinite(x) || (log && x <= 0)) continue;
      if (x < low) low = x;
      if (x > high) high = x;
    }
  }
  if (low > high) return log ? [0.1, 1] : [0, 1];
  if (log) return low === high ? [low / 3, high * 3] : [low / 1.25, high * 1.25];
  // What hardly changes is not to look as if it did.
  const missing = LEAST_SHARE * Math.max(Math.abs(low), Math.abs(high)) - (high - low);
  if (missing > 0) [low, high] = [low - missing / 2, high + missing / 2];
  const air = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - air, high + air];
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

export function superscript(n) {
  return String(n).replace(/[-0-9]/g, (c) => (c === "-" ? "⁻" : SUPERSCRIPTS[c]));
}

export function tickText(x, log) {
  if (log) {
    if (x >= 0.01 && x <= 1000) return String(x);
    const power = Math.floor(Math.log10(x) + 1e-9);
    const digit = Math.round(x / 10 ** power);
    return `${digit === 1 ? "" : `${digit}·`}10${superscript(power)}`;
  }
  return String(Number(x.toPrecision(6))).replace("-", "−");
}

export function numberText(x) {
  if (!Number.isFinite(x)) return "–";
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) {
    const [digits, power] = x.toExponential(2).split("e");
    return `${digits}·10${superscript(Number(power))}`.replace("-", "−");
  }
  return String(Number(x.toPrecision(3))).replace("-", "−");
}

export function percentText(p) {
  if (!Number.isFinite(p)) return "–";
  if (p >= 0.9995) return "100 %";
  return `${(100 * p).toFixed(p < 0.0995 ? 1 : 0)} %`;
}
