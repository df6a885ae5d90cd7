// On the stage where a cloud is filled in: whether it is seen before or after, or as it truly is,
// and whether free particles are coloured by how far they are from that, or from other seeds'.

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
    this.colours = Object.entries({ error: "Error", agreement: "Agreement" }).map(([name, text]) => {
      const onclick = () => {
        actions.set("colour", this.coloured === name ? "kept" : name);
        actions.set("layer", "after");
      };
      return { name, button: button(name, text, onclick) };
    });
    this.root = element(
      "div.layers",
      { role: "group", "aria-label": "What is seen of the cloud", hidden: true, "data-unpainted": true },
      element("div.choice", {}, ...this.layers.map(({ button }) => button)),
      element("div.choice", {}, ...this.colours.map(({ button }) => button)),
    );
  }

  update(settings, runs) {
    const { switches, colours } = choicesOf(runs);
    this.coloured = settings.colour;
    this.root.hidden = settings.cut || !colours.kept;
    for (const { name, button } of this.colours) {
      button.hidden = !colours[name];
      setAttribute(button, "aria-pressed", this.coloured === name);
    }
    this.colours[0].button.parentElement.hidden = this.colours.every(({ button }) => button.hidden);
    for (const { name, button } of this.layers) {
      button.hidden = name === "truth" && !switches.truth;
      setAttribute(button, "aria-pressed", settings.layer === name);
    }
  }
}
