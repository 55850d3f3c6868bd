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

/** A network with one signature, whose input tensors are made once; calls take turns. */
class Network {
  readonly inputs: readonly string[];
  private readonly buffers = new Map<string, Tensor>();
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly model: CompiledModel,
    private readonly signature: string,
  ) {
    for (const { name, dtype, shape } of model.signatures[signature].getInputDetails()) {
      const size = shape.reduce((product, length) => product * length, 1);
      this.buffers.set(name, new Tensor(dtype === "int32" ? new Int32Array(size) : new Float32Array(size), shape));
    }
    this.inputs = [...this.buffers.keys()];
  }

  /**
   * @param what "the model" or "the ranker", for messages.
   * @param content the file.
   * @param signature its name.
   * @param expected inputs as the manifest says.
   * @throws EdgeError the runtime cannot run it, or it looks otherwise.
   */
  static async open(what: string, content: ArrayBuffer, signature: string, expected: EdgeManifest["inputs"]): Promise<Network> {
    await startLiteRt();
    let compiled: CompiledModel;
    try {
      compiled = await loadAndCompile(new Uint8Array(content), { accelerator: "wasm" });
    } catch (error) {
      throw new EdgeError(`${what} cannot be run here: ${String(error).split("\n")[0]}`);
    }
    try {
      if (!compiled.signatures[signature]) throw new EdgeError(`${what} has no signature ${signature}`);
      const found = new Map(compiled.signatures[signature].getInputDetails().map((detail) => [detail.name, detail]));
      for (const [name, { dtype, shape }] of Object.entries(expected)) {
        const detail = found.get(name);
        if (detail?.dtype !== dtype || detail.shape.join() !== shape.join())
          throw new EdgeError(`the input ${name} of ${what} is not ${dtype} [${shape.join(", ")}] as the manifest says`);
        found.delete(name);
      }
      if (found.size) throw new EdgeError(`${what} has inputs that the manifest does not name: ${[...found.keys()].join(", ")}`);
      return new Network(compiled, signature);
    } catch (error) {
      compiled.delete();
      throw error;
    }
  }

  /** The outputs by name; `fill` gives the values of each input when its turn has come. */
  run(fill: (name: string) => Float32Array | Int32Array | undefined): Promise<Record<string, Float32Array | Int32Array>> {
    const answer = this.turn.then(async () => {
      for (const [name, tensor] of this.buffers) {
        const values = fill(name);
        if (!values) throw new EdgeError(`nothing says how the input ${name} is made`);
        write(tensor, values);
      }
      const outputs = await this.model.signatures[this.signature].run(Object.fromEntries(this.buffers));
      try {
        return Object.fromEntries(
          Object.entries(outputs).map(([name, output]) => [name, output.toTypedArray().slice() as Float32Array | Int32Array]),
        );
      } finally {
        for (const output of Object.values(outputs)) output.delete();
      }
    });
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
}

/** `model.tflite`: user inputs and a mask to the best rows. */
export class EdgeModel {
  private readonly mask: Float32Array;

  private constructor(
    private readonly network: Network,
    rows: number,
  ) {
    this.mask = new Float32Array(rows);
  }

  /**
   * @param content the file.
   * @param manifest what it must look like.
   * @throws EdgeError the runtime cannot run it, or it looks otherwise.
   */
  static async open(content: ArrayBuffer, manifest: EdgeManifest): Promise<EdgeModel> {
    return new EdgeModel(await Network.open("the model", content, "recommend", manifest.inputs), manifest.number_of_items);
  }

  /**
   * The best rows; calls take turns.
   *
   * @param inputs every input but the mask.
   * @param allowed 1 for each row that may be shown.
   * @param bonus what is added to the score of each row; null for nothing.
   */
  async recommend(inputs: Inputs, allowed: Uint8Array, bonus: Float32Array | null = null): Promise<ModelRow[]> {
    const { mask } = this;
    const { items, scores } = await this.network.run((name) => {
      if (name !== "mask") return inputs[name];
      for (let row = 0; row < mask.length; row++) mask[row] = allowed[row] ? (bonus?.[row] ?? 0) : BARRED;
      return mask;
    });
    return Array.from(items, (row, place) => ({ row, score: scores[place] })).filter(({ score }) => score > LEAST);
  }

  /** Give the memory back. */
  close(): void {
    this.network.close();
  }
}

/** `ranker.tflite`, and `ranker_new.tflite` where what the person had is left out. */
export class RankerModel {
  private constructor(
    private readonly every: Network,
    private readonly fresh: Network | null,
  ) {}

  /**
   * @param every `ranker.tflite`.
   * @param fresh `ranker_new.tflite`; null where there is none.
   * @param expected inputs as the manifest says.
   * @throws EdgeError the runtime cannot run one, or it looks otherwise.
   */
  static async open(every: ArrayBuffer, fresh: ArrayBuffer | null, expected: EdgeManifest["inputs"]): Promise<RankerModel> {
    const usual = await Network.open("the ranker", every, "rank", expected);
    try {
      return new RankerModel(usual, fresh && (await Network.open("the ranker of new items", fresh, "rank", expected)));
    } catch (error) {
      usual.close();
      throw error;
    }
  }

  /** For each head what it says of k items. */
  async run(inputs: Inputs, excludeSeen: boolean): Promise<Record<string, Float32Array>> {
    const network = (excludeSeen && this.fresh) || this.every;
    return (await network.run((name) => inputs[name])) as Record<string, Float32Array>;
  }

  /** Give the memory back. */
  close(): void {
    this.every.close();
    this.fresh?.close();
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
