import type { History } from "./history";
import type { ItemTables } from "./item_tables";

const DAY = 86_400;
export const PERIODS = 16;

/** What rows come to by item: the sums below, and when. */
export interface OwnItem {
  /** Rows, younger than 7 and 14 days, in four spans of the horizon, decayed three ways, of 90 days, and what was paid. */
  sums: Float64Array;
  first: number;
  last: number;
  gap: number;
  squares: number;
  firstTrip: number;
  lastTrip: number;
  /** A bit for each span of the horizon in which it was had. */
  spans: number;
}

interface Row {
  item: number;
  trip: number;
  age: number;
  paid: number;
  isFirst: boolean;
}

/**
 * A history as rows, one for each distinct item of a trip, and what they come to by item and by category.
 *
 * A trip is a basket, or a day where there are no baskets. Ages are days before `now`.
 */
export class OwnCounts {
  readonly items = new Map<number, OwnItem>();
  /**
   * For each level by category: trips, rows younger than 28 days, decayed rows, new items of 90 days, age of the first
   * and of the last row, distinct items, rows, the sum of the logarithms of what was paid, rows younger than 90 days.
   */
  readonly levels: Map<number, Float64Array>[];
  readonly tripAges: number[] = [];
  /** Trips of the last 90 days, at least 1. */
  readonly lately: number;
  decayed = 0;
  logPaid = 0;
  recent = 0;
  recentFirst = 0;
  readonly rows: number;

  /** @param now UTC seconds; what is dated later counts as of then. */
  constructor(history: History, now: number, tables: ItemTables) {
    const rows = this.grouped(history, now);
    this.rows = rows.length;
    this.lately = Math.max(this.tripAges.filter((age) => age < 90).length, 1);
    for (const row of rows) this.count(row, tables.horizon);
    this.levels = tables.levels.map(({ code }) => this.byCategory(rows, code));
  }

  private grouped(history: History, now: number): Row[] {
    const rows: Row[] = [];
    const known = new Set<number>();
    let trip = new Map<number, Row>();
    let before: string | null = null;
    for (const { item, time, basket, value, price } of history) {
      const happened = Math.min(time, now);
      const key = basket >= 0 ? `basket ${basket}` : `day ${Math.floor(happened / DAY)}`;
      if (key !== before) {
        trip = new Map();
        this.tripAges.push((now - happened) / DAY);
        before = key;
      }
      const amount = Number.isFinite(price) ? price : value;
      const again = trip.get(item);
      if (again) {
        again.paid += amount;
        continue;
      }
      const row = {
        item,
        trip: this.tripAges.length - 1,
        age: (now - happened) / DAY,
        paid: amount,
        isFirst: !known.has(item),
      };
      known.add(item);
      trip.set(item, row);
      rows.push(row);
    }
    return rows;
  }

  private count({ item, trip, age, paid, isFirst }: Row, horizon: number): void {
    let one = this.items.get(item);
    if (!one) {
      one = { sums: new Float64Array(12), first: age, last: age, gap: 0, squares: 0, firstTrip: trip, lastTrip: trip, spans: 0 };
      this.items.set(item, one);
    } else {
      one.gap = one.last - age;
      one.squares += one.gap * one.gap;
    }
    one.last = age;
    one.lastTrip = trip;
    const weight = 2 ** (-age / 90);
    this.decayed += weight;
    this.logPaid += logOf(paid);
    const { sums } = one;
    sums[0] += 1;
    if (age < 7) sums[1] += 1;
    if (age < 14) sums[2] += 1;
    if (age < horizon) sums[3] += 1;
    else if (age < 2 * horizon) sums[4] += 1;
    else if (age < 3 * horizon) sums[5] += 1;
    else if (age < 5 * horizon) sums[6] += 1;
    sums[7] += 2 ** (-age / 30);
    sums[8] += weight;
    sums[9] += 2 ** (-age / 250);
    if (age < 90) sums[10] += 1;
    sums[11] += paid;
    one.spans |= 1 << Math.min(Math.floor(age / horizon), PERIODS - 1);
    if (age < horizon) {
      this.recent += 1;
      if (isFirst) this.recentFirst += 1;
    }
  }

  private byCategory(rows: readonly Row[], code: (item: number) => number): Map<number, Float64Array> {
    const found = new Map<number, Float64Array>();
    const trips = new Map<number, number>();
    for (const { item, trip, age, paid, isFirst } of rows) {
      const category = code(item);
      let one = found.get(category);
      if (!one) {
        one = new Float64Array(10);
        one[4] = age;
        found.set(category, one);
      }
      if (trips.get(category) !== trip) {
        trips.set(category, trip);
        one[0] += 1;
      }
      if (age < 28) one[1] += 1;
      one[2] += 2 ** (-age / 90);
      if (isFirst && age < 90) one[3] += 1;
      one[5] = age;
      if (isFirst) one[6] += 1;
      one[7] += 1;
      one[8] += logOf(paid);
      if (age < 90) one[9] += 1;
    }
    return found;
  }
}

function logOf(paid: number): number {
  return Math.log(Math.max(paid, 0) + 0.05);
}
