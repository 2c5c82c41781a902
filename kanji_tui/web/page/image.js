// Strokes to the image that the model gets. The same steps as kanji_tui/recognition/drawing/strokes.py and
// kanji_tui/recognition/ink.py, in the same order and precision; tests/web/drawings.json holds strokes and images
// that both must agree on.

/** @typedef {[number, number]} Point x to the right, y downward, in any unit */
/** @typedef {Point[]} Stroke */
/** @typedef {{extent: number, width: number}} Style fractions of the image's side */

const COLUMNS = 128, ROWS = 127; // of an ETL record
const OVERSAMPLING = 4;
const PAPER = 255;
const SMALLEST = 1e-6;
const INK = 0.3; // levels above this fraction of the strongest count as ink
const FAINT = Math.fround(0.1), CLEAR = Math.fround(0.9); // levels below 0.1 of the strongest count as paper
const PRECISION = 2 ** 22; // of the weights of resampling, which are whole numbers

/**
 * The model's input: `size` x `size` levels, 0 paper to 255 ink, of a drawing of at least one stroke.
 * @param {Stroke[]} strokes
 * @param {Style} style
 * @param {number} size
 * @returns {Uint8Array}
 */
export function strokesToImage(strokes, style, size) {
  return fitToFrame(render(strokes, style), size, style.extent);
}

/**
 * The strokes as dark ink on white paper, ROWS x COLUMNS, centred, with the extent and width of the style.
 * @param {Stroke[]} strokes
 * @param {Style} style
 * @returns {Uint8Array}
 */
export function render(strokes, style) {
  const points = strokes.flat();
  const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]);
  const [left, right] = range(xs), [top, bottom] = range(ys);
  const width = style.width * COLUMNS;
  const span = Math.max(SMALLEST, right - left, bottom - top);
  const scale = (OVERSAMPLING * Math.max(0, Math.min(style.extent * COLUMNS, ROWS) - width)) / span;
  const centreX = (left + right) / 2, centreY = (top + bottom) / 2;
  const changes = new Int32Array(OVERSAMPLING * ROWS * (OVERSAMPLING * COLUMNS + 1));
  const radius = Math.max(1, OVERSAMPLING * width) / 2;
  for (const stroke of strokes) {
    const placed = stroke.map(([x, y]) => /** @type {Point} */ ([
      (x - centreX) * scale + (OVERSAMPLING * COLUMNS) / 2,
      (y - centreY) * scale + (OVERSAMPLING * ROWS) / 2,
    ]));
    if (placed.length === 1) fillLine(changes, placed[0], placed[0], radius);
    for (let i = 1; i < placed.length; i++) fillLine(changes, placed[i - 1], placed[i], radius);
  }
  return countInk(changes);
}

