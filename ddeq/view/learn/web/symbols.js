// Formula symbols that say what they are: on hover or focus they name it and light it up in the
// figures. A symbol is known by the colour that its LaTeX gives it.

function asHex(colour) {
  const parts = colour.match(/\d+/g);
  return parts ? "#" + parts.slice(0, 3).map((v) => Number(v).toString(16).padStart(2, "0")).join("") : "";
}

function light(term, on) {
  for (const node of document.querySelectorAll(".learn-figure [data-term]")) {
    node.classList.toggle("lit", on && node.dataset.term === term);
  }
}

function mark(symbols) {
  for (const node of document.querySelectorAll(".katex-html [style*='color']:not([data-symbol])")) {
    const symbol = symbols[asHex(node.style.color)];
    if (!symbol) continue;
    const outer = node.parentElement.closest("[data-symbol]");
    if (outer?.dataset.symbol === symbol.name) {
      node.style.color = "inherit"; // KaTeX colours every part of a term
      continue;
    }
    node.dataset.symbol = symbol.name;
    node.dataset.tip = symbol.meaning;
    node.style.color = `var(--learn-${symbol.tone})`;
    node.tabIndex = 0;
    node.onpointerenter = node.onfocus = () => light(symbol.name, true);
    node.onpointerleave = node.onblur = () => light(symbol.name, false);
  }
}

const WATCHERS = new WeakMap();

export default function ({ data, parentElement }) {
  WATCHERS.get(parentElement)?.disconnect();
  const dark = (() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g) ?? [255, 255, 255];
    const host = getComputedStyle(parentElement).getPropertyValue("--st-background-color").trim();
    const shown = /^#[0-9a-f]{6}$/i.test(host)
      ? [1, 3, 5].map((k) => parseInt(host.slice(k, k + 2), 16)) : [r, g, b].map(Number);
    return shown[0] + shown[1] + shown[2] < 384;
  })();
  for (const [tone, [onLight, onDark]] of Object.entries(data.tones)) {
    document.documentElement.style.setProperty(`--learn-${tone}`, dark ? onDark : onLight);
  }
  const watcher = new MutationObserver(() => mark(data.symbols));
  watcher.observe(document.querySelector("[data-testid=stMain]") ?? document.body, {
    childList: true, subtree: true,
  });
  WATCHERS.set(parentElement, watcher);
  mark(data.symbols);
  return () => !parentElement.isConnected && watcher.disconnect();
}
