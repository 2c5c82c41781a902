// The drawing pad: strokes by mouse, pen and touch, or by the keys.

/** @typedef {import("./image.js").Point} Point */
/** @typedef {import("./image.js").Stroke} Stroke */

const LINE_WIDTH = 0.045; // of the pad's side
const DOT = 0.02; // of the pad's side: how far a finger trembles when it taps
const STEP = 1 / 32, LARGE_STEP = 1 / 8; // how far a key moves the pen
const UNIT = 1000; // a stroke's points lie in 0-1000
/** @type {Point} */
const CENTRE = [UNIT / 2, UNIT / 2];
/** @type {Record<string, [number, number]>} */
const MOVES = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  Home: [-1, -1],
  PageUp: [1, -1],
  End: [-1, 1],
  PageDown: [1, 1],
};

export class DrawingPad {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => void} changed called when a stroke was ended or taken back
   */
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    /** @type {Stroke[]} */
    this.strokes = [];
    /** @type {Stroke[][]} what undo goes back to */
    this.before = [];
    /** @type {Stroke | null} the stroke that is being drawn */
    this.current = null;
    /** @type {number | null} */
    this.pointer = null;
    /** @type {Point | null} the pen that the keys move */
    this.pen = null;
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.end(event));
    canvas.addEventListener("pointercancel", (event) => this.cancel(event));
    canvas.addEventListener("lostpointercapture", (event) => this.lose(event));
    // No gesture of the browser's own may begin here: a magnifier, a zoom, a tap that it waits for.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.liftPen());
    new ResizeObserver(() => this.paint()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  /** Whether no more than a dot is drawn, which has no shape to read. */
  get holdsDot() {
    const points = this.strokes.flat();
    return points.length > 0 && points.every(([x, y]) => Math.hypot(x - points[0][0], y - points[0][1]) < DOT * UNIT);
  }

  undo() {
    this.drop();
    const before = this.before.pop();
    if (before) {
      this.strokes = before;
      this.changed();
    }
    this.paint();
  }

  clear() {
    this.drop();
    if (this.pen) this.pen = CENTRE;
    if (this.strokes.length) this.set([]);
    this.paint();
  }

  /** @param {Stroke[]} strokes */
  set(strokes) {
    this.before.push(this.strokes);
    this.strokes = strokes;
    this.changed();
  }

  /** @param {PointerEvent} event */
  begin(event) {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    if (this.current && this.pointer !== null && this.pointer !== event.pointerId) return; // a second finger
    if (this.current) this.finish(); // one by the keys, or one whose end was not seen
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.pen = null;
    this.current = [this.place(event)];
    this.paint();
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (!this.current || event.pointerId !== this.pointer) return;
    if (!event.buttons) return this.finish(); // its end was not seen: a menu of the system took it
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const each of events.length ? events : [event]) this.add(this.place(each));
    this.paint();
  }

  /** @param {PointerEvent} event */
  end(event) {
    if (!this.current || event.pointerId !== this.pointer) return;
    this.add(this.place(event));
    this.finish();
  }

  /** @param {PointerEvent} event the browser takes the pointer away: there was no stroke */
  cancel(event) {
    if (event.pointerId !== this.pointer) return;
    this.drop();
    this.paint();
  }

  /** @param {PointerEvent} event what follows is not seen any more: the stroke ends here */
  lose(event) {
    if (this.current && event.pointerId === this.pointer) this.finish();
  }

  /** Without the stroke that is being drawn. */
  drop() {
    this.pointer = null;
    this.current = null;
  }

  finish() {
    const stroke = this.current;
    this.drop();
    if (stroke) this.set([...this.strokes, stroke]);
    this.paint();
  }

  /** @param {Point} point */
  add(point) {
    const last = this.current?.[this.current.length - 1]; // at(-1) is younger than the browsers that are promised
    if (!last || last[0] !== point[0] || last[1] !== point[1]) this.current?.push(point);
  }

  /** @param {PointerEvent} event @returns {Point} */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return [UNIT * Math.min(1, Math.max(0, x)), UNIT * Math.min(1, Math.max(0, y))];
  }

  /** @param {KeyboardEvent} event arrows move the pen, space puts it down and lifts it */
  key(event) {
    const move = MOVES[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || this.pointer !== null || !(move || event.key === " ")) return;
    event.preventDefault();
    const pen = this.pen ?? CENTRE;
    if (move) {
      const step = UNIT * (event.shiftKey ? LARGE_STEP : STEP);
      this.pen = [clamp(pen[0] + step * move[0]), clamp(pen[1] + step * move[1])];
      if (this.current) this.add(this.pen);
    } else {
      this.pen = pen;
      if (this.current) this.finish();
      else this.current = [pen];
    }
    this.paint();
  }

  liftPen() {
    if (this.current && this.pointer === null) this.finish();
    this.pen = null;
    this.paint();
  }

  paint() {
    const context = this.canvas.getContext("2d");
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (!context || !side) return;
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const colours = getComputedStyle(this.canvas);
    context.clearRect(0, 0, side, side);
    context.strokeStyle = colours.getPropertyValue("--guide");
    context.lineWidth = Math.max(1, side / 400);
    context.setLineDash([side / 60, side / 60]);
    this.trace(context, [[UNIT / 2, 0], [UNIT / 2, UNIT]], side);
    this.trace(context, [[0, UNIT / 2], [UNIT, UNIT / 2]], side);
    context.setLineDash([]);
    context.strokeStyle = context.fillStyle = colours.getPropertyValue("--ink");
    context.lineWidth = LINE_WIDTH * side;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.current ? [...this.strokes, this.current] : this.strokes) this.trace(context, stroke, side);
    if (this.pen) this.paintPen(context, this.pen, side, colours.getPropertyValue("--accent"));
  }

  /** @param {CanvasRenderingContext2D} context @param {Stroke} stroke @param {number} side */
  trace(context, stroke, side) {
    context.beginPath();
    const scale = side / UNIT;
    context.moveTo(stroke[0][0] * scale, stroke[0][1] * scale);
    for (const [x, y] of stroke.length > 1 ? stroke.slice(1) : stroke) context.lineTo(x * scale, y * scale);
    context.stroke();
  }

  /** @param {CanvasRenderingContext2D} context @param {Point} pen @param {number} side @param {string} colour */
  paintPen(context, pen, side, colour) {
    context.beginPath();
    context.arc((pen[0] * side) / UNIT, (pen[1] * side) / UNIT, LINE_WIDTH * side * 0.9, 0, 2 * Math.PI);
    context.lineWidth = Math.max(2, side / 150);
    context.strokeStyle = context.fillStyle = colour;
    context.stroke();
    if (this.current) context.fill();
  }
}

/** @param {number} value */
function clamp(value) {
  return Math.min(UNIT, Math.max(0, value));
}
