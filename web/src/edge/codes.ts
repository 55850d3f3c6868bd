import { crc32 } from "./crc32";

/**
 * From texts to the whole numbers that a model takes: 0 is "unknown", 1 to `buckets` are shared by texts never seen, then
 * one number per known value.
 */
export class Codes {
  private readonly known: Map<string, number>;

  /**
   * @param values the known texts, distinct and sorted.
   * @param buckets how many numbers texts never seen share; at least 1.
   */
  constructor(
    readonly values: readonly string[],
    private readonly buckets: number,
  ) {
    this.known = new Map(values.map((value, position) => [value, 1 + buckets + position]));
  }

  of(text: string): number {
    return text ? (this.known.get(text) ?? 1 + (crc32(text) % this.buckets)) : 0;
  }
}
