// Runs an ONNX file once in ONNX Runtime Web, and then again to time it: node run_in_node.mjs FOLDER.
// FOLDER holds ort.mjs, ort.wasm, request.json {model, inputs: [{name, type, shape}], repeats, seconds} and the inputs'
// bytes, input-0 ...; answer.json {outputs: [{name, type, shape}], seconds} or {error}, and output-0 ..., go there.

import fs from "node:fs";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const ARRAYS = {
  float32: Float32Array, float64: Float64Array, float16: Uint16Array, bool: Uint8Array,
  int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array,
  int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array,
};

async function answer() {
  const request = JSON.parse(fs.readFileSync(`${folder}/request.json`, "utf8"));
  const ort = await import(pathToFileURL(`${folder}/ort.mjs`));
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = fs.readFileSync(`${folder}/ort.wasm`);
  ort.env.logLevel = "fatal";
  const session = await ort.InferenceSession.create(fs.readFileSync(request.model), { executionProviders: ["wasm"] });
  const feeds = {};
  request.inputs.forEach(({ name, type, shape }, number) => {
    const bytes = Uint8Array.from(fs.readFileSync(`${folder}/input-${number}`));
    feeds[name] = new ort.Tensor(type, new ARRAYS[type](bytes.buffer), shape);
  });
  const outputs = await session.run(feeds);
  const described = session.outputNames.map((name, number) => {
    const { type, dims, data } = outputs[name];
    fs.writeFileSync(`${folder}/output-${number}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { name, type, shape: dims };
  });
  const warm = performance.now(); // the code is compiled again, faster, while it runs
  for (let run = 0; run < 10 && performance.now() - warm < 1000 * request.seconds; run++) await session.run(feeds);
  const seconds = [];
  const began = performance.now();
  while (seconds.length < request.repeats && performance.now() - began < 1000 * request.seconds) {
    const start = performance.now();
    await session.run(feeds);
    seconds.push((performance.now() - start) / 1000);
  }
  return { outputs: described, seconds };
}

const found = await answer().catch((error) => ({ error: String(error?.message ?? error) }));
fs.writeFileSync(`${folder}/answer.json`, JSON.stringify(found));
