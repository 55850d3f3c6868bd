import { Catalogue } from "../src/edge/catalogue";

interface Column {
  name: string;
  numbers: number[];
  dtype: "uint8" | "uint16" | "int32" | "float32";
}

const ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, int32: Int32Array, float32: Float32Array };

/** A catalogue of five foods. */
export function foods(): Catalogue {
  const columns: Column[] = [
    { name: "name", numbers: [1, 2, 3, 0, 4], dtype: "uint8" },
    { name: "category/0", numbers: [1, 1, 2, 2, 0], dtype: "uint8" },
    { name: "category/1", numbers: [1, 2, 3, 0, 0], dtype: "uint8" },
    { name: "tag_start/0", numbers: [0, 1, 3, 3, 4, 4], dtype: "int32" },
    { name: "tag_code/0", numbers: [1, 1, 2, 2], dtype: "uint8" },
    { name: "numeric/0", numbers: [100, 250, Number.NaN, 80, 0], dtype: "float32" },
    { name: "price", numbers: [1.1, 2, 3.5, Number.NaN, 4], dtype: "float32" },
    { name: "in_stock", numbers: [1, 1, 1, 1, 0], dtype: "uint8" },
    { name: "owner", numbers: [1, 1, 2, 2, 0], dtype: "uint8" },
    { name: "popular", numbers: [2, 0], dtype: "uint16" },
    { name: "history_item", numbers: [11, 12, 13, 14, 15, 70], dtype: "int32" },
    { name: "history_category", numbers: [5, 6, 7, 0, 0, 8], dtype: "uint8" },
  ];
  let bytes = new Uint8Array(0);
  const arrays: Record<string, { dtype: string; offset: number; length: number }> = {};
  for (const { name, numbers, dtype } of columns) {
    const values = ARRAYS[dtype].from(numbers);
    arrays[name] = { dtype, offset: bytes.length, length: numbers.length };
    const grown = new Uint8Array((bytes.length + values.byteLength + 3) & ~3);
    grown.set(bytes);
    grown.set(new Uint8Array(values.buffer), bytes.length);
    bytes = grown;
  }
  const document = {
    format_version: 1,
    ids: ["a", "b", "c", "d", "e"],
    names: ["", "Milk", "Cheese", "Bread", "Soap"],
    categories: [
      { name: "department", values: ["", "dairy", "bakery"] },
      { name: "aisle", values: ["", "milk", "cheese", "bread"] },
    ],
    tags: [{ name: "labels", values: ["", "organic", "local"] }],
    numerics: ["grams"],
    owner: ["", "farm", "mill"],
    kept_for_histories: ["gone"],
    caps: [{ array: "category/0", most: 1 }],
    arrays,
  };
  return Catalogue.read(JSON.stringify(document), bytes.buffer);
}
