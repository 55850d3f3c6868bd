import type { Profile } from "../edge/features";
import { allowedRows, type DeviceEvent, finished, modelHistory } from "../edge/ranking";
import type { Bundle } from "./bundle";
import { startLiteRt } from "./litert";
import { Outbox } from "./outbox";
import { bundleState, choicesOf, kindOf, pricesOf } from "./offer";
import type { Act, Ask, HistoryLine, List, News, Reason, State } from "./protocol";
import { randomName } from "./random_name";
import { readable } from "./readable";
import { reasonsFor } from "./reasons";
import { Away, Refusal } from "./server";
import type { KeptEvent, Store } from "./store";
import { type Outcome, Updates } from "./updates";

/** Where people take things again, they do not at once: milliseconds for which an item is not offered after it was had. */
const REST = 12 * 3600 * 1000;

/** Recommends from what is on this device, and keeps it up to date. */
export class Engine {
  private readonly updates: Updates;
  private readonly outbox: Outbox;
  private readonly others = typeof BroadcastChannel === "function" ? new BroadcastChannel("savor-device") : null;
  private bundle: Bundle | null = null;
  private events: KeptEvent[] = [];
  private profile: Profile = {};
  private choices: State["choices"] = [];
  private runtime = "";
  private problem: string | null = null;
  private refused: State["refused"] = null;
  private checked: number | null = null;
  private keyNeeded = false;

  constructor(
    private readonly store: Store,
    private readonly tell: (news: News) => void,
  ) {
    this.updates = new Updates(store, (done, all) => tell({ news: "progress", done, all }));
    this.outbox = new Outbox(store, () => void this.reread(false, true));
    // Another tab did something: what it kept counts here too.
    this.others?.addEventListener("message", ({ data }) => void this.followed(data === "bundle"));
  }

  /** Begin with what is installed; `check` then asks for more. */
  async open(channel: string | null): Promise<State> {
    this.runtime = await startLiteRt();
    if (channel !== null) await this.store.put("channel", channel);
    this.put(await this.updates.installed());
    this.refused = (await this.store.get("refused")) ?? null;
    await this.reread(false, false);
    return this.state();
  }

  /** Ask for an update, install it, and let it answer from now on. */
  async check(): Promise<State> {
    const before = this.bundle;
    try {
      this.took(await alone(() => this.updates.check(before)));
      this.problem = null;
    } catch (error) {
      this.problem = error instanceof Away || error instanceof Refusal ? error.message : `the update failed: ${String(error)}`;
      this.keyNeeded = error instanceof Refusal && error.status === 401;
    }
    void this.outbox.send();
    return this.changed(this.bundle !== before, false);
  }

  /** Let the bundle before answer again. */
  async goBack(): Promise<State> {
    const before = this.bundle;
    const back = before && (await this.updates.goBack(before));
    if (back) this.answers(back);
    this.refused = (await this.store.get("refused")) ?? null;
    return this.changed(back !== null, false);
  }

  async recommend({ number, filter, words, again }: Ask): Promise<List> {
    const bundle = this.ready();
    const { manifest, catalogue, features } = bundle;
    const started = performance.now();
    const events = this.known();
    const now = Math.floor(Date.now() / 1000);
    const history = modelHistory(events, features, catalogue);
    const inputs = features.inputs({ profile: this.profile, history, now });
    const made = performance.now();
    const barred = this.events.filter((event) => !again || this.rests(event)).map(({ item_id }) => item_id);
    const query = { num_recommendations: number, filter, exclude_items: barred };
    const allowed = allowedRows(query, events, features, catalogue);
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    let eligible = 0;
    for (let row = 0; row < allowed.length; row++) {
      if (allowed[row] && wanted.length && !catalogue.says(row, wanted)) allowed[row] = 0;
      eligible += allowed[row];
    }
    const filtered = performance.now();
    const bonus = features.bonus(history, now);
    const ranked = await bundle.search(inputs, { history, now, allowed, bonus, number, excludeSeen: !again });
    const list = finished(ranked, allowed, catalogue, Math.min(number, eligible), true);
    const done = performance.now();
    const timings = { all: done - started, inputs: made - started, filter: filtered - made, model: done - filtered };
    const liked = new Set(this.events.filter(({ act }) => act === "like").map(({ item_id }) => item_id));
    const items = list.map(({ row, score }) => {
      return {
        item_id: catalogue.ids[row],
        row,
        name: readable(catalogue.name(row)),
        kind: kindOf(this.ready(), row, this.choices[0]?.column),
        price: catalogue.priceOf(row),
        score,
        liked: liked.has(catalogue.ids[row]),
      };
    });
    return { id: randomName(), items, timings, eligible, bundle: manifest.id };
  }

  reasons(rows: number[]): Promise<Reason[]> {
    return reasonsFor(rows, this.ready(), this.known(), this.profile, Math.floor(Date.now() / 1000));
  }

  async act(item_id: string, act: Act, list: string, position: number): Promise<State> {
    const upload = (await this.store.get("consent")) ? "waits" : "stays";
    const kind = this.kind(act);
    await this.store.keep([{ event_id: randomName(), item_id, act, kind, time: Date.now(), list, position, upload }]);
    const state = await this.reread(false, true);
    void this.outbox.send();
    return state;
  }

