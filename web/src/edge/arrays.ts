import { EdgeError } from "./edge_error";

export type Numbers = Uint8Array | Uint16Array | Int32Array | Float32Array;
/** Where an array stands in its file. */
export interface Place {
  dtype: keyof typeof KINDS | "float16";
  offset: number;
  length: number;
}

const KINDS = { uint8: Uint8Array, uint16: Uint16Array, int32: Int32Array, float32: Float32Array };

/** Typed arrays that lie one after the other in a `.bin` file, with their places in the JSON beside it. */
export class Arrays {
  /** @param file what to call the file where something is wrong with it. */
  constructor(
    private readonly file: string,
    private readonly places: Readonly<Record<string, Place>>,
    private readonly binary: ArrayBuffer,
  ) {}

  has(name: string): boolean {
    return name in this.places;
  }

  /**
   * An array by its name.
   *
   * @throws EdgeError it is not there, or ends beyond the file.
   */
  get(name: string): Numbers {
    const { dtype } = this.place(name);
    if (dtype === "float16") throw new EdgeError(`${this.file}: ${name} is of dtype float16`);
    return new KINDS[dtype](this.bytes(name, KINDS[dtype].BYTES_PER_ELEMENT));
  }

  /** An array of floats of either width; gives what reads one of them. */
  floats(name: string): { length: number; at: (place: number) => number } {
    if (this.place(name).dtype !== "float16") {
      const values = this.get(name);
      return { length: values.length, at: (place) => values[place] };
    }
    const halves = new Uint16Array(this.bytes(name, 2));
    return { length: halves.length, at: (place) => float16(halves[place]) };
  }

  private place(name: string): Place {
    const place = this.places[name];
    if (!place) throw new EdgeError(`${this.file} has no array ${name}`);
    if (place.dtype !== "float16" && !KINDS[place.dtype]) throw new EdgeError(`${this.file}: ${name} is of dtype ${place.dtype}`);
    return place;
  }

  private bytes(name: string, width: number): ArrayBuffer {
    const { offset, length } = this.places[name];
    const end = offset + length * width;
    if (end > this.binary.byteLength) throw new EdgeError(`${this.file}: ${name} ends beyond the file`);
    return this.binary.slice(offset, end);
  }
}

/** The number that 16 bits stand for. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -24 * fraction;
}
