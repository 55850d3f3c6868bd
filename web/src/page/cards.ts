import type { Act, List, Listed, Reason } from "../engine/protocol";
import { element, make, sign } from "./dom";

const MOVED_FOR = 2600;

/** The list of recommendations. */
export class Cards {
  private readonly root = element<HTMLOListElement>("cards");
  private places = new Map<string, number>();
  private words: Record<Act, string> = { had: "", like: "Like", hide: "Hide" };

  /** @param tapped called with what a person says of an item, and where it stood. */
  constructor(private readonly tapped: (item: Listed, act: Act, position: number) => void) {}

  /** Show grey shapes while there is nothing to show yet. */
  wait(): void {
    this.root.replaceChildren(...Array.from({ length: 6 }, () => make("li", { class: "ghost", "aria-hidden": "true" })));
  }

  /**
   * Show a list; cards move from where they stood before.
   *
   * @param past what one did who has an item: "had", "bought".
   */
  show(list: List, past: string): void {
    this.words.had = `I ${past} this`;
    const known = new Map([...this.root.querySelectorAll<HTMLElement>(".card")].map((card) => [card.dataset.item!, card]));
    const from = new Map([...known].map(([id, card]) => [id, card.getBoundingClientRect()]));
    const focused = document.activeElement?.closest<HTMLElement>(".card");
    const focusedAt = focused ? [...this.root.children].indexOf(focused) : -1;
    const act = (document.activeElement as HTMLElement | null)?.dataset.act;
    const climbs = this.climbs(list.items);
    const cards = list.items.map((item, place) => this.card(item, place, climbs.get(item.item_id), known.get(item.item_id)));
    this.root.replaceChildren(...(cards.length ? cards : [make("li", { class: "empty" }, "Nothing passes these filters.")]));
    this.root.setAttribute("aria-busy", "false");
    if (focused && !focused.isConnected && cards.length) {
      const next = cards[Math.min(focusedAt, cards.length - 1)];
      next.querySelector<HTMLElement>(`[data-act=${act ?? "had"}]`)?.focus({ preventScroll: true });
    }
    this.move(cards, from);
    this.places = new Map(list.items.map(({ item_id }, place) => [item_id, place]));
  }

  /** How many of those that stay each item has passed; those that were not there are not in it. */
  private climbs(items: readonly Listed[]): Map<string, number> {
    const stay = items.filter(({ item_id }) => this.places.has(item_id)).map(({ item_id }) => item_id);
    const before = [...stay].sort((one, other) => this.places.get(one)! - this.places.get(other)!);
    return new Map(stay.map((id, place) => [id, before.indexOf(id) - place]));
  }

  explain(reasons: readonly Reason[]): void {
    const texts = new Map(reasons.map(({ row, text }) => [String(row), text]));
    for (const card of this.root.querySelectorAll<HTMLElement>(".card")) {
      const text = texts.get(card.dataset.row!);
      const line = card.querySelector<HTMLElement>(".reason")!;
      if (text === undefined) continue;
      line.textContent = text;
      line.title = text;
    }
  }

  private card(item: Listed, place: number, climbed: number | undefined, known: HTMLElement | undefined): HTMLElement {
    const fresh = this.places.size > 0 && climbed === undefined;
    const tile = make("div", { class: "tile", "aria-hidden": "true" }, initials(item.name));
    tile.style.setProperty("--hue", String(hue(item.kind[0] ?? "")));
    const moved = fresh ? "new" : climbed && climbed > 0 ? `▲ ${climbed}` : "";
    const badge = moved ? make("span", { class: "moved" }, moved) : null;
    const card = make(
      "li",
      { class: fresh ? "card fresh" : "card", "data-item": item.item_id, "data-row": item.row },
      tile,
      make("div", {}, make("p", { class: "name" }, item.name), make("p", { class: "meta" }, item.kind.join(" · "))),
      make("div", { class: "price" }, item.price === null ? "" : item.price.toFixed(2), badge),
      make("p", { class: "reason" }, known?.querySelector(".reason")?.textContent ?? ""),
      make("div", { class: "acts" }, ...(["had", "like", "hide"] as const).map((act) => this.button(item, act, place))),
    );
    setTimeout(() => {
      badge?.remove();
      card.classList.remove("fresh");
    }, MOVED_FOR);
    return card;
  }

  private button(item: Listed, act: Act, place: number): HTMLElement {
    const label = `${this.words[act]}: ${item.name}`;
    const button = make(
      "button",
      { type: "button", "data-act": act, "aria-label": label, title: this.words[act], onclick: () => this.tapped(item, act, place) },
      sign(act),
    );
    if (act === "had") button.append(this.words.had);
    if (act === "like") button.setAttribute("aria-pressed", String(item.liked));
    return button;
  }

  private move(cards: readonly HTMLElement[], from: ReadonlyMap<string, DOMRect>): void {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const card of cards) {
      const old = from.get(card.dataset.item!);
      const now = card.getBoundingClientRect();
      const frames = old
        ? [{ translate: `${old.x - now.x}px ${old.y - now.y}px` }, { translate: "0 0" }]
        : from.size
          ? [{ opacity: 0, scale: 0.94 }, { opacity: 1, scale: 1 }]
          : [];
      if (frames.length) card.animate(frames, { duration: 280, easing: "cubic-bezier(.2, .8, .2, 1)" });
    }
  }
}

function initials(name: string): string {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? ["?"];
  return words
    .slice(0, 2)
    .map((word) => word[0])
    .join("")
    .toUpperCase();
}

/** One colour for each category. */
function hue(text: string): number {
  let value = 0;
  for (const letter of text) value = (value * 31 + letter.codePointAt(0)!) % 360;
  return value;
}
