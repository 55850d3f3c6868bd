import type { History } from "./history";
import type { ItemTables } from "./item_tables";

const DAY = 86_400;

/** `sources` of `ranker.json`. */
export interface SourcesDocument {
  columns: string[];
  ann: { most: number };
  buy_again: { most: number; half_life_days: number; kinds: number[] | null };
  trending: { most: number };
}

/** One question, as retrieval sees it. */
export interface Asked {
  history: History;
  /** UTC seconds. */
  now: number;
  /** 1 for each row that may be shown. */
  allowed: Uint8Array;
  /** What was added to the score of each row; null for nothing. */
  bonus: Float32Array | null;
  /** How many items are wanted. */
  number: number;
  /** Whether what the person had is left out. */
  excludeSeen: boolean;
}

export interface FoundRow {
  row: number;
  /** With the bonus. */
  score: number;
}

interface Said {
  score: number;
  rank: number;
}

/** What a device's own retrieval says of candidates; all else is NaN, as of a source that brought nothing. */
export class SourceColumns {
  constructor(
    private readonly document: SourcesDocument,
    private readonly tables: ItemTables,
  ) {}

  get names(): readonly string[] {
    return this.document.columns;
  }

  /** For each of what was found, best first, the numbers of the columns. */
  compute(asked: Asked, found: readonly FoundRow[]): number[][] {
    const products = found.map(({ row, score }) => Math.fround(score - (asked.bonus?.[row] ?? 0)));
    const said: Record<string, Map<number, Said>> = {
      ann: this.nearest(asked, found, products),
      buy_again: this.own(asked),
      trending: this.sold(asked),
    };
    return found.map(({ row }, place) =>
      this.names.map((name) => {
        if (name === "vector_fit") return products[place];
        const [, source, kind] = /^(.*)_(score|rank)$/.exec(name) ?? [];
        return said[source]?.get(row)?.[kind as keyof Said] ?? Number.NaN;
      }),
    );
  }

  /** Inner products and their places, for what would have been found without a bonus. */
  private nearest(asked: Asked, found: readonly FoundRow[], products: readonly number[]): Map<number, Said> {
    // A product below the last score may have others above it that were not found.
    const least = holdsMore(asked.allowed, found.length) ? Math.min(...found.map(({ score }) => score)) : Number.NEGATIVE_INFINITY;
    const order = [...products.keys()].filter((place) => products[place] >= least).sort((one, other) => products[other] - products[one]);
    const most = Math.max(this.document.ann.most, asked.number);
    return new Map(order.slice(0, most).map((place, at) => [found[place].row, { score: products[place], rank: at + 1 }]));
  }

  /** The person's own items, those that count most first, with what they count. */
  private own(asked: Asked): Map<number, Said> {
    if (asked.excludeSeen) return new Map();
    const { most, half_life_days, kinds } = this.document.buy_again;
    const sums = new Map<number, number>();
    for (const { item, time, kind } of asked.history)
      if (item < asked.allowed.length && (!kinds || kinds.includes(kind)))
        sums.set(item, (sums.get(item) ?? 0) + 2 ** ((Math.min(time, asked.now) - asked.now) / (half_life_days * DAY)));
    const order = [...sums]
      .map(([row, sum]) => ({ row, score: Math.fround(sum) }))
      .sort((one, other) => other.score - one.score || one.row - other.row)
      .filter(({ row }) => asked.allowed[row]);
    return places(order.slice(0, Math.max(most, asked.number)));
  }

  /** What sold most of late, with how much. */
  private sold(asked: Asked): Map<number, Said> {
    const { trendingItem, trending } = this.tables;
    const most = Math.max(this.document.trending.most, asked.number);
    const order: FoundRow[] = [];
    for (let place = 0; place < trendingItem.length && order.length < most; place++)
      if (asked.allowed[trendingItem[place]]) order.push({ row: trendingItem[place], score: trending[place] });
    return places(order);
  }
}

/** Whether more than so many rows are allowed. */
function holdsMore(allowed: Uint8Array, number: number): boolean {
  let left = number;
  for (let row = 0; row < allowed.length && left >= 0; row++) if (allowed[row]) left--;
  return left < 0;
}

function places(order: readonly FoundRow[]): Map<number, Said> {
  return new Map(order.map(({ row, score }, at) => [row, { score, rank: at + 1 }]));
}
