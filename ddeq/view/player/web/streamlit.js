// The player inside a Streamlit page: finds its data, survives reruns, reports links and steps.
/* global PLAYER_CSS, PAGE_HTML -- put in front when the modules are joined */

import { Player } from "./player.js";
import { Run } from "./format.js";

// key -> {player, host, runs, saved}; on the page, so that it outlives single mounts.
const GRACE = 5000; // ms in which a player taken off the page may be put back
const PLAYERS = (globalThis.ddeqPlayers ??= new Map());

export function mount({ data, parentElement, setStateValue, setTriggerValue }, base) {
  const entry = PLAYERS.get(data.key) ?? { saved: null, sources: [] };
  PLAYERS.set(data.key, entry);
  if (data.serial < entry.newest?.serial) return undefined; // calls may be taken up out of order
  entry.newest = data;
  if (!entry.player) {
    entry.host = document.createElement("div");
    const shadow = entry.host.attachShadow({ mode: "open" });
    const sheet = document.createElement("style");
    sheet.textContent = PLAYER_CSS;
    shadow.append(sheet);
    parentElement.append(entry.host);
    const source = async () => {
      const script = await (await fetch(new URL(entry.newest.script, base))).text();
      return { script, template: PAGE_HTML };
    };
    entry.player = new Player(shadow, { moment: data.state ?? {}, saved: entry.saved, source });
  }
  if (entry.host.parentNode !== parentElement) parentElement.append(entry.host);
  entry.player.onLink = data.links ? (moment) => link(moment, setTriggerValue) : null;
  entry.player.onStep = data.steps ? (step) => setStateValue("step", step) : null;
  entry.player.onTake = (direction) => setTriggerValue("looked", direction);
  entry.player.onPick = (point) => setTriggerValue("picked", point);
  entry.player.onTouch = data.touch ? (touch) => setTriggerValue("touched", touch) : null;
  entry.player.tips = data.tips;
  entry.player.setTheme();
  entry.rerun = () => setTriggerValue("lost", true);
  load(entry, base);
  // Streamlit calls this also where a newer call has overtaken this one, so look before parting.
  return () => setTimeout(() => entry.player && !entry.host.isConnected && close(entry), GRACE);
}

function link(moment, setTriggerValue) {
  setTriggerValue("link", moment); // the page puts it into its address
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(moment)) address.searchParams.set(name, value);
  return address.href;
}

function close(entry) {
  entry.saved = entry.player.save();
  entry.player.destroy();
  entry.player = null;
  entry.sources = [];
}

// Fetch the pieces that are new; a piece's address is its content's hash. Calls that arrive
// meanwhile are served by one more round, so a quick solver cannot starve the view.
async function load(entry, base) {
  if (entry.loading) return;
  entry.loading = true;
  for (let data = null; data !== entry.newest && entry.player; ) {
    data = entry.newest;
    try {
      const growing = data.runs.map((urls, k) => grow(entry.sources[k], urls, base));
      entry.sources = await Promise.all(growing);
      if (!entry.player) break;
      entry.lost = false;
      entry.player.fail("");
      entry.player.setRuns(entry.sources.map((source) => source.run), data);
    } catch (error) {
      if (entry.newest === data) lose(entry, data, error);
    }
  }
  entry.loading = false;
}

// Streamlit drops the files of a script run that is interrupted. While a run is live, its next call
// offers them anew; a finished one needs a rerun of the page to do so, for which to ask once.
function lose(entry, { live }, error) {
  if (live || !entry.player) return;
  if (entry.lost) entry.player.fail(`The run could not be shown: ${error.message}`);
  else entry.rerun();
  entry.lost = true;
}

async function grow(source, urls, base) {
  const grown = source?.urls.every((url, k) => urls[k] === url);
  const target = grown ? source : { urls: [], run: new Run() };
  const fresh = urls.slice(target.urls.length);
  const pieces = await Promise.all(fresh.map((url) => fetchPiece(new URL(url, base))));
  pieces.forEach((piece, k) => {
    target.run.append(piece);
    target.urls.push(fresh[k]);
  });
  return target;
}

async function fetchPiece(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`its data is gone (${response.status}); run the solver again.`);
  return new Uint8Array(await response.arrayBuffer());
}
