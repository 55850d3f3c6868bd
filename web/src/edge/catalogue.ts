import { Arrays, type Numbers, type Place } from "./arrays";
import { EdgeError } from "./edge_error";

const FORMAT_VERSION = 1;

/** One value an item: `codes` are positions in `values`; 0 is unknown, and `values[0]` is empty. */
export interface Category {
  codes: Numbers;
  values: readonly string[];
}

/** Several values an item: those of row r are `codes[start[r]]` to before `start[r + 1]`. */
export interface Tags {
  start: Numbers;
  codes: Numbers;
  values: readonly string[];
}

/** At most `most` items of one code before others had their turn; code 0 is not capped. */
export interface Cap {
  codes: Numbers;
  most: number;
}

interface Document {
  format_version: number;
  ids: string[];
  names: string[] | null;
  categories: { name: string; values: string[] }[];
  tags: { name: string; values: string[] }[];
  numerics: string[];
  owner: string[] | null;
  kept_for_histories: string[];
  caps: { array: string; most: number }[];
  arrays: Record<string, Place>;
}

/** The items that can be recommended, as columns; row r is number r of the model. */
export class Catalogue {
  readonly ids: readonly string[];
  readonly categories: ReadonlyMap<string, Category>;
  readonly tags: ReadonlyMap<string, Tags>;
  readonly numerics: ReadonlyMap<string, Numbers>;
  readonly price: Numbers;
  readonly inStock: Numbers;
  readonly owner: Category | null;
  /** What the model sees of an item in a history, also of items that cannot be recommended here. */
  readonly historyItem: Numbers | undefined;
  readonly historyCategory: Numbers | undefined;
  /** Rows of the items that were sold most of late, best first. */
  readonly popular: Numbers;
  readonly caps: readonly Cap[];
  /** From item id to number; numbers from `length` on are of items that count in histories only. */
  readonly numbers: ReadonlyMap<string, number>;
  private readonly names: Category | null;
  private texts: string[] | null = null;

  private constructor(document: Document, arrays: (name: string) => Numbers) {
    const rows = document.ids.length;
    const column = (name: string, length = rows) => {
      const found = arrays(name);
      if (found.length !== length) throw new EdgeError(`the catalogue's ${name} has ${found.length} entries, not ${length}`);
      return found;
    };
    const all = [...document.ids, ...document.kept_for_histories];
    this.ids = document.ids;
    this.numbers = new Map(all.map((id, number) => [id, number]));
    if (this.numbers.size !== all.length) throw new EdgeError("an item stands in the catalogue twice");
    this.categories = new Map(
      document.categories.map(({ name, values }, place) => [name, { codes: column(`category/${place}`), values }]),
    );
    this.tags = new Map(
      document.tags.map(({ name, values }, place) => [
        name,
        { start: column(`tag_start/${place}`, rows + 1), codes: arrays(`tag_code/${place}`), values },
      ]),
    );
    this.numerics = new Map(document.numerics.map((name, place) => [name, column(`numeric/${place}`)]));
    this.price = column("price");
    this.inStock = column("in_stock");
    this.owner = document.owner ? { codes: column("owner"), values: document.owner } : null;
    this.names = document.names ? { codes: column("name"), values: document.names } : null;
    this.historyItem = document.arrays.history_item && column("history_item", all.length);
    this.historyCategory = document.arrays.history_category && column("history_category", all.length);
    this.popular = arrays("popular");
    this.caps = document.caps.map(({ array, most }) => ({ codes: column(array), most }));
  }

  /**
   * @param json `catalogue.json`.
   * @param binary `catalogue.bin`.
   * @throws EdgeError they are damaged, or of another format.
   */
  static read(json: string, binary: ArrayBuffer): Catalogue {
    const document = JSON.parse(json) as Document;
    if (document.format_version !== FORMAT_VERSION)
      throw new EdgeError(`the catalogue has format ${document.format_version}, and this app reads ${FORMAT_VERSION}`);
    const arrays = new Arrays("the catalogue", document.arrays, binary);
    return new Catalogue(document, (name) => arrays.get(name));
  }

  get length(): number {
    return this.ids.length;
  }

  /** What people call an item; its id where it has no name. */
  name(row: number): string {
    return (this.names && this.names.values[this.names.codes[row]]) || this.ids[row];
  }

  /** The narrowest known category of an item, "" where none is known. */
  category(row: number): string {
    let found = "";
    for (const { codes, values } of this.categories.values()) found = values[codes[row]] || found;
    return found;
  }

  /** Whether name and category of an item hold all of some words in small letters. */
  says(row: number, words: readonly string[]): boolean {
    this.texts ??= this.ids.map((_, each) => `${this.name(each)} ${this.category(each)}`.toLowerCase());
    const text = this.texts[row];
    return words.every((word) => text.includes(word));
  }

  /** The price of an item; null where it is not known. */
  priceOf(row: number): number | null {
    const price = this.price[row];
    return Number.isFinite(price) ? price : null;
  }
}