  /** Take back that the person likes an item. */
  unlike(item: string): Promise<State> {
    return this.forget(this.events.filter(({ item_id, act }) => item_id === item && act === "like").map(({ event_id }) => event_id));
  }

  /** What the person did, newest first. */
  history(): HistoryLine[] {
    return this.events
      .map(({ event_id, item_id, act, time, upload }) => {
        const row = this.bundle?.catalogue.numbers.get(item_id);
        const known = row !== undefined && row < this.bundle!.catalogue.length;
        const name = known ? readable(this.bundle!.catalogue.name(row)) : item_id;
        return { event_id, item_id, name, act, time, sent: upload === "sent" };
      })
      .reverse();
  }

  /** Forget some events, or (null) everything that this device knows of the person. */
  async forget(eventIds: string[] | null): Promise<State> {
    await this.store.drop(eventIds ?? this.events.map(({ event_id }) => event_id));
    if (eventIds === null) {
      await this.store.put("profile", {});
      await this.store.put("visitor", "");
    }
    return this.reread(false, true);
  }

  async setProfile(profile: Profile): Promise<State> {
    const said = Object.entries(profile).filter(([, value]) => value != null && value !== "" && !isEmptyList(value));
    await this.store.put("profile", Object.fromEntries(said) as Record<string, string | number | string[]>);
    return this.reread(false, true);
  }

  /** Agree that events are sent, or not: those of before stay here, and after a no those that wait do so too. */
  async setConsent(consent: boolean): Promise<State> {
    await this.store.put("consent", consent);
    const waiting = this.events.filter(({ upload }) => upload === "waits");
    if (!consent) await this.store.keep(waiting.map((event) => ({ ...event, upload: "stays" as const })));
    return this.reread(false, true);
  }

  async useKey(key: string): Promise<State> {
    await this.store.put("key", key.trim());
    this.keyNeeded = false;
    return this.check();
  }

  /** Whether an item is not offered now, even if what the person had may come again. */
  private rests({ act, time }: KeptEvent): boolean {
    return act === "hide" || (act === "had" && this.ready().features.repeats && Date.now() - time < REST);
  }

  private ready(): Bundle {
    if (!this.bundle) throw new Error("no bundle is on this device yet");
    return this.bundle;
  }

  /** What the model may know: everything but what was hidden. */
  private known(): DeviceEvent[] {
    return this.events.filter(({ act }) => act !== "hide");
  }

  private kind(act: Act): string {
    if (act === "hide") return "hide";
    const kinds = this.bundle?.features.kinds ?? [];
    const usual = act === "like" ? "save" : "purchase";
    return act === "like" || kinds.includes(usual) ? usual : (kinds[0] ?? usual);
  }

  private took(outcome: Outcome): void {
    this.checked = Date.now();
    this.keyNeeded = false;
    if (outcome.outcome === "new") this.answers(outcome.bundle);
    if (outcome.outcome === "new" || outcome.outcome === "same") this.refused = null;
    if (outcome.outcome === "refused") this.refused = { release: outcome.release, reason: outcome.reason };
  }

  private answers(bundle: Bundle): void {
    this.put(bundle);
    this.others?.postMessage("bundle");
  }

  private put(bundle: Bundle | null): void {
    this.bundle?.close();
    this.bundle = bundle;
    this.choices = bundle ? choicesOf(bundle) : [];
  }

  private async followed(bundleChanged: boolean): Promise<void> {
    const other = bundleChanged ? await this.updates.installed() : null;
    if (other) this.put(other);
    await this.reread(other !== null, true, false);
  }

  private async reread(bundleChanged: boolean, historyChanged: boolean, here = true): Promise<State> {
    this.events = await this.store.events();
    this.profile = (await this.store.get("profile")) ?? {};
    if (here && historyChanged) this.others?.postMessage("history");
    return this.changed(bundleChanged, historyChanged);
  }

  private async changed(bundleChanged: boolean, historyChanged: boolean): Promise<State> {
    const state = await this.state();
    this.tell({ news: "state", state, bundleChanged, historyChanged });
    return state;
  }

  private async state(): Promise<State> {
    const releases = await this.store.get("releases");
    const previous = releases?.previous ? (JSON.parse(releases.previous) as { id: string }).id : null;
    return {
      bundle: this.bundle && bundleState(this.bundle, this.runtime),
      questions: this.bundle?.features.questions ?? [],
      profile: this.profile,
      choices: this.choices,
      prices: this.bundle ? pricesOf(this.bundle) : null,
      repeats: this.bundle?.features.repeats ?? false,
      wording: this.bundle?.features.wording ?? { present: "have", past: "had" },
      consent: (await this.store.get("consent")) ?? false,
      waiting: this.events.filter(({ upload }) => upload === "waits").length,
      problem: this.problem,
      refused: this.refused,
      checked: this.checked,
      kept: this.store.lasting,
      before: previous === this.bundle?.manifest.id ? null : previous,
      channel: (await this.store.get("channel")) ?? "live",
      keyNeeded: this.keyNeeded,
    };
  }
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Of several tabs one at a time. */
function alone<Value>(work: () => Promise<Value>): Promise<Value> {
  return navigator.locks ? (navigator.locks.request("savor-device-update", work) as Promise<Value>) : work();
}
