// A grid of digit thumbnails, one row a class, that behaves like one group of radio buttons.

const PICKERS = new WeakMap();

class Picker {
  constructor(parent, { names, columns }) {
    this.columns = columns;
    this.grid = document.createElement("div");
    this.grid.className = "picker";
    this.grid.role = "radiogroup";
    this.grid.ariaLabel = "Real handwritten digits";
    this.grid.style.setProperty("--columns", columns);
    this.cells = names.map((name, i) => {
      const cell = document.createElement("button");
      cell.type = "button";
      cell.role = "radio";
      cell.ariaLabel = name;
      cell.title = name;
      cell.dataset.testid = `digit-${i}`;
      cell.style.setProperty("--x", i % columns);
      cell.style.setProperty("--y", Math.floor(i / columns));
      cell.onclick = () => this.onPick(i);
      cell.onkeydown = (event) => this.move(event, i);
      return cell;
    });
    this.grid.append(...this.cells);
    parent.append(this.grid);
  }

  move(event, i) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns };
    const next = this.cells[i + (step[event.key] ?? NaN)];
    if (!next) return;
    event.preventDefault();
    next.focus();
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
    if (left < scrollLeft || left + cell.offsetWidth > scrollLeft + clientWidth)
      this.grid.scrollLeft = left - clientWidth / 2;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  if (!PICKERS.has(parentElement)) PICKERS.set(parentElement, new Picker(parentElement, data));
  const picker = PICKERS.get(parentElement);
  picker.onPick = (i) => {
    picker.mark(i);
    setTriggerValue("digit", i);
  };
  picker.mark(data.chosen);
}
