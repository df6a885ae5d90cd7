// What is carried to a page is written into its link on arrival. Streamlit adds that to the browser's
// history, where Back would only take it away again; so the page is entered there once.

const WRITTEN = Symbol.for("ddeq.arrival"); // whether the history is minded already

export default function () {
  if (history[WRITTEN]) return;
  history[WRITTEN] = true;
  const push = history.pushState;
  history.pushState = function (state, title, address) {
    const to = new URL(address ?? location.href, location.href);
    const arriving = to.pathname === location.pathname && location.search === "";
    return (arriving || to.href === location.href ? history.replaceState : push).call(history, state, title, address);
  };
}
