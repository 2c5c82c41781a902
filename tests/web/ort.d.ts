// What the page uses of the file ort.js, which is ONNX Runtime Web.

export const env: {
  logLevel: string;
  wasm: { numThreads: number; proxy: boolean; wasmPaths: { wasm: string } };
};

export class Tensor {
  constructor(type: "float32", data: Float32Array, dims: number[]);
  readonly data: Float32Array;
}

export class InferenceSession {
  static create(model: Uint8Array, options: { executionProviders: string[] }): Promise<InferenceSession>;
  readonly inputNames: string[];
  readonly outputNames: string[];
  run(inputs: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}
