// On the stage where a cloud is filled in: whether it is seen before or after, or as it truly is,
// and whether free particles are coloured by how far they are from that.

import { element, setAttribute } from "./dom.js";
import { LAYERS, choicesOf } from "./settings.js";

export class Layers {
  // actions: {set(name, value)}
  constructor(actions) {
    const button = (name, text, onclick) =>
      element("button", { type: "button", "data-testid": `player-layer-${name}`, onclick }, text);
    this.layers = Object.entries(LAYERS).map(([name, text]) => ({
      name,
      button: button(name, text, () => actions.set("layer", name)),
    }));
    this.error = button("error", "Error", () => {
      actions.set("colour", this.coloured ? "kept" : "error");
      actions.set("layer", "after");
    });
    this.root = element(
      "div.layers",
      { role: "group", "aria-label": "What is seen of the cloud", hidden: true, "data-unpainted": true },
      element("div.choice", {}, ...this.layers.map(({ button }) => button)),
      element("div.choice", {}, this.error),
    );
  }

  update(settings, runs) {
    const { switches, colours } = choicesOf(runs);
    this.coloured = settings.colour === "error";
    this.root.hidden = settings.cut || !colours.kept;
    this.error.parentElement.hidden = !colours.error;
    setAttribute(this.error, "aria-pressed", this.coloured);
    for (const { name, button } of this.layers) {
      button.hidden = name === "truth" && !switches.truth;
      setAttribute(button, "aria-pressed", settings.layer === name);
    }
  }
}
