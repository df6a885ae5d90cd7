// The player on a page of its own: runs are inlined as base64.
/* global PLAYER_CSS, PAGE_HTML -- put in front when the modules are joined */

import { Player } from "./player.js";
import { Run } from "./format.js";

export function mountPage(host, texts, options = {}) {
  const runs = texts.map((text) => {
    const run = new Run();
    run.append(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
    return run;
  });
  const moment = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = document.createElement("style");
  sheet.textContent = PLAYER_CSS;
  shadow.append(sheet);
  const source = async () => ({ script: ownScript(), template: PAGE_HTML });
  const player = new Player(shadow, { moment, source });
  player.onLink = (linked) => {
    history.replaceState(null, "", `#${new URLSearchParams(linked)}`);
    return location.href;
  };
  player.setRuns(runs, options);
  return player;
}

// The text of the page's script without its last line, which holds the runs.
function ownScript() {
  const text = document.getElementById("script").textContent;
  return text.slice(0, text.lastIndexOf("\nglobalThis.player = "));
}
