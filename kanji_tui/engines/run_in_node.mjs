// Runs ONNX files in ONNX Runtime Web: node run_in_node.mjs RUNTIME, the folder with ort.mjs and ort.wasm. Each line
// on stdin names a folder with request.json {model, inputs: [{name, type, shape}], repeats, seconds} and the inputs'
// bytes, input-0 ...; answer.json {outputs: [{name, type, shape}], seconds} or {error}, and output-0 ..., go there,
// then a line with `done` to stdout. The last model stays open.

import fs from "node:fs";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const FEWEST = 3, WARM_UP_RUNS = 10; // WebAssembly is compiled again, faster, while it runs
const ARRAYS = {
  float32: Float32Array, float64: Float64Array, float16: Uint16Array, bool: Uint8Array,
  int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array,
  int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array,
};

const runtime = process.argv[2];
const ort = await import(pathToFileURL(`${runtime}/ort.mjs`));
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmBinary = fs.readFileSync(`${runtime}/ort.wasm`);
ort.env.logLevel = "fatal";
let opened = "", session = null;

async function open(model) {
  const version = `${model} ${fs.statSync(model).mtimeMs}`;
  if (version === opened) return;
  opened = "";
  await session?.release();
  session = await ort.InferenceSession.create(fs.readFileSync(model), { executionProviders: ["wasm"] });
  opened = version;
}

async function answer(folder) {
  const { model, inputs, repeats, seconds: limit } = JSON.parse(fs.readFileSync(`${folder}/request.json`, "utf8"));
  await open(model);
  const feeds = {};
  inputs.forEach(({ name, type, shape }, number) => {
    const bytes = Uint8Array.from(fs.readFileSync(`${folder}/input-${number}`));
    feeds[name] = new ort.Tensor(type, new ARRAYS[type](bytes.buffer), shape);
  });
  const outputs = await session.run(feeds);
  const described = session.outputNames.map((name, number) => {
    const { type, dims, data } = outputs[name];
    fs.writeFileSync(`${folder}/output-${number}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { name, type, shape: dims };
  });
  const timed = async (most, fewest) => {
    const seconds = [], began = performance.now();
    while (seconds.length < most && (seconds.length < fewest || performance.now() - began < 1000 * limit)) {
      const start = performance.now();
      await session.run(feeds);
      seconds.push((performance.now() - start) / 1000);
    }
    return seconds;
  };
  if (repeats) await timed(WARM_UP_RUNS, 0);
  return { outputs: described, seconds: await timed(repeats, FEWEST) };
}

for await (const folder of readline.createInterface({ input: process.stdin })) {
  const found = await answer(folder).catch((error) => ({ error: String(error?.message ?? error) }));
  fs.writeFileSync(`${folder}/answer.json`, JSON.stringify(found));
  console.log("done");
}
