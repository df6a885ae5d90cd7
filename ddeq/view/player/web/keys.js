// What keys do, and how the help says it.

const TURN = 20; // pixels of a drag that an arrow key is worth

// keys: as KeyboardEvent.key. does: the name of an action, and what it is given.
const BINDINGS = [
  { shown: "space", text: "play or pause", keys: { " ": ["toggle"] } },
  {
    shown: "← →",
    text: "one recorded step back or forward",
    keys: { ArrowLeft: ["step", -1], ArrowRight: ["step", 1] },
  },
  { shown: "Home End", text: "first or last step", keys: { Home: ["start"], End: ["end"] } },
  { shown: "[ ]", text: "slower or faster", keys: { "[": ["slower"], "]": ["faster"] } },
  { shown: "C", text: "last change of the prediction", keys: { c: ["change"] } },
  { shown: "P", text: "pin the next particle", keys: { p: ["pinNext"] } },
  { shown: "F", text: "fit the particles of this step", keys: { f: ["fit"] } },
  { shown: "0", text: "the whole run from the front", keys: { 0: ["home"] } },
  { shown: "+ −", text: "zoom", keys: { "+": ["zoom", 1.25], "-": ["zoom", 0.8] } },
  {
    shown: "shift + arrows",
    text: "turn (in 2-D: move)",
    shift: true,
    keys: {
      ArrowLeft: ["nudge", -TURN, 0],
      ArrowRight: ["nudge", TURN, 0],
      ArrowUp: ["nudge", 0, -TURN],
      ArrowDown: ["nudge", 0, TURN],
    },
  },
  { shown: "?", text: "this help", keys: { "?": ["help"] } },
  { shown: "Esc", text: "close, unpin", keys: { Escape: ["escape"] } },
];

// For the help: [keys, what they do].
export const KEYS = BINDINGS.map(({ shown, text }) => [shown, text]);

// The action of a key press as [name, ...what it is given], or null.
export function actionOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const target = event.composedPath()[0];
  const taken = target.matches("select, input[type=checkbox]"); // by the field itself
  if (taken && event.key !== "Escape") return null;
  if (event.key === " " && target.matches("button")) return null;
  const named = BINDINGS.filter(({ keys }) => keys[event.key]);
  const shifted = event.shiftKey && named.find(({ shift }) => shift);
  return (shifted || named.find(({ shift }) => !shift))?.keys[event.key] ?? null;
}