/** @param {number[]} values @returns {[number, number]} */
function range(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

/**
 * Mark where the ink of a line with round ends begins (+1) and stops (-1) in each row of the finer grid.
 * @param {Int32Array} changes
 * @param {Point} start
 * @param {Point} end
 * @param {number} radius
 */
function fillLine(changes, start, end, radius) {
  const height = OVERSAMPLING * ROWS, columns = OVERSAMPLING * COLUMNS;
  const [x, y] = start, right = end[0] - x, down = end[1] - y;
  const first = clip(Math.ceil(Math.min(y, end[1]) - radius - 0.5), 0, height);
  const last = clip(Math.floor(Math.max(y, end[1]) + radius - 0.5), -1, height - 1);
  const length = Math.sqrt(right * right + down * down);
  const touching = (radius * right * Math.sign(down)) / (length > 0 ? length : 1);
  for (let row = first; row <= last; row++) {
    const below = row + 0.5 - y;
    const atLeft = down !== 0 ? clip((below - touching) / down, 0, 1) : Number(right < 0);
    const atRight = down !== 0 ? clip((below + touching) / down, 0, 1) : Number(right > 0);
    const leftEdge = x + atLeft * right - halfChord(radius, below - atLeft * down);
    const rightEdge = x + atRight * right + halfChord(radius, below - atRight * down);
    const begin = clip(Math.ceil(leftEdge - 0.5), 0, columns);
    const stop = clip(Math.floor(rightEdge - 0.5) + 1, 0, columns);
    if (stop > begin) {
      changes[row * (columns + 1) + begin] += 1;
      changes[row * (columns + 1) + stop] -= 1;
    }
  }
}

/** @param {number} radius @param {number} distance */
function halfChord(radius, distance) {
  return Math.sqrt(Math.max(0, radius * radius - distance * distance));
}

/** @param {number} value @param {number} low @param {number} high */
function clip(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/**
 * The level of each pixel: its share of inked points in the finer grid.
 * @param {Int32Array} changes
 * @returns {Uint8Array}
 */
function countInk(changes) {
  const columns = OVERSAMPLING * COLUMNS, whole = OVERSAMPLING * OVERSAMPLING;
  const squares = new Int32Array(ROWS * COLUMNS);
  for (let row = 0; row < OVERSAMPLING * ROWS; row++) {
    let depth = 0;
    for (let column = 0; column < columns; column++) {
      depth += changes[row * (columns + 1) + column];
      if (depth > 0) squares[Math.floor(row / OVERSAMPLING) * COLUMNS + Math.floor(column / OVERSAMPLING)] += 1;
    }
  }
  return Uint8Array.from(squares, (count) => Math.floor((PAPER * (whole - count) + whole / 2) / whole));
}

/**
 * Crop the ink, scale its longer side to `extent` of the frame and centre it.
 * @param {Uint8Array} levels ROWS x COLUMNS, dark ink on white
 * @param {number} size
 * @param {number} extent
 * @returns {Uint8Array}
 */
function fitToFrame(levels, size, extent) {
  const ink = Float32Array.from(levels, (level) => 1 - Math.fround(level / PAPER));
  const strongest = ink.reduce((most, level) => Math.max(most, level), 0);
  const least = Math.fround(INK * strongest);
  let left = COLUMNS, top = ROWS, right = 0, bottom = 0;
  for (let y = 0; y < ROWS; y++) {
    for (let x = 0; x < COLUMNS; x++) {
      if (ink[y * COLUMNS + x] > least) {
        left = Math.min(left, x);
        right = Math.max(right, x + 1);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y + 1);
      }
    }
  }
  const scale = (size * Math.min(1, extent)) / Math.max(right - left, bottom - top);
  const width = Math.max(1, roundToEven((right - left) * scale));
  const height = Math.max(1, roundToEven((bottom - top) * scale));
  const clear = Uint8Array.from(ink, (level) => {
    const above = Math.fround(Math.fround(Math.fround(level / strongest) - FAINT) / CLEAR);
    return roundToEven(Math.fround(255 * clip(above, 0, 1)));
  });
  const x = (size - width) / 2, y = (size - height) / 2;
  const area = [left - x / scale, top - y / scale, right + x / scale, bottom + y / scale];
  return resample(clear, area, size);
}

/** @param {number} value not negative */
function roundToEven(value) {
  const whole = Math.floor(value), rest = value - whole;
  return rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? whole + 1 : whole;
}

/**
 * An area (left, top, right, bottom) of the levels ROWS x COLUMNS as `size` x `size`; 0 outside the image.
 * @param {Uint8Array} levels
 * @param {number[]} area
 * @param {number} size
 * @returns {Uint8Array}
 */
function resample(levels, area, size) {
  const [left, top, right, bottom] = area;
  const padding = 1 + Math.floor(Math.max(0, -left, -top, right - COLUMNS, bottom - ROWS));
  const across = weights(left + padding, right + padding, COLUMNS + 2 * padding, size);
  const down = weights(top + padding, bottom + padding, ROWS + 2 * padding, size);
  const narrow = new Uint8Array(ROWS * size);
  for (let y = 0; y < ROWS; y++) {
    for (let x = 0; x < size; x++) {
      narrow[y * size + x] = weigh(across[x], padding, COLUMNS, (column) => levels[y * COLUMNS + column]);
    }
  }
  const image = new Uint8Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      image[y * size + x] = weigh(down[y], padding, ROWS, (row) => narrow[row * size + x]);
    }
  }
  return image;
}

/**
 * The weighted mean of levels; those in the padding are 0.
 * @param {{first: number, weights: number[]}} part
 * @param {number} padding
 * @param {number} count
 * @param {(position: number) => number} level
 */
function weigh(part, padding, count, level) {
  let sum = PRECISION / 2;
  part.weights.forEach((weight, number) => {
    const position = part.first + number - padding;
    if (position >= 0 && position < count) sum += weight * level(position);
  });
  return clip(Math.floor(sum / PRECISION), 0, 255);
}

/**
 * The weights of the input's levels in each level of the output, by a Hamming window (as wide as one level of the
 * output on either side, where the output is smaller).
 * @param {number} low
 * @param {number} high
 * @param {number} inputs
 * @param {number} outputs
 */
function weights(low, high, inputs, outputs) {
  const from = Math.fround(low), scale = Math.fround(Math.fround(high) - from) / outputs;
  const reach = Math.max(1, scale);
  return Array.from({ length: outputs }, (_, output) => {
    const centre = from + (output + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const stop = Math.min(inputs, Math.trunc(centre + reach + 0.5));
    const found = [];
    for (let input = first; input < stop; input++) found.push(hamming((input - centre + 0.5) / reach));
    const total = found.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: found.map((weight) => Math.floor((weight / total) * PRECISION + 0.5)) };
  });
}

/** @param {number} x */
function hamming(x) {
  const distance = Math.abs(x) * Math.PI;
  if (distance === 0) return 1;
  return distance >= Math.PI ? 0 : (Math.sin(distance) / distance) * (0.54 + 0.46 * Math.cos(distance));
}
