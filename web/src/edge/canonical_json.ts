import { byCodePoints } from "./by_code_points";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** JSON with sorted names and no white space, the same text that the server hashes; it may hold no broken numbers. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const names = Object.keys(value).sort(byCodePoints);
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
