// What a person can do with a player, by its buttons, its keys and the timeline.

import { HOME } from "./camera.js";
import { neighbour } from "./clock.js";
import { stretches } from "./transport.js";

export function actionsOf(player) {
  const { clock, stage } = player;
  const then = (change) => (...args) => {
    change(...args);
    player.invalidate();
  };
  return {
    toggle: then(() => (clock.playing ? clock.pause() : clock.play())),
    step: then((direction) => {
      clock.pause();
      clock.seek(neighbour(player.recorded, clock.time, direction));
    }),
    start: then(() => clock.seek(clock.first)),
    end: then(() => clock.seek(clock.last)),
    seek: (time) => {
      clock.seek(time);
      player.draw(); // at once: the browser hands over slider moves just before each frame
    },
    follow: then(() => (clock.following ? clock.pause() : clock.follow())),
    speed: then((speed) => (clock.speed = speed)),
    slower: then(() => clock.slower()),
    faster: then(() => clock.faster()),
    change: then(() => {
      const step = lastChange(player.runs);
      if (step === null) return;
      clock.pause();
      clock.seek(step);
    }),
    loop: then(() => {
      clock.loop = clock.loop ? null : [clock.first, clock.last];
      player.drawRibbon();
    }),
    loopTo: then((end, time) => {
      clock.loop[end] = end ? Math.max(time, clock.loop[0]) : Math.min(time, clock.loop[1]);
      player.drawRibbon();
    }),
    pinNext: () => player.pinNext(),
    fit: () => stage.fit(),
    home: () => stage.setCamera({ ...HOME }),
    zoom: (factor) => stage.zoom(factor),
    nudge: (dx, dy) => stage.nudge(dx, dy),
    help: () => player.panels.toggle(player.panels.help),
    escape: () => player.panels.close() || player.unpin(),
    set: (name, value) => player.choose(name, value),
    link: () => player.link(),
    save: (kind) => player.keep(kind),
  };
}

// The step at which the runs' predictions change for the last time; null without predictions.
export function lastChange(runs) {
  const changes = runs
    .filter((run) => run.meta.classes && run.frames)
    .map((run) => run.steps[stretches(run).at(-1).frame]);
  return changes.length ? Math.max(...changes) : null;
}
