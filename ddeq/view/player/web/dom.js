// Small helpers to build elements.

// element("button.small", {"data-testid": "x", onclick: f}, child, "text")
export function element(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

// Strokes and fills on a 20 x 20 grid.
const ICONS = {
  play: '<path d="M6 3.8v12.4a.6.6 0 0 0 .92.5l9.6-6.2a.6.6 0 0 0 0-1l-9.6-6.2a.6.6 0 0 0-.92.5z" class="solid"/>',
  pause: '<path d="M5.5 4h3v12h-3zM11.5 4h3v12h-3z" class="solid"/>',
  back: '<path d="M14.5 5v10L7.5 10z" class="solid"/><path d="M5.5 5v10"/>',
  forward: '<path d="M5.5 5v10l7-5z" class="solid"/><path d="M14.5 5v10"/>',
  start: '<path d="M16 5v10l-6-5zM10.5 5v10l-6-5z" class="solid"/><path d="M3.5 5v10"/>',
  end: '<path d="M4 5v10l6-5zM9.500 5v10l6-5z" class="solid"/><path d="M16.5 5v10"/>',
  change: '<path d="M3 13.500h5l4-7h5M14.500 4 17 6.500 14.500 9"/>',
  live: '<circle cx="10" cy="10" r="3" class="solid"/><path d="M5.400 5.400a6.500 6.500 0 0 0 0 9.200M14.600 5.400a6.500 6.500 0 0 1 0 9.200"/>',
  loop: '<path d="M4 9.500V8.500a3 3 0 0 1 3-3h8M13 3l2.500 2.500L13 8M16 10.500v1a3 3 0 0 1-3 3H5M7 12l-2.500 2.500L7 17"/>',
  link: '<path d="M8.500 11.500a3 3 0 0 0 4.200 0l3-3a3 3 0 0 0-4.200-4.200l-1 1M11.500 8.500a3 3 0 0 0-4.200 0l-3 3a3 3 0 0 0 4.200 4.200l1-1"/>',
  save: '<path d="M10 3.500v9M6.500 9.500 10 13l3.500-3.500M4 16.500h12"/>',
  eye: '<path d="M2.500 10S5.500 5 10 5s7.500 5 7.500 5-3 5-7.500 5-7.500-5-7.500-5z"/><circle cx="10" cy="10" r="2.200"/>',
  help: '<path d="M7.500 7.600a2.600 2.600 0 1 1 3.700 2.500c-.8.400-1.200.9-1.200 1.900M10 15v.2"/>',
  fit: '<path d="M3.500 7.500v-4h4M12.500 3.500h4v4M16.500 12.500v4h-4M7.500 16.500h-4v-4"/>',
};

export function icon(name) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  node.setAttribute("viewBox", "0 0 20 20");
  node.setAttribute("aria-hidden", "true");
  node.innerHTML = ICONS[name];
  return node;
}

export function iconButton(name, label, testid, onclick, attributes = {}) {
  return element(
    "button.icon",
    { type: "button", "aria-label": label, title: label, "data-testid": testid, onclick, ...attributes },
    icon(name),
  );
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

// Move or scale an element, unless it is there already.
export function setTransform(node, transform) {
  if (node.placed === transform) return;
  node.placed = transform;
  node.style.transform = transform;
}

// Give a canvas the size of its box in device pixels; true where it changed (and was cleared).
export function fitCanvas(canvas, width, height, dpr) {
  const [w, h] = [Math.max(1, Math.round(width * dpr)), Math.max(1, Math.round(height * dpr))];
  if (canvas.width === w && canvas.height === h) return false;
  canvas.width = w;
  canvas.height = h;
  return true;
}
