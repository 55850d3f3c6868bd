import type { Act, HistoryLine } from "../engine/protocol";
import { element, make, sign } from "./dom";

const MOST = 200;

/** What the person did, each with a button that deletes it. */
export class HistoryView {
  private readonly dialog = element<HTMLDialogElement>("sure");

  /** @param forget called with the ids of events, or null for all. */
  constructor(private readonly forget: (eventIds: string[] | null) => void) {
    element("forget-all").addEventListener("click", () => this.dialog.showModal());
    this.dialog.addEventListener("close", () => this.dialog.returnValue === "forget" && forget(null));
  }

  show(deeds: readonly HistoryLine[], past: string): void {
    const words: Record<Act, string> = { had: `you ${past} this`, like: "you like this", hide: "hidden" };
    element("forget-all").hidden = !deeds.length;
    const lines = deeds.slice(0, MOST).map(({ event_id, name, act, time, sent }) =>
      make(
        "li",
        { class: "deed", "data-act": act },
        sign(act),
        make(
          "div",
          {},
          make("p", { class: "name" }, name),
          make("p", { class: "soft" }, `${words[act]} · ${when(time)}${sent ? " · shared" : ""}`),
        ),
        make("button", { type: "button", "aria-label": `Delete: ${name}`, title: "Delete", onclick: () => this.forget([event_id]) }, "×"),
      ),
    );
    const empty = make("li", { class: "empty" }, "Nothing yet. Tap what you had or like, and the list follows.");
    element("deeds").replaceChildren(...(lines.length ? lines : [empty]));
  }
}

function when(time: number): string {
  const moment = new Date(time);
  const today = new Date().toDateString() === moment.toDateString();
  return moment.toLocaleString([], today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}
