import type { StructuredFilter } from "../edge/item_filter";
import type { Ask, State } from "../engine/protocol";
import { element, make } from "./dom";

const STEPS = 100;

/** Words, categories, price, and whether what the person had may come again. */
export class Filters {
  private readonly words = element<HTMLInputElement>("words");
  private readonly limit = element<HTMLInputElement>("price-limit");
  private readonly again = element<HTMLInputElement>("again");
  private readonly chosen = new Map<string, Set<string>>();
  private prices: State["prices"] = null;
  private shown = "";
  private repeats: boolean | null = null;

  constructor(private readonly changed: () => void) {
    for (const input of [this.words, this.limit, this.again]) input.addEventListener("input", () => this.tell());
    element("filters").addEventListener("submit", (event) => event.preventDefault());
  }

  /** Offer what there is in the bundle at work. */
  offer({ choices, prices, repeats, wording }: State): void {
    element("filters").hidden = false;
    if (repeats !== this.repeats) this.again.checked = repeats;
    this.repeats = repeats;
    element("again-text").textContent = `Also what I ${wording.past}`;
    const offered = JSON.stringify([choices, prices]);
    if (offered === this.shown) return;
    this.shown = offered;
    this.prices = prices;
    element("price").hidden = !prices || prices.least === prices.most;
    const before = new Map(this.chosen);
    this.chosen.clear();
    element("categories").replaceChildren(
      ...choices.map(({ column, values }) => {
        const chosen = new Set(values.map(({ value }) => value).filter((value) => before.get(column)?.has(value)));
        this.chosen.set(column, chosen);
        const chips = values.map(({ value, label }) => this.chip(chosen, value, label));
        return make("div", { class: "chips", role: "group", "aria-label": column.replaceAll("_", " ") }, ...chips);
      }),
    );
    element("price-shown").textContent = this.priceText();
  }

  ask(number: number): Ask {
    const most = this.most();
    const columns = [...this.chosen].filter(([, values]) => values.size);
    const filter: StructuredFilter = {
      ...Object.fromEntries(columns.map(([column, values]) => [column, { in: [...values] }])),
      ...(most !== null && { price: { lte: most } }),
    };
    return { number, filter, words: this.words.value, again: this.again.checked };
  }

  private chip(chosen: Set<string>, value: string, label: string): HTMLElement {
    const toggle = ({ currentTarget }: Event) => {
      if (!chosen.delete(value)) chosen.add(value);
      (currentTarget as HTMLElement).setAttribute("aria-pressed", String(chosen.has(value)));
      this.changed();
    };
    const pressed = String(chosen.has(value));
    return make("button", { type: "button", class: "chip", "aria-pressed": pressed, onclick: toggle }, label);
  }

  private tell(): void {
    element("price-shown").textContent = this.priceText();
    this.changed();
  }

  /** The highest price that is asked for; the slider is finer where prices are low. */
  private most(): number | null {
    const step = Number(this.limit.value);
    if (!this.prices || step >= STEPS) return null;
    const { least, most } = this.prices;
    return least + (most - least) * (step / STEPS) ** 2;
  }

  private priceText(): string {
    const most = this.most();
    return most === null ? "any price" : most.toFixed(2);
  }
}
