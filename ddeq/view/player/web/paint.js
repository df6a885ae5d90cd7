// Paints what the player shows - canvases, bars and texts - onto one canvas, for pictures and films.

// Elements marked data-unpainted (buttons, menus) are left out.
export function paint(root, target, background, scale) {
  const origin = root.getBoundingClientRect();
  const margin = 16;
  const width = Math.ceil((origin.width + 2 * margin) * scale);
  const height = Math.ceil((origin.height + 2 * margin) * scale);
  if (target.width !== width || target.height !== height) Object.assign(target, { width, height });
  const c = target.getContext("2d");
  c.setTransform(1, 0, 0, 1, 0, 0);
  c.fillStyle = background;
  c.fillRect(0, 0, width, height);
  c.setTransform(scale, 0, 0, scale, (margin - origin.left) * scale, (margin - origin.top) * scale);
  visit(c, root);
}

function visit(c, node) {
  if (node.hidden || node.dataset?.unpainted !== undefined) return;
  const style = getComputedStyle(node);
  if (style.display === "none" || style.visibility === "hidden") return;
  const box = node.getBoundingClientRect();
  c.save();
  if (box.width && box.height) paintBox(c, node, style, box);
  for (const child of node.childNodes) {
    if (child.nodeType === Node.ELEMENT_NODE) visit(c, child);
    else if (child.nodeType === Node.TEXT_NODE && child.data.trim()) writeText(c, child, style);
  }
  c.restore();
}

// Background, border and picture; what lies within is clipped where the page clips it.
function paintBox(c, node, style, box) {
  c.beginPath();
  c.roundRect(box.left, box.top, box.width, box.height, roundness(style, box));
  if (style.backgroundColor !== "rgba(0, 0, 0, 0)") {
    c.fillStyle = style.backgroundColor;
    c.fill();
  }
  const stops = style.backgroundImage.match(/rgba?\([^)]*\)/g);
  if (stops) {
    c.fillStyle = c.createLinearGradient(box.left, 0, box.right, 0);
    stops.forEach((stop, k) => c.fillStyle.addColorStop(k / (stops.length - 1), stop));
    c.fill();
  }
  if (style.overflowX === "hidden") c.clip();
  const border = parseFloat(style.borderTopWidth);
  if (border > 0) {
    const [width, height] = [box.width - border, box.height - border];
    c.lineWidth = border;
    c.strokeStyle = style.borderTopColor;
    c.beginPath();
    c.roundRect(box.left + border / 2, box.top + border / 2, width, height, roundness(style, box));
    c.stroke();
  }
  if (node instanceof HTMLCanvasElement) c.drawImage(node, box.left, box.top, box.width, box.height);
}

function roundness({ borderRadius }, box) {
  return borderRadius.endsWith("%") ? box.width / 2 : parseFloat(borderRadius) || 0;
}

// One fillText a line, found by the tops of the words' boxes.
function writeText(c, node, style) {
  c.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  c.fillStyle = style.color;
  c.textAlign = "left";
  c.textBaseline = "alphabetic";
  const range = document.createRange();
  const lines = [];
  for (const word of node.data.matchAll(/\S+\s*/g)) {
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    const box = range.getClientRects()[0];
    if (!box) continue;
    const line = lines.at(-1);
    if (line && Math.abs(line.box.top - box.top) < 2) line.text += word[0];
    else lines.push({ box, text: word[0] });
  }
  for (const { box, text } of lines) {
    const metrics = c.measureText(text);
    const above = metrics.fontBoundingBoxAscent;
    const below = metrics.fontBoundingBoxDescent;
    c.fillText(text.trimEnd(), box.left, (box.top + box.bottom + above - below) / 2);
  }
}
