import { getGlobalLiteRt, loadAndCompile, loadLiteRt, supportsFeature, Tensor, type CompiledModel } from "@litertjs/core";
import { EdgeError } from "../edge/edge_error";
import type { Inputs } from "../edge/features";
import type { EdgeManifest } from "../edge/manifest";

/** Files of the runtime, by the name that its code has for them; made at build time. */
declare const LITERT_FILES: Record<string, string>;
declare const LITERT_VERSION: string;

export const VERSION = LITERT_VERSION;
const BARRED = -1e9;
const LEAST = -1e8;
let loading: Promise<string> | null = null;

/** Start the runtime once; says which build of it runs. */
export function startLiteRt(): Promise<string> {
  return (loading ??= start());
}

async function start(): Promise<string> {
  const relaxed = await supportsFeature("relaxedSimd");
  const script = relaxed ? "litert_wasm_internal.js" : "litert_wasm_compat_internal.js";
  const silent = () => undefined;
  Object.assign(self, { Module: { locateFile: (name: string) => LITERT_FILES[name] ?? name, print: silent, printErr: silent } });
  const warn = console.warn;
  console.warn = silent; // The runtime warns of a graphics card that it is not asked to use.
  try {
    await loadLiteRt(new URL(LITERT_FILES[script], self.location.href).href);
  } finally {
    console.warn = warn;
  }
  return `LiteRT.js ${VERSION}, WebAssembly${relaxed ? " with relaxed SIMD" : ""}`;
}

/** One row of the model's answer. */
export interface ModelRow {
  row: number;
  score: number;
}

/** `model.tflite`: user inputs and a mask to the best rows. */
export class EdgeModel {
  private readonly buffers = new Map<string, Tensor>();
  private readonly mask: Float32Array;
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly model: CompiledModel,
    rows: number,
  ) {
    this.mask = new Float32Array(rows);
    for (const { name, dtype, shape } of this.signature.getInputDetails()) {
      const size = shape.reduce((product, length) => product * length, 1);
      this.buffers.set(name, new Tensor(dtype === "int32" ? new Int32Array(size) : new Float32Array(size), shape));
    }
  }

  /**
   * @param content the file.
   * @param manifest what it must look like.
   * @throws EdgeError the runtime cannot run it, or it looks otherwise.
   */
  static async open(content: ArrayBuffer, manifest: EdgeManifest): Promise<EdgeModel> {
    await startLiteRt();
    let compiled: CompiledModel;
    try {
      compiled = await loadAndCompile(new Uint8Array(content), { accelerator: "wasm" });
    } catch (error) {
      throw new EdgeError(`the model cannot be run here: ${String(error).split("\n")[0]}`);
    }
    try {
      const signature = compiled.signatures.recommend;
      if (!signature) throw new EdgeError("the model has no signature recommend");
      const found = new Map(signature.getInputDetails().map((detail) => [detail.name, detail]));
      for (const [name, { dtype, shape }] of Object.entries(manifest.inputs)) {
        const detail = found.get(name);
        if (detail?.dtype !== dtype || detail.shape.join() !== shape.join())
          throw new EdgeError(`the model's input ${name} is not ${dtype} [${shape.join(", ")}] as the manifest says`);
        found.delete(name);
      }
      if (found.size) throw new EdgeError(`the model has inputs that the manifest does not name: ${[...found.keys()].join(", ")}`);
      return new EdgeModel(compiled, manifest.number_of_items);
    } catch (error) {
      compiled.delete();
      throw error;
    }
  }

  /**
   * The best rows; calls take turns.
   *
   * @param inputs every input but the mask.
   * @param allowed 1 for each row that may be shown.
   * @param bonus what is added to the score of each row; null for nothing.
   */
  recommend(inputs: Inputs, allowed: Uint8Array, bonus: Float32Array | null = null): Promise<ModelRow[]> {
    const answer = this.turn.then(() => this.run(inputs, allowed, bonus));
    this.turn = answer.catch(() => undefined);
    return answer;
  }

  /** Give the memory back once the calls that are under way have answered. */
  close(): void {
    this.turn = this.turn.then(() => {
      for (const tensor of this.buffers.values()) tensor.delete();
      this.model.delete();
    });
  }

  private async run(inputs: Inputs, allowed: Uint8Array, bonus: Float32Array | null): Promise<ModelRow[]> {
    const { mask } = this;
    for (let row = 0; row < mask.length; row++) mask[row] = allowed[row] ? (bonus?.[row] ?? 0) : BARRED;
    for (const [name, tensor] of this.buffers) {
      const values = name === "mask" ? mask : inputs[name];
      if (!values) throw new EdgeError(`nothing says how the input ${name} is made`);
      write(tensor, values);
    }
    const outputs = await this.signature.run(Object.fromEntries(this.buffers));
    try {
      const scores = outputs.scores.toTypedArray();
      const rows = outputs.items.toTypedArray();
      return Array.from(rows, (row, place) => ({ row, score: scores[place] })).filter(({ score }) => score > LEAST);
    } finally {
      for (const output of Object.values(outputs)) output.delete();
    }
  }

  private get signature() {
    return this.model.signatures.recommend;
  }
}

/** Put other values into a tensor that was made once. */
function write(tensor: Tensor, values: Float32Array | Int32Array): void {
  const buffer = tensor.liteRtTensorBuffer;
  if (values.byteLength !== buffer.packedSize())
    throw new EdgeError(`an input has ${values.byteLength} bytes, not ${buffer.packedSize()}`);
  const { HEAPU8, LiteRtTensorBufferLockMode } = getGlobalLiteRt().liteRtWasm;
  const pointer = buffer.lock(LiteRtTensorBufferLockMode.WRITE);
  try {
    HEAPU8.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), pointer);
  } finally {
    buffer.unlock();
  }
}
