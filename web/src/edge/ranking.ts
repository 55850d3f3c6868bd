import type { Cap, Catalogue } from "./catalogue";
import type { Features } from "./features";
import { type Deed, type History, historyOf } from "./history";
import { itemFilter, type StructuredFilter } from "./item_filter";

/** An event as it is kept, and as `POST /events` takes it. */
export interface DeviceEvent {
  item_id?: string | null;
  kind: string;
  /** Milliseconds since 1970. */
  time: number;
  basket_id?: string | null;
  value?: number | null;
  price?: number | null;
}

/** What of the server's `POST /recommendations` a device answers. */
export interface Query {
  num_recommendations: number;
  filter?: StructuredFilter;
  exclude_items?: readonly string[];
  exclude_seen?: boolean;
  diversity?: boolean;
  context?: { basket?: readonly string[]; item_id?: string };
}

export interface Ranked {
  row: number;
  /** null for what only fills the list. */
  score: number | null;
}

/** The events that the model sees, in order. */
export function modelHistory(events: readonly DeviceEvent[], features: Features, catalogue: Catalogue): History {
  const baskets = new Map<string, number>();
  const deeds: Deed[] = [];
  for (const { item_id, kind, time, basket_id, value, price } of events) {
    const item = item_id == null ? undefined : catalogue.numbers.get(item_id);
    if (item === undefined || !features.counts(kind)) continue;
    if (basket_id != null && !baskets.has(basket_id)) baskets.set(basket_id, baskets.size);
    const basket = basket_id == null ? -1 : baskets.get(basket_id)!;
    deeds.push({
      item,
      time: Math.floor(time / 1000),
      basket,
      own: features.isOwn(kind),
      kind: features.kinds.indexOf(kind),
      value: Math.fround(value ?? 1),
      price: Math.fround(price ?? Number.NaN),
    });
  }
  return historyOf(deeds);
}

/** For every row 1 where it may be shown, 0 where not. */
export function allowedRows(
  query: Query,
  events: readonly DeviceEvent[],
  features: Features,
  catalogue: Catalogue,
): Uint8Array {
  const holds = query.filter && itemFilter(query.filter, catalogue);
  const allowed = new Uint8Array(catalogue.length);
  for (let row = 0; row < allowed.length; row++) allowed[row] = Number(catalogue.inStock[row] && (!holds || holds(row)));
  const barred = [...(query.exclude_items ?? []), ...(query.context?.basket ?? []), query.context?.item_id ?? ""];
  if (query.exclude_seen)
    for (const { item_id, kind } of events) if (item_id != null && features.kinds.includes(kind)) barred.push(item_id);
  for (const item of barred) {
    const number = catalogue.numbers.get(item);
    if (number !== undefined && number < allowed.length) allowed[number] = 0;
  }
  return allowed;
}

/** The list: what the model ranked, with not too many of a kind, filled with what is popular. */
export function finished(
  ranked: readonly Ranked[],
  allowed: Uint8Array,
  catalogue: Catalogue,
  wanted: number,
  diversity: boolean,
): Ranked[] {
  const list = diversity ? capped(ranked, catalogue.caps, wanted) : ranked.slice(0, wanted);
  if (list.length === wanted) return list;
  const taken = new Set(list.map(({ row }) => row));
  const fill = (row: number) => {
    if (list.length < wanted && allowed[row] && !taken.has(row)) {
      taken.add(row);
      list.push({ row, score: null });
    }
  };
  for (const row of catalogue.popular) fill(row);
  for (let row = 0; row < allowed.length && list.length < wanted; row++) fill(row);
  return list;
}

function capped(ranked: readonly Ranked[], caps: readonly Cap[], wanted: number): Ranked[] {
  const counts = caps.map(() => new Map<number, number>());
  const list: Ranked[] = [];
  const passed: Ranked[] = [];
  for (const one of ranked) {
    if (list.length === wanted) break;
    const codes = caps.map((cap) => cap.codes[one.row]);
    if (codes.some((code, place) => code > 0 && (counts[place].get(code) ?? 0) >= caps[place].most)) {
      passed.push(one);
      continue;
    }
    codes.forEach((code, place) => counts[place].set(code, (counts[place].get(code) ?? 0) + 1));
    list.push(one);
  }
  return [...list, ...passed.slice(0, wanted - list.length)];
}

