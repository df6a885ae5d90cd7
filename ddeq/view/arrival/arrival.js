// The browser's history has an entry for each page that was gone to, and for each input that was
// picked there. Streamlit enters whatever changes a link: on the way to another page that is, in an
// order that depends on how busy the machine is, what the page that is left loses, what is carried
// along, and what the page that is reached adds. Back would only take that away again.

const MINDED = Symbol.for("ddeq.arrival"); // whether the history is minded already
const PICKED = ["digit", "object"];

export default function () {
  if (history[MINDED]) return;
  history[MINDED] = true;
  const push = history.pushState;
  history.pushState = function (state, title, address) {
    const [from, to] = [new URL(location.href), new URL(address ?? location.href, location.href)];
    const picks = !to.searchParams.has("demo") && PICKED.some((name) => differs(from, to, name));
    const enters = to.pathname !== from.pathname || picks; // a demo picks by itself
    return (enters ? push : history.replaceState).call(history, state, title, address);
  };
}

// Whether both say which was picked, and not the same.
function differs(from, to, name) {
  const [before, after] = [from.searchParams.get(name), to.searchParams.get(name)];
  return before !== null && after !== null && before !== after;
}
