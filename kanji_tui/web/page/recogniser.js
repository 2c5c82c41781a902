// The model in the browser: ONNX Runtime Web, WebAssembly on one thread.

import * as ort from "./ort.js";
import { strokesToImage } from "./image.js";

/** @typedef {import("./image.js").Stroke} Stroke */
/**
 * @typedef {object} Candidate
 * @property {string} character
 * @property {string} jis JIS X 0208 code, four hexadecimal digits
 * @property {number} probability 0-1
 * @property {number} strokes 0 where the count is not known
 * @property {string[]} lookalikes characters of the same shape
 * @property {string[]} readings on in katakana, kun in hiragana; of a kana its romaji
 */
/**
 * @typedef {object} Classes the file classes.json
 * @property {{name: string, license: string}} model
 * @property {number} image_size
 * @property {number} stroke_extent
 * @property {number} stroke_width
 * @property {[string, string, number, string, string][]} candidates
 * @property {number[]} outputs
 */

export class Recogniser {
  /** @param {Classes} classes @param {ort.InferenceSession} session */
  constructor(classes, session) {
    this.classes = classes;
    this.session = session;
  }

  /**
   * Load the model and the runtime from the folder `base`.
   * @param {URL} base
   * @returns {Promise<Recogniser>}
   */
  static async load(base) {
    ort.env.wasm.numThreads = 1; // more need headers that static hosts do not send, and break in Safari
    ort.env.wasm.proxy = false;
    const wasm = new URL("ort-wasm-simd-threaded.wasm", base);
    ort.env.wasm.wasmPaths = { wasm: wasm.href };
    ort.env.logLevel = "error";
    const [classes, model] = await Promise.all([
      get(new URL("classes.json", base)).then((response) => response.json()),
      get(new URL("model.onnx", base)).then((response) => response.arrayBuffer()),
    ]);
    try {
      const session = await ort.InferenceSession.create(new Uint8Array(model), { executionProviders: ["wasm"] });
      return new Recogniser(classes, session);
    } catch (error) {
      await get(wasm); // says that it is missing, which the runtime does not
      throw error;
    }
  }

  /**
   * The most probable characters of a drawing, most probable first. Throws for a single point, as in Python.
   * @param {Stroke[]} strokes at least one, each of at least one point
   * @param {number} top
   * @returns {Promise<Candidate[]>}
   */
  async recognise(strokes, top = 10) {
    const [x, y] = strokes[0][0];
    if (strokes.every((stroke) => stroke.every((point) => point[0] === x && point[1] === y))) {
      throw new Error("the drawing is a single point: there is nothing to read");
    }
    const { image_size, stroke_extent, stroke_width } = this.classes;
    return this.rank(await this.logits(strokesToImage(strokes, { extent: stroke_extent, width: stroke_width }, image_size)), top);
  }

  /**
   * What the model answers for an image of levels, 0 paper to 255 ink.
   * @param {Uint8Array} image
   * @returns {Promise<Float32Array>}
   */
  async logits(image) {
    const size = this.classes.image_size;
    const input = new ort.Tensor("float32", Float32Array.from(image, (level) => level / 255), [1, 1, size, size]);
    const answer = await this.session.run({ [this.session.inputNames[0]]: input });
    return answer[this.session.outputNames[0]].data;
  }

  /**
   * @param {Float32Array} logits
   * @param {number} top
   * @returns {Candidate[]}
   */
  rank(logits, top) {
    const { candidates, outputs } = this.classes;
    const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
    const weights = new Float64Array(candidates.length);
    let total = 0;
    logits.forEach((logit, output) => {
      const weight = Math.exp(logit - largest);
      weights[outputs[output]] += weight;
      total += weight;
    });
    const order = Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a] || a - b);
    return order.slice(0, top).map((number) => {
      const [character, jis, strokes, lookalikes, readings] = candidates[number];
      const facts = { strokes, lookalikes: Array.from(lookalikes), readings: readings.split(" ").filter(Boolean) };
      return { character, jis, probability: weights[number] / total, ...facts };
    });
  }
}

/** @param {URL} address */
async function get(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address.pathname} is missing (${response.status})`);
  return response;
}
