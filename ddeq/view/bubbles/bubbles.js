// One bubble for the whole page. It says what `data-tip` of the node pointed at, focused or tapped
// says, beside that node and within the window; also for nodes in the player's shadow tree.

const GAP = 7;
const EDGE = 12;

const tipped = (event) =>
  event.composedPath().find((node) => node instanceof Element && node.hasAttribute("data-tip"));

function makeBubble() {
  const bubble = document.createElement("div");
  bubble.className = "ddeq-bubble";
  bubble.popover = "manual"; // above all else, wherever it stands
  bubble.setAttribute("role", "tooltip");
  bubble.dataset.testid = "bubble";
  document.body.append(bubble);
  return bubble;
}

function place(bubble, node) {
  const at = node.getClientRects()[0] ?? node.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = bubble;
  const above = at.top - height - GAP;
  const left = Math.min(at.left, document.documentElement.clientWidth - width - EDGE);
  bubble.style.left = `${Math.max(EDGE, left)}px`;
  bubble.style.top = `${above >= EDGE ? above : at.bottom + GAP}px`;
}

export default function () {
  const bubble = makeBubble();
  const ending = new AbortController();
  const on = (name, action, options = {}) =>
    document.addEventListener(name, action, { signal: ending.signal, ...options });

  const hide = () => bubble.matches(":popover-open") && bubble.hidePopover();
  const show = (event) => {
    const node = tipped(event);
    if (!node) return hide();
    bubble.textContent = node.dataset.tip;
    if (!bubble.matches(":popover-open")) bubble.showPopover();
    place(bubble, node);
  };
  on("pointerover", show);
  on("pointerdown", show);
  on("focusin", show);
  on("focusout", hide);
  on("keydown", (event) => event.key === "Escape" && hide());
  on("scroll", hide, { capture: true, passive: true });
  return () => {
    ending.abort();
    bubble.remove();
  };
}
