// What opens on the stage: the choice of what is shown, the ways to save, and the keys.

import { element, iconButton } from "./dom.js";
import { KEYS } from "./keys.js";
import { COLOURS, choicesOf } from "./settings.js";

const MOUSE = [
  ["drag", "turn (in 2-D: move)"],
  ["shift + drag", "move; also with two fingers"],
  ["wheel, pinch", "zoom, once the view has been clicked"],
  ["click a particle", "pin it and see its step split"],
];
const SWITCHES = [
  ["ghost", "F(μ), the ghost"],
  ["residuals", "lines to F(μ)"],
  ["truth", "the truth"],
  ["trails", "trails"],
  ["arrows", "velocity"],
  ["raw", "recorded steps only"],
];
export class Panels {
  // actions: {set(name, value), fit, save(kind), link}
  constructor(actions) {
    this.switches = new Map();
    this.colour = element(
      "select",
      {
        "aria-label": "Colour by", "data-testid": "player-colour",
        onchange: () => actions.set("colour", this.colour.value),
      },
      ...Object.entries(COLOURS).map(([value, text]) => element("option", { value }, text)),
    );
    const rows = SWITCHES.map(([name, text]) => {
      const box = element("input", {
        type: "checkbox", "data-testid": `player-show-${name}`,
        onchange: () => actions.set(name, box.checked),
      });
      const row = element("label", {}, box, text);
      this.switches.set(name, { box, row });
      return row;
    });
    this.view = element(
      "div.panel",
      {
        id: "view", role: "group", "aria-label": "What is shown", hidden: true,
        "data-testid": "player-view-panel",
      },
      element("label.colour", {}, "colour by", this.colour),
      ...rows,
    );
    const saves = [
      ["png", "Picture (PNG)"], ["gif", "Animation (GIF)"], ["video", "Video"],
      ["ply", "This step's cloud (PLY)"], ["html", "Interactive page (HTML)"],
    ];
    this.save = element(
      "div.panel",
      { id: "save", role: "group", "aria-label": "Save", hidden: true, "data-testid": "player-save-panel" },
      ...saves.map(([kind, text]) =>
        element(
          "button",
          { type: "button", "data-testid": `player-save-${kind}`, onclick: () => actions.save(kind) },
          text,
        ),
      ),
    );
    const table = (entries) =>
      element(
        "dl",
        {},
        ...entries.flatMap(([key, text]) => [element("dt", {}, key), element("dd", {}, text)]),
      );
    this.help = element(
      "div.panel.help",
      { id: "help", role: "dialog", "aria-label": "Keys", hidden: true, "data-testid": "player-help-panel" },
      table(KEYS),
      table(MOUSE),
      (this.info = element("p.small", { "data-testid": "player-info" })),
    );
    const opener = (name, panel, label) => {
      const button = iconButton(name, label, `player-${panel.id}`, () => this.toggle(panel), {
        "aria-expanded": "false", "aria-controls": panel.id,
      });
      panel.opener = button;
      return button;
    };
    this.link = iconButton("link", "Link to this moment", "player-link", actions.link);
    this.bar = element(
      "div.tools",
      { "data-unpainted": true },
      opener("eye", this.view, "Choose what is shown"),
      iconButton("fit", "Fit the particles of this step", "player-fit", actions.fit),
      opener("save", this.save, "Save"),
      this.link,
      opener("help", this.help, "Keys"),
    );
    this.said = element("p.said", { "data-unpainted": true, role: "status", "data-testid": "player-said" });
    this.nodes = [this.bar, this.view, this.save, this.help, this.said];
  }

  toggle(panel) {
    const open = panel.hidden;
    this.close();
    panel.hidden = !open;
    panel.opener.setAttribute("aria-expanded", String(open));
  }

  // True where something was open.
  close() {
    const open = [this.view, this.save, this.help].filter((panel) => !panel.hidden);
    for (const panel of open) {
      panel.hidden = true;
      panel.opener.setAttribute("aria-expanded", "false");
    }
    return open.length > 0;
  }

  // A short remark that goes by itself.
  say(text, seconds = 4) {
    this.said.textContent = text;
    clearTimeout(this.timer);
    if (seconds) this.timer = setTimeout(() => (this.said.textContent = ""), seconds * 1000);
  }

  // Show the settings, and only the choices these runs allow.
  update(settings, runs, linkable) {
    const choices = choicesOf(runs);
    for (const [name, { box, row }] of this.switches) {
      box.checked = Boolean(settings[name]);
      row.hidden = !choices.switches[name];
    }
    for (const option of this.colour.options) option.hidden = !choices.colours[option.value];
    this.colour.value = settings.colour;
    this.link.hidden = !linkable;
  }
}
