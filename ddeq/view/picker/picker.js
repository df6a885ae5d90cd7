// A grid of thumbnails, one row a class, that behaves like one group of radio buttons.

const AIR = 4; // pixels around the cells
const PICKERS = new WeakMap();

class Picker {
  constructor(parent, { label, kind, cells, rows }) {
    this.places = cells;
    this.grid = document.createElement("div");
    this.grid.className = "picker";
    this.grid.role = "radiogroup";
    this.grid.ariaLabel = label;
    this.grid.append(...rows.map((name, y) => rowName(name, y)));
    this.cells = cells.map(({ name, x, y }, i) => {
      const cell = document.createElement("button");
      cell.type = "button";
      cell.role = "radio";
      cell.ariaLabel = name;
      cell.title = name;
      cell.dataset.testid = `${kind}-${i}`;
      cell.style.gridArea = `${y + 1} / ${x + (rows.length ? 2 : 1)}`;
      cell.style.order = y;
      cell.style.setProperty("--x", x);
      cell.style.setProperty("--y", y);
      cell.onclick = () => this.onPick(i);
      cell.onkeydown = (event) => this.move(event, i);
      return cell;
    });
    this.grid.append(...this.cells);
    parent.append(this.grid);
  }

  move(event, i) {
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = step[1] ? this.inRow(this.places[i].y + step[1], this.places[i].x) : i + step[0];
    this.cells[next]?.focus();
  }

  // The cell of a row that is nearest to a column.
  inRow(y, x) {
    const away = this.places.map((place) => (place.y === y ? Math.abs(place.x - x) : Infinity));
    const nearest = Math.min(...away);
    return Number.isFinite(nearest) ? away.indexOf(nearest) : -1;
  }

  mark(chosen) {
    this.cells.forEach((cell, i) => {
      cell.ariaChecked = i === chosen;
      cell.tabIndex = i === (chosen ?? 0) ? 0 : -1;
    });
    if (chosen === this.shown) return;
    this.shown = chosen;
    const cell = this.cells[chosen];
    if (!cell) return;
    const { scrollLeft, clientWidth } = this.grid;
    const left = cell.offsetLeft;
    if (left >= scrollLeft && left + cell.offsetWidth <= scrollLeft + clientWidth) return;
    const pitch = this.cells[1].offsetLeft - this.cells[0].offsetLeft || cell.offsetWidth;
    this.grid.scrollLeft = left - AIR - pitch * Math.floor(clientWidth / 2 / pitch); // by whole cells
  }
}

function rowName(name, y) {
  const label = document.createElement("span");
  label.textContent = name;
  label.style.gridArea = `${y + 1} / 1`;
  label.style.order = y; // in one strip, before those of its class
  return label;
}

export default function ({ data, parentElement, setTriggerValue }) {
  if (!PICKERS.has(parentElement)) PICKERS.set(parentElement, new Picker(parentElement, data));
  const picker = PICKERS.get(parentElement);
  picker.onPick = (i) => {
    picker.mark(i);
    setTriggerValue("picked", i);
  };
  picker.mark(data.chosen);
}
