import type { History } from "./history";
import type { ItemTables } from "./item_tables";
import { OwnCounts, type OwnItem, PERIODS } from "./own_counts";

const OWN =
  "count count_7d count_14d count_horizon count_horizon_2 count_horizon_3 count_horizon_4 decayed_30d decayed_90d decayed_250d " +
  "days_since days_since_first gap overdue gap_deviation last_gap overdue_last trips_since trip_rate trip_rate_90d overdue_trips " +
  "mean_value rate period_share";
const LEVEL_OWN =
  "trips count_28d decayed_90d days_since gap overdue distinct_items novelty share item_share price_difference trip_rate_90d";
const USER =
  "trips trips_28d trips_90d items_per_trip days_since gap distinct_items novelty count_horizon mean_log_value days_since_first";
const [own, levelOwn, user] = [OWN, LEVEL_OWN, USER].map((names) => names.split(" "));

/** Crosses a person's history with candidates: the features that the ranker scores, the same numbers as on the server. */
export class CrossFeatures {
  /** The columns in their order. */
  readonly names: readonly string[];

  /** @param sources names of what retrieval says of a candidate. */
  constructor(
    private readonly tables: ItemTables,
    sources: readonly string[],
  ) {
    const levels = tables.levels.map(({ name }) => name);
    this.names = [
      ...own.map((name) => `own.${name}`),
      ...levels.flatMap((level) => levelOwn.map((name) => `${level}.own.${name}`)),
      ...user.map((name) => `user.${name}`),
      ...[...tables.columns, "log_price", "log_price_less_usual"].map((name) => `item.${name}`),
      ...levels.flatMap((level) => [...tables.levelColumns, "share", "relative_price"].map((name) => `${level}.item.${name}`)),
      ...sources,
    ];
  }

  /**
   * One row of features after the other, NaN where one has no value.
   *
   * @param sources for each candidate what retrieval says of it.
   * @param now UTC seconds.
   */
  compute(history: History, rows: readonly number[], sources: readonly (readonly number[])[], now: number): Float32Array {
    const { tables } = this;
    const counts = new OwnCounts(history, now, tables);
    const person = ofPerson(counts);
    const made = new Float32Array(rows.length * this.names.length);
    const price = tables.columns.length;
    rows.forEach((row, place) => {
      const known = counts.items.get(row);
      const logPrice = tables.item(row, price);
      const line: number[] = known ? this.ofItem(counts, known, row) : unknownItem;
      const parts = [line, ...tables.levels.map((_, level) => this.ofLevel(counts, level, row, logPrice, known?.sums[8] ?? 0))];
      parts.push([...person], [...tables.columns.keys()].map((column) => tables.item(row, column)));
      parts.push([logPrice, Math.fround(logPrice - person[9])]);
      tables.levels.forEach(({ code, table }, level) => {
        const width = tables.levelColumns.length;
        parts.push(tables.levelColumns.map((_, column) => table.at(code(row) * width + column)));
        parts.push([tables.item(row, price + 1 + 2 * level), tables.item(row, price + 2 + 2 * level)]);
      });
      made.set([...parts.flat(), ...sources[place]], place * this.names.length);
    });
    return made;
  }

  private ofItem(counts: OwnCounts, one: OwnItem, row: number): number[] {
    const { tables } = this;
    const { sums, first, last, gap, squares, firstTrip, lastTrip } = one;
    const trips = counts.tripAges.length;
    const count = sums[0];
    const gaps = Math.max(count - 1, 1);
    const mean = count > 1 ? (first - last) / gaps : 0;
    const expected = Math.max((mean * (count - 1) + tables.item(row, tables.columns.indexOf("gap"))) / count, 0.1);
    const since = trips - 1 - lastTrip;
    const rate = count / Math.max(trips - firstTrip, 1);
    let spans = 0;
    for (let left = one.spans; left; left >>= 1) spans += left & 1;
    return [
      ...sums.subarray(0, 10),
      last,
      first,
      expected,
      last / expected,
      Math.sqrt(Math.max(squares / gaps - mean * mean, 0)),
      gap,
      last / Math.max(gap, 1),
      since,
      rate,
      sums[10] / counts.lately,
      since * rate,
      sums[11] / count,
      (count - 1) / (first + 30),
      spans / (Math.min(Math.floor(first / tables.horizon), PERIODS - 1) + 1),
    ];
  }

  private ofLevel(counts: OwnCounts, level: number, row: number, logPrice: number, decayed: number): number[] {
    const one = counts.levels[level].get(this.tables.levels[level].code(row));
    if (!one) return unknownLevel;
    const [trips, recent, weight, fresh, first, last, items, rows, logPaid, lately] = one;
    const gap = (first - last + 30) / Math.max(trips, 1);
    return [
      trips,
      recent,
      weight,
      last,
      gap,
      last / gap,
      items,
      fresh / (lately + 1),
      weight / Math.max(counts.decayed, 1e-6),
      decayed / Math.max(weight, 1e-6),
      Math.fround(logPrice - Math.fround(logPaid / Math.max(rows, 1))),
      lately / counts.lately,
    ];
  }
}

const unknownItem = own.map((_, place) => (place >= own.indexOf("days_since") && place <= own.indexOf("trips_since") ? Number.NaN : 0));
const unknownLevel = levelOwn.map((name) => (["days_since", "gap", "overdue", "price_difference"].includes(name) ? Number.NaN : 0));
const unknownPerson = user.map((name) => (["days_since", "gap", "mean_log_value", "days_since_first"].includes(name) ? Number.NaN : 0));

function ofPerson(counts: OwnCounts): Float32Array {
  const { tripAges: ages } = counts;
  if (!ages.length) return Float32Array.from(unknownPerson);
  const last = ages[ages.length - 1];
  return Float32Array.of(
    ages.length,
    ages.filter((age) => age < 28).length,
    ages.filter((age) => age < 90).length,
    counts.rows / ages.length,
    last,
    (ages[0] - last) / Math.max(ages.length - 1, 1),
    counts.items.size,
    counts.recentFirst / Math.max(counts.recent, 1),
    counts.recent,
    counts.logPaid / counts.rows,
    ages[0],
  );
}
