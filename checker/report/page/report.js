'use strict';
// The maps of the page. What came from the image is either numbers, or text that is in the page already and
// only ever set as text.
(() => {
  const ROWS_HEIGHT = 238;  // of a map, in CSS pixels
  const LEAST_CELL = 14, LARGEST_CELL = 40;
  const ZOOM = 4;
  const LISTED = 8;  // findings in the details of a place

  const human = (bytes) => {
    const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
    let unit = 0;
    for (; bytes >= 1024 && unit < 6; ++unit) bytes /= 1024;
    return (Number.isInteger(bytes) ? bytes : bytes.toPrecision(3)) + ' ' + (bytes === 1 && unit === 0 ? 'byte' : units[unit]);
  };
  const hex = (value) => '0x' + value.toString(16);
  const make = (tag, parent, properties = {}) => parent.appendChild(Object.assign(document.createElement(tag), properties));
  const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

  // What a map holds, by unit (a cluster or subcluster).
  class Summary {
    constructor({unit, bytes, kinds, numbers}) {
      Object.assign(this, {unit, bytes, kinds, begins: [], shares: []});
      let at = 0;
      for (let i = 0; i < numbers.length;) {
        const length = numbers[i++], set = numbers[i++], present = [];
        kinds.forEach((_, kind) => { if (set & (1 << kind)) present.push(kind); });
        this.shares.push(present.length === 1 ? [[present[0], length]] : present.map((kind) => [kind, numbers[i++]]));
        this.begins.push(at);
        at += length;
      }
      this.units = at;
      this.begins.push(at);
    }
    segmentAt(unit) {
      let low = 0, high = this.shares.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (this.begins[middle] <= unit) low = middle; else high = middle - 1;
      }
      return low;
    }
    // Units of each kind in [begin, end), as an array by kind; `exact` is false where only shares are known.
    content(begin, end, from = this.segmentAt(begin)) {
      const units = new Array(this.kinds.length).fill(0);
      let exact = true, i = from;
      for (; i < this.shares.length && this.begins[i] < end; ++i) {
        const length = this.begins[i + 1] - this.begins[i];
        const inside = Math.min(end, this.begins[i + 1]) - Math.max(begin, this.begins[i]);
        for (const [kind, share] of this.shares[i]) units[kind] += share * inside / length;
        if (inside < length && this.shares[i].length > 1) exact = false;
      }
      return {units, exact, last: Math.max(from, i - 1)};
    }
  }

  class DiskMap {
    constructor(name, data) {
      this.root = document.getElementById(name + '-map');
      this.name = name;
      if (!data || data.numbers.length === 0) {
        make('p', this.root, {className: 'about', textContent: data ? 'It is empty.' : 'The metadata is too damaged for a map.'});
        return;
      }
      this.summary = new Summary(data);
      this.marks = [];  // {begin, end, severity, item}, in units
      this.view = {begin: 0, end: this.summary.units};
      this.cursor = 0;  // cell
      this.pointed = null;
      this.build();
      new ResizeObserver(() => this.draw()).observe(this.canvas);
      matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
    }

    build() {
      const bar = make('div', this.root, {className: 'bar'});
      const button = (text, label, act) => {
        const made = make('button', bar, {type: 'button', textContent: text, onclick: act});
        made.setAttribute('aria-label', `${label}, ${this.name} map`);
        return made;
      };
      this.nearer = button('Zoom in', 'Zoom in', () => this.zoom(ZOOM));
      this.farther = button('Zoom out', 'Zoom out', () => this.zoom(1 / ZOOM));
      this.whole = button('Show all', 'Show all', () => this.show(0, this.summary.units));
      this.back = button('\u2190', 'Move back', () => this.move(-0.5));
      this.forth = button('\u2192', 'Move on', () => this.move(0.5));
      this.range = make('span', bar, {className: 'range'});
      this.canvas = make('canvas', this.root, {tabIndex: 0, className: 'cells'});
      this.canvas.setAttribute('role', 'application');
      this.canvas.setAttribute('aria-label', `Map of the ${this.name === 'file' ? 'image file' : 'guest disk'}. Arrow keys move, Enter zooms in, minus zooms out, Home shows all.`);
      this.overview = make('canvas', this.root, {className: 'overview'});
      this.overview.setAttribute('aria-hidden', 'true');
      this.legend = make('ul', this.root, {className: 'legend'});
      this.fillLegend();
      this.details = make('div', this.root, {className: 'details'});
      this.details.setAttribute('aria-live', 'polite');
      make('p', this.root, {className: 'keys', textContent: 'Click a cell for details, double-click or Enter zooms in, drag selects a range; arrow keys move, + and - zoom, Home shows all. A corner marks findings.'});
      this.listen();
    }

    listen() {
      const cellOf = (event) => {
        const box = this.canvas.getBoundingClientRect();
        const column = clamp(Math.floor((event.clientX - box.left) / this.cell), 0, this.columns - 1);
        return clamp(Math.floor((event.clientY - box.top) / this.cell) * this.columns + column, 0, this.cells - 1);
      };
      let start = null;
      this.canvas.addEventListener('pointerdown', (event) => { start = cellOf(event); });
      this.canvas.addEventListener('pointerup', (event) => {
        const end = cellOf(event);
        if (start !== null && Math.abs(end - start) > 1) {
          const [first] = this.unitsOf(Math.min(start, end)), [, last] = this.unitsOf(Math.max(start, end));
          this.show(first, last);
        } else {
          this.select(end);
        }
        start = null;
      });
      this.canvas.addEventListener('dblclick', (event) => { this.cursor = cellOf(event); this.zoom(ZOOM); });
      this.canvas.addEventListener('wheel', (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        this.cursor = cellOf(event);
        this.zoom(event.deltaY < 0 ? ZOOM / 2 : 2 / ZOOM);
      }, {passive: false});
      this.canvas.addEventListener('keydown', (event) => {
        const steps = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns};
        const acts = {Enter: () => this.zoom(ZOOM), '+': () => this.zoom(ZOOM), '-': () => this.zoom(1 / ZOOM),
          Backspace: () => this.zoom(1 / ZOOM), Home: () => this.show(0, this.summary.units)};
        if (event.ctrlKey || event.altKey || event.metaKey) return;
        if (event.key in steps) this.step(steps[event.key]);
        else if (event.key in acts) acts[event.key]();
        else return;
        event.preventDefault();
      });
      this.overview.addEventListener('pointerdown', (event) => {
        const box = this.overview.getBoundingClientRect(), half = (this.view.end - this.view.begin) / 2;
        const middle = (event.clientX - box.left) / box.width * this.summary.units;
        this.show(middle - half, middle + half);
      });
    }

    fillLegend() {
      const all = this.summary.content(0, this.summary.units).units;
      this.summary.kinds.forEach(([kind, text], i) => {
        if (all[i] === 0) return;
        const item = make('li', this.legend);
        make('span', item, {className: 'swatch'}).style.background = `var(--kind-${kind})`;
        item.append(text + ' ');
        make('span', item, {className: 'amount', textContent: human(Math.min(all[i] * this.summary.unit, this.summary.bytes))});
      });
    }

    // Moves the view; keeps it inside the map, and not below a few cells.
    show(begin, end) {
      const units = this.summary.units, least = Math.min(units, 16);
      const length = clamp(Math.ceil(end - begin), least, units);
      const first = clamp(Math.floor(begin), 0, units - length);
      this.view = {begin: first, end: first + length};
      this.cursor = 0;
      this.draw();
      this.describe(this.view.begin, this.view.end);
    }
    zoom(factor) {
      const [begin, end] = this.unitsOf(this.cursor), middle = (begin + end) / 2;
      const half = (this.view.end - this.view.begin) / factor / 2;
      this.show(middle - half, middle + half);
      if (this.cells > 0) this.cursor = clamp(Math.floor((middle - this.view.begin) / this.perCell), 0, this.cells - 1);
      this.draw();
    }
    move(share) {
      const by = (this.view.end - this.view.begin) * share;
      this.show(this.view.begin + by, this.view.end + by);
    }
    step(cells) {
      const next = this.cursor + cells;
      if (next < 0 && this.view.begin > 0) this.move(-0.5);
      else if (next >= this.cells && this.view.end < this.summary.units) this.move(0.5);
      else this.select(clamp(next, 0, this.cells - 1));
    }
    select(cell) {
      this.cursor = cell;
      this.pointed = null;
      this.draw();
      this.describe(...this.unitsOf(cell));
    }
    // Shows bytes that a link names.
    point(offset, length) {
      const {unit, units} = this.summary;
      const begin = clamp(Math.floor(offset / unit), 0, units - 1);
      const end = clamp(Math.ceil((offset + Math.max(length, 1)) / unit), begin + 1, units);
      const margin = Math.max(32, (end - begin) / 2);
      this.pointed = {begin, end};
      this.show(begin - margin, end + margin);
      this.cursor = clamp(Math.floor((begin - this.view.begin) / this.perCell), 0, this.cells - 1);
      this.draw();
      this.describe(begin, end);
      this.root.scrollIntoView({block: 'nearest'});
      this.canvas.focus({preventScroll: true});
    }

    unitsOf(cell) {
      const begin = Math.min(this.view.begin + cell * this.perCell, this.view.end);
      return [begin, Math.min(begin + this.perCell, this.view.end)];
    }

    // Cells are as large as they can be while all units of the view, or as many cells as fit, are shown.
    layOut() {
      const width = this.canvas.clientWidth, units = this.view.end - this.view.begin;
      this.cell = LARGEST_CELL;
      const fits = () => Math.floor(width / this.cell) * Math.floor(ROWS_HEIGHT / this.cell);
      while (this.cell > LEAST_CELL && fits() < units) --this.cell;
      this.columns = Math.max(1, Math.floor(width / this.cell));
      this.perCell = Math.max(1, Math.ceil(units / Math.max(1, fits())));
      this.cells = Math.max(1, Math.ceil(units / this.perCell));
      return {width, height: Math.ceil(this.cells / this.columns) * this.cell};
    }

    // A drawing context in CSS pixels.
    prepare(canvas, width, height) {
      const scale = devicePixelRatio || 1;
      const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
      if (canvas.width !== w) canvas.width = w;
      if (canvas.height !== h) canvas.height = h;
      canvas.style.height = height + 'px';
      const context = canvas.getContext('2d');
      context.setTransform(scale, 0, 0, scale, 0, 0);
      context.clearRect(0, 0, width, height);
      return context;
    }

    draw() {
      if (this.canvas.clientWidth === 0) return;
      const {width, height} = this.layOut();
      const style = getComputedStyle(document.documentElement);
      this.colour = (name) => style.getPropertyValue(name);
      this.colours = this.summary.kinds.map(([kind]) => this.colour('--kind-' + kind));
      const context = this.prepare(this.canvas, width, height);
      const marks = this.marksByCell();
      let segment = this.summary.segmentAt(this.view.begin);
      for (let cell = 0; cell < this.cells; ++cell) {
        const [begin, end] = this.unitsOf(cell);
        const content = this.summary.content(begin, end, segment);
        segment = content.last;
        this.drawCell(context, cell, content.units, end - begin, marks.get(cell));
      }
      this.drawOverview();
      this.describeView();
    }

    drawCell(context, cell, units, total, severity) {
      const size = this.cell - 2;
      const x = (cell % this.columns) * this.cell + 1, y = Math.floor(cell / this.columns) * this.cell + 1;
      // From the bottom up; what is rare but there is never thinner than two pixels.
      let bottom = y + size, left = size;
      const present = units.map((amount, kind) => [amount, kind]).filter(([amount]) => amount > 0).sort((a, b) => a[0] - b[0]);
      present.forEach(([amount, kind], i) => {
        const last = i === present.length - 1;
        const high = last ? left : Math.min(left, Math.max(2, Math.round(size * amount / total)));
        context.fillStyle = this.colours[kind];
        context.fillRect(x, bottom - high, size, high);
        bottom -= high;
        left -= high;
      });
      if (severity) {
        context.fillStyle = this.colour(severity === 'leak' ? '--warning' : severity === 'notice' ? '--soft' : '--bad');
        context.strokeStyle = this.colour('--card');
        context.beginPath();
        context.moveTo(x + size / 2, y);
        context.lineTo(x + size, y);
        context.lineTo(x + size, y + size / 2);
        context.closePath();
        context.fill();
        context.stroke();
      }
      const [begin, end] = this.unitsOf(cell);
      const pointed = this.pointed && begin < this.pointed.end && this.pointed.begin < end;
      if (pointed || cell === this.cursor) {
        context.lineWidth = 2;
        context.strokeStyle = this.colour(pointed ? '--bad' : '--ink');
        context.strokeRect(x, y, size, size);
        context.lineWidth = 1;
      }
    }

    drawOverview() {
      const width = this.overview.clientWidth, height = 14, units = this.summary.units;
      const context = this.prepare(this.overview, width, height);
      let segment = 0;
      for (let x = 0; x < width; x += 2) {
        const content = this.summary.content(x / width * units, Math.min(units, (x + 2) / width * units), segment);
        segment = content.last;
        // The most telling kind: anything but free space and data first.
        const kind = content.units.reduce((best, amount, i) => {
          const weight = (k) => content.units[k] * (['free', 'data', 'zero', 'compressed'].includes(this.summary.kinds[k][0]) ? 1 : 20);
          return amount > 0 && (best < 0 || weight(i) > weight(best)) ? i : best;
        }, -1);
        context.fillStyle = kind < 0 ? this.colours[0] : this.colours[kind];
        context.fillRect(x, 3, 2, 8);
      }
      const from = this.view.begin / units * width, to = this.view.end / units * width;
      context.strokeStyle = this.colour('--ink');
      context.lineWidth = 2;
      context.strokeRect(Math.min(from + 1, width - 4), 1, Math.max(2, to - from - 2), 12);
    }

    marksByCell() {
      const rank = ['notice', 'leak', 'corruption', 'unchecked'], cells = new Map();
      for (const {begin, end, severity} of this.marks) {
        if (end <= this.view.begin || begin >= this.view.end) continue;
        const first = Math.floor((Math.max(begin, this.view.begin) - this.view.begin) / this.perCell);
        const last = Math.min(this.cells - 1, Math.floor((Math.min(end, this.view.end) - 1 - this.view.begin) / this.perCell));
        for (let cell = first; cell <= last; ++cell)
          if (rank.indexOf(severity) >= rank.indexOf(cells.get(cell))) cells.set(cell, severity);
      }
      return cells;
    }

    bytesOf(begin, end) {
      const first = begin * this.summary.unit;
      return [first, Math.max(first, Math.min(end * this.summary.unit, this.summary.bytes) - 1)];
    }
    describeView() {
      const [first, last] = this.bytesOf(this.view.begin, this.view.end);
      this.range.textContent = `${hex(first)} \u2013 ${hex(last)} (${human(last - first + 1)}), a cell is ${human(this.perCell * this.summary.unit)}`;
      const all = this.view.end - this.view.begin === this.summary.units;
      this.farther.disabled = this.whole.disabled = this.back.disabled = this.forth.disabled = all;
      this.nearer.disabled = this.view.end - this.view.begin <= 16;
    }
    // Says what is in [begin, end), and which findings are about it.
    describe(begin, end) {
      const [first, last] = this.bytesOf(begin, end);
      const {units, exact} = this.summary.content(begin, end);
      this.details.replaceChildren();
      const line = make('div', this.details);
      make('strong', line, {textContent: `${hex(first)} \u2013 ${hex(last)}`});
      line.append(` ${human(last - first + 1)} at ${human(first)}: ` + units.map((amount, kind) => [amount, kind])
        .filter(([amount]) => amount > 0).sort((a, b) => b[0] - a[0])
        .map(([amount, kind]) => this.summary.kinds[kind][1] + (amount < end - begin ? ` ${exact ? '' : 'about '}${human(Math.round(amount * this.summary.unit))}` : ''))
        .join(', '));
      const here = [...new Set(this.marks.filter((mark) => mark.begin < end && begin < mark.end).map((mark) => mark.item))];
      if (here.length === 0) return;
      if (end - begin === this.summary.units) {
        make('div', this.details, {textContent: `${here.length} of the findings below ${here.length === 1 ? 'is' : 'are'} marked in this map.`});
        return;
      }
      const list = make('ul', this.details);
      for (const item of here.slice(0, LISTED)) {
        const link = make('a', make('li', list), {href: '#' + item.id});
        link.textContent = item.closest('.rule').querySelector('h3').firstChild.textContent.trim() + ': ' + item.querySelector('.text').textContent;
      }
      if (here.length > LISTED) make('li', list, {textContent: `and ${here.length - LISTED} more`});
    }
  }

  const data = JSON.parse(document.getElementById('map-data').textContent);
  const maps = {file: new DiskMap('file', data.file), disk: new DiskMap('disk', data.disk)};

  document.querySelectorAll('.findings li').forEach((item, i) => { item.id = 'finding-' + i; });
  document.querySelectorAll('a.place').forEach((link) => {
    const map = maps[link.dataset.map], offset = Number(link.dataset.offset), length = Number(link.dataset.length);
    if (!map.summary) return;
    const item = link.closest('.findings li');
    const begin = Math.floor(offset / map.summary.unit);
    const end = Math.max(begin + 1, Math.ceil((offset + length) / map.summary.unit));
    if (item && begin < map.summary.units) map.marks.push({begin, end, severity: item.dataset.severity, item});
    link.addEventListener('click', (event) => {
      event.preventDefault();
      document.querySelectorAll('.pointed').forEach((other) => other.classList.remove('pointed'));
      if (item) item.classList.add('pointed');
      map.point(offset, length);
    });
  });
  for (const map of Object.values(maps)) if (map.summary) map.show(0, map.summary.units);
})();
