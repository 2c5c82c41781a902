// The page: what was drawn goes to the recogniser after every stroke; what is picked goes to the line of text.

import { DrawingPad } from "./pad.js";
import { Recogniser } from "./recogniser.js";
import { codePoints, percent } from "./text.js";

/** @typedef {import("./recogniser.js").Candidate} Candidate */

const TOP = 10;
// A module of two instructions of WebAssembly's SIMD: i8x16.splat and i8x16.popcnt.
const SIMD = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11);

/** @param {string} id @returns {any} */
const find = (id) => document.getElementById(id);
const list = /** @type {HTMLOListElement} */ (find("candidates"));
const line = /** @type {HTMLInputElement} */ (find("line"));
const row = /** @type {HTMLTemplateElement} */ (find("candidate"));
const undo = /** @type {HTMLButtonElement} */ (find("undo"));
const clear = /** @type {HTMLButtonElement} */ (find("clear"));
const pad = new DrawingPad(find("pad"), changed);

/** @type {Recogniser | null} */
let recogniser = null;
/** @type {Candidate[]} */
let candidates = [];
let busy = false, outdated = false;

/** @param {string} text @param {boolean} problem */
function say(text, problem = false) {
  find("status").textContent = text;
  find("status").classList.toggle("problem", problem);
}

function changed() {
  undo.disabled = pad.before.length === 0;
  clear.disabled = pad.strokes.length === 0;
  void recognise();
}

async function recognise() {
  if (!recogniser) return;
  if (busy) {
    outdated = true; // the drawing has changed since: once more when this answer is there
    return;
  }
  busy = true;
  try {
    do {
      outdated = false;
      show(pad.strokes.length && !pad.holdsDot ? await recogniser.recognise(pad.strokes, TOP) : []);
    } while (outdated);
  } catch (error) {
    say(explain(error), true);
  } finally {
    busy = false;
  }
}

/** @param {Candidate[]} found */
function show(found) {
  candidates = found;
  list.replaceChildren(...found.map(describe));
  const [best] = found;
  if (best) say(`${best.character} ${percent(best.probability)}`);
  else if (pad.holdsDot) say("A single point: there is nothing to read yet.");
  else say("Draw one character.");
}

/** @param {Candidate} candidate @param {number} number */
function describe(candidate, number) {
  const item = /** @type {DocumentFragment} */ (row.content.cloneNode(true));
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (item.querySelector(`.${name}`));
  part("character").textContent = candidate.character;
  part("probability").textContent = percent(candidate.probability);
  part("bar").style.setProperty("--share", String(candidate.probability));
  part("strokes").textContent = candidate.strokes ? `${candidate.strokes} ${candidate.strokes === 1 ? "stroke" : "strokes"} · ` : "";
  part("unicode").textContent = codePoints(candidate.character);
  part("jis").textContent = ` · JIS ${candidate.jis}`;
  part("readings").append(...candidate.readings.flatMap((reading) => [whole(reading), " "]));
  part("lookalikes").textContent = candidate.lookalikes.length ? `same shape: ${candidate.lookalikes.join(" ")}` : "";
  part("key").textContent = String((number + 1) % 10);
  part("pick").addEventListener("click", () => pick(candidate));
  const copier = part("copy");
  copier.setAttribute("aria-label", `Copy ${candidate.character}`);
  copier.addEventListener("click", () => copy(candidate.character));
  return item;
}

/** A text that no line break divides. @param {string} text */
function whole(text) {
  const part = document.createElement("span");
  part.textContent = text;
  return part;
}

/** @param {Candidate} candidate */
function pick(candidate) {
  const focused = list.contains(document.activeElement);
  line.value += candidate.character;
  lineChanged();
  pad.clear();
  if (focused) pad.canvas.focus({ preventScroll: true }); // what had the focus is gone
  say(`${candidate.character} is in the line. Draw the next one.`);
}

function lineChanged() {
  find("copy-line").disabled = find("shorten").disabled = line.value === "";
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${text} is copied.`);
  } catch {
    say(copyBySelection(text) ? `${text} is copied.` : "The browser does not let this page copy: mark the text instead.");
  }
}

/** For addresses that are not secure, where browsers have no clipboard. @param {string} text */
function copyBySelection(text) {
  const focused = document.activeElement, area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return copied;
}

/** @param {KeyboardEvent} event keys that work on the pad and the list */
function key(event) {
  if (event.target === line) return;
  const undoing = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
  if (!undoing && (event.ctrlKey || event.metaKey || event.altKey)) return;
  const onPad = event.target === pad.canvas;
  const number = /^[0-9]$/.test(event.key) ? (Number(event.key) + 9) % 10 : event.key === "Enter" && onPad ? 0 : -1;
  if (undoing || event.key === "Backspace") pad.undo();
  else if (event.key === "Escape" || event.key === "Delete") pad.clear();
  else if (candidates[number]) pick(candidates[number]);
  else return;
  event.preventDefault();
}

/** @param {unknown} error */
function explain(error) {
  const text = String(error instanceof Error ? error.message : error);
  if (error instanceof RangeError || /RangeError|memory|alloc/i.test(text)) {
    return "There is not enough memory for the recogniser. Close other pages and load this one again.";
  }
  if (!WebAssembly.validate(SIMD)) {
    return "This browser cannot run the recogniser: it needs WebAssembly with SIMD (Chrome 91, Firefox 89, Safari 16.4 or later).";
  }
  return `The recogniser could not be loaded: ${text}`;
}

async function start() {
  undo.addEventListener("click", () => pad.undo());
  clear.addEventListener("click", () => pad.clear());
  find("copy-line").addEventListener("click", () => copy(line.value));
  find("shorten").addEventListener("click", () => {
    line.value = Array.from(line.value).slice(0, -1).join("");
    lineChanged();
  });
  line.addEventListener("input", lineChanged);
  document.addEventListener("keydown", key);
  pad.paint();
  try {
    recogniser = await Recogniser.load(new URL(".", import.meta.url));
    const { name } = recogniser.classes.model;
    const model = name === "built-in" ? "the built-in model" : `the model ${name}`;
    find("model").textContent = `Recognised in your browser by ${model}; nothing leaves this device.`;
    show([]);
    changed();
  } catch (error) {
    say(explain(error), true);
  }
}

document.documentElement.dataset.begun = "";
const problem = document.documentElement.dataset.problem;
if (problem) say(problem, true);
else void start();
