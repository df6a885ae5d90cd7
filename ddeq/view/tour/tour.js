// A tour of the page: one card that goes from stop to stop, and a ring around what it speaks of.

const EDGE = 12;
const GAP = 16; // between the ring's element and the card
const HEADER = 72; // the app's bar, which covers what is scrolled under it
const PHONE = 640;
const at = {}; // tour -> number of its stop; while the page lives, also across mounts

const memory = {
  seen(name) {
    try {
      return localStorage.getItem(`ddeq-tour-${name}`) !== null;
    } catch {
      return true; // no memory: better never than at every visit
    }
  },
  remember(name) {
    try {
      localStorage.setItem(`ddeq-tour-${name}`, "seen");
    } catch {
      // then it is forgotten
    }
  },
};

function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// What a stop speaks of, if it is there: selectors lead into shadow trees.
function find([first, ...inner]) {
  let node = document.querySelector(first);
  for (const selector of inner) {
    const trees = [...(node?.querySelectorAll("*") ?? [])].map((host) => host.shadowRoot);
    node = trees.map((tree) => tree?.querySelector(selector)).find(Boolean);
  }
  return node ?? null;
}

// Where the card goes: beside the target where there is room; on a phone at the bottom, or at the
// top where it would hide the target.
function placed(box, width, height) {
  const [w, h] = [document.documentElement.clientWidth, window.innerHeight];
  const within = (x, y) => [
    Math.max(EDGE, Math.min(x, w - width - EDGE)),
    Math.max(EDGE, Math.min(y, h - height - EDGE)),
  ];
  const covered = box && box.bottom > h - height - EDGE && box.top > HEADER + height + GAP;
  if (!box || w < PHONE) return within(w, covered ? HEADER : h);
  const top = Math.max(box.top, HEADER);
  if (box.right + GAP + width + EDGE <= w) return within(box.right + GAP, top);
  if (box.left - GAP - width >= EDGE) return within(box.left - GAP - width, top);
  if (box.bottom + GAP + height + EDGE <= h) return within(box.left, box.bottom + GAP);
  return within(box.left, box.top - GAP - height);
}

class Tour {
  constructor(parent, { name, stops, after }) {
    Object.assign(this, { name, stops, after });
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.button = element("button", {
      class: "begin", type: "button", "data-testid": "tour-begin", onclick: () => this.go(0, true),
    });
    this.button.innerHTML =
      '<svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7.5"/>' +
      '<path d="M13 7l-2 4-4 2 2-4z"/></svg>Tour of this page';
    this.count = element("div", { class: "count" });
    this.title = element("h2", { id: "title" });
    this.text = element("p", { id: "text" });
    const button = (kind, text, onclick) =>
      element("button", { class: kind, type: "button", "data-testid": `tour-${kind}`, onclick }, text);
    this.skip = button("skip", "Skip the tour", () => this.end());
    this.back = button("back", "Back", () => this.go(at[name] - 1));
    this.next = button("next", "Next", () => this.go(at[name] + 1));
    this.ring = element("div", { class: "ring", hidden: "", "data-testid": "tour-ring" });
    this.card = element(
      "div",
      {
        class: "card", role: "dialog", "aria-labelledby": "title", "aria-describedby": "text",
        "data-testid": "tour-card",
      },
      element("div", { "aria-live": "polite" }, this.count, this.title, this.text),
      element("div", { class: "way" }, this.skip, this.back, this.next),
    );
    this.sheet = element("div", { class: "sheet", popover: "manual" }, this.ring, this.card);
    parent.append(this.button, this.sheet);
    this.onKey = (event) => event.key === "Escape" && this.open && this.end();
    document.addEventListener("keydown", this.onKey);
    if (!(name in at)) at[name] = memory.seen(name) ? -1 : 0;
    if (at[name] === 0) this.await();
    else if (at[name] > 0) this.go(at[name]);
  }

  // Begin where the page is at rest: what plays at first is seen before it is spoken of.
  await() {
    if (at[this.name] !== 0 || this.open) return;
    const first = find(this.after);
    if (first || !this.after.length) {
      memory.remember(this.name);
      this.go(0);
    } else this.frame = requestAnimationFrame(() => this.await());
  }

  get open() {
    return this.sheet.matches(":popover-open");
  }

  // To a stop; past the last one the tour has ended.
  go(number, focus = false) {
    if (number >= this.stops.length) return this.end();
    const moved = number !== at[this.name] || focus;
    const held = this.sheet.matches(":focus-within"); // by Back, which is about to go
    at[this.name] = number;
    const { title, text } = this.stops[number];
    this.count.textContent = `${number + 1} of ${this.stops.length}`;
    this.title.textContent = title;
    this.text.textContent = text;
    const last = number === this.stops.length - 1;
    this.next.textContent = last ? "Done" : "Next";
    this.skip.hidden = last;
    this.back.hidden = number === 0;
    if (!this.open) this.sheet.showPopover();
    if (moved) this.bring();
    if (focus || (held && number === 0)) this.next.focus({ preventScroll: true });
    this.follow();
  }

  end() {
    const focused = this.sheet.matches(":focus-within");
    at[this.name] = -1;
    this.hide();
    if (focused) this.button.focus({ preventScroll: true });
  }

  hide() {
    cancelAnimationFrame(this.frame);
    if (this.open) this.sheet.hidePopover();
  }

  target() {
    return find(this.stops[at[this.name]].at);
  }

  // Scroll what the stop speaks of into view.
  bring() {
    const node = this.target();
    if (!node) return;
    node.style.scrollMarginTop = `${HEADER + EDGE}px`;
    const narrow = document.documentElement.clientWidth < PHONE;
    const behavior = this.still ? "auto" : "smooth";
    node.scrollIntoView({ block: narrow ? "start" : "nearest", behavior });
  }

  // Keep ring and card beside the target, which moves as the page fills and is scrolled.
  follow() {
    cancelAnimationFrame(this.frame);
    const box = this.target()?.getBoundingClientRect();
    const [left, top] = placed(box, this.card.offsetWidth, this.card.offsetHeight);
    Object.assign(this.card.style, { left: `${left}px`, top: `${top}px` });
    this.ring.hidden = !box?.width;
    if (box) {
      for (const side of ["left", "top", "width", "height"]) this.ring.style[side] = `${box[side]}px`;
    }
    this.frame = requestAnimationFrame(() => this.follow());
  }

  dispose() {
    this.hide();
    document.removeEventListener("keydown", this.onKey);
  }
}

const TOURS = new WeakMap(); // so that reruns keep it where it is

export default function ({ data, parentElement }) {
  const tour = TOURS.get(parentElement) ?? new Tour(parentElement, data);
  TOURS.set(parentElement, tour);
  return () => !parentElement.isConnected && tour.dispose();
}
