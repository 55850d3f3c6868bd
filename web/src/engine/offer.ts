/** What a bundle offers to be looked at and chosen from. */
import { sizeOf } from "../edge/manifest";
import type { Bundle } from "./bundle";
import type { BundleState, State } from "./protocol";
import { readable } from "./readable";

/** So many columns of categories can be chosen from, and so many values of each. */
const COLUMNS = 2;
const MANY = 32;

export function bundleState({ manifest }: Bundle, runtime: string): BundleState {
  const { id, name, bundle: server, created, variant, number_of_items: items } = manifest;
  const shard = manifest.shard as { of?: number } | null;
  return { id, name, server, created, variant, items, of: shard?.of ?? null, size: sizeOf(manifest), runtime };
}

/** Columns of categories that a person can choose from, those that tell most first. */
export function choicesOf({ catalogue }: Bundle): State["choices"] {
  const columns = [...catalogue.categories].map(([column, { codes, values }]) => {
    const counts = new Int32Array(values.length);
    for (let row = 0; row < catalogue.length; row++) if (catalogue.inStock[row]) counts[codes[row]]++;
    const there = values.map((value, code) => ({ value, items: counts[code] })).filter(({ value, items }) => value && items);
    return { column, there: there.sort((one, other) => other.items - one.items) };
  });
  const some = columns.filter(({ there }) => there.length > 1);
  const few = some.filter(({ there }) => there.length <= MANY).sort((one, other) => other.there.length - one.there.length);
  return (few.length ? few : some).slice(0, COLUMNS).map(({ column, there }) => {
    return { column, values: there.slice(0, MANY).map(({ value }) => ({ value, label: readable(value) })) };
  });
}

/** What kind of thing an item is: its value in the column to choose from, and the narrowest, if the name does not say it. */
export function kindOf({ catalogue }: Bundle, row: number, main: string | undefined): string[] {
  const column = main === undefined ? undefined : catalogue.categories.get(main);
  const name = catalogue.name(row).toLowerCase();
  const kind = [column?.values[column.codes[row]] ?? "", catalogue.category(row)];
  const told = [...new Set(kind)].filter((text) => text && !name.includes(text.toLowerCase()));
  return told.map(readable);
}

export function pricesOf({ catalogue }: Bundle): State["prices"] {
  const known = Float32Array.from(catalogue.price.filter((price) => Number.isFinite(price))).sort();
  return known.length ? { least: known[0], most: known[Math.floor(0.99 * (known.length - 1))] } : null;
}
