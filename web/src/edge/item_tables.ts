import type { Arrays } from "./arrays";
import type { Catalogue } from "./catalogue";
import { EdgeError } from "./edge_error";

/** `statistics` of `ranker.json`. */
export interface StatisticsDocument {
  horizon_days: number;
  item: string[];
  category: string[];
  levels: string[];
}

type Floats = ReturnType<Arrays["floats"]>;

/** One level of the categories. */
export interface Level {
  name: string;
  /** The category of an item, of those too that count in histories only. */
  code(item: number): number;
  /** Statistics of the categories, one category after the other. */
  table: Floats;
}

/** What a ranker must know of the items: their statistics and those of their categories, as of the export. */
export class ItemTables {
  readonly horizon: number;
  readonly columns: readonly string[];
  readonly levelColumns: readonly string[];
  readonly levels: readonly Level[];
  /** Rows of what sold of late, most first, and how much of each. */
  readonly trendingItem: ArrayLike<number>;
  readonly trending: ArrayLike<number>;
  /** Of an item: its statistics, the logarithm of its price, then for each level its share and how dear it is there. */
  private readonly items: Floats;
  private readonly width: number;

  /** @throws EdgeError the arrays do not fit the catalogue. */
  constructor(document: StatisticsDocument, arrays: Arrays, catalogue: Catalogue) {
    this.horizon = document.horizon_days;
    this.columns = document.item;
    this.levelColumns = document.category;
    this.levels = document.levels.map((name, number) => {
      const own = catalogue.categories.get(name)?.codes;
      const kept = arrays.get(`kept/${number}`);
      const table = arrays.floats(`category/${number}`);
      if (!own || own.length + kept.length !== catalogue.numbers.size)
        throw new EdgeError(`the ranker's categories of ${name} are not those of the catalogue`);
      return { name, table, code: (item) => (item < own.length ? own[item] : kept[item - own.length]) };
    });
    this.items = arrays.floats("items");
    this.width = document.item.length + 1 + 2 * document.levels.length;
    if (this.items.length !== this.width * catalogue.length)
      throw new EdgeError("the ranker has statistics of other items than the catalogue");
    this.trendingItem = arrays.get("trending_item");
    this.trending = arrays.get("trending");
  }

  /** Number `column` of an item. */
  item(row: number, column: number): number {
    return this.items.at(row * this.width + column);
  }
}
