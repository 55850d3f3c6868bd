/** The page: shows what the worker says, and tells it what the person does. */
import type { Act, List, Listed, News, State } from "../engine/protocol";
import { keepOffline } from "./app_shell";
import { Cards } from "./cards";
import { DeviceView } from "./device_view";
import { element, make } from "./dom";
import { EngineClient } from "./engine_client";
import { Filters } from "./filters";
import { HistoryView } from "./history_view";
import { ProfileView } from "./profile_view";

const FIRST = 24;
const MOST = 96;
const TOAST_FOR = 6000;
const ASK_EVERY = 15 * 60_000;
const ASK_AGAIN_AFTER = 60_000;

const SAID: Record<Act, (name: string, past: string) => string> = {
  had: (name, past) => `You ${past} ${name}.`,
  like: (name) => `You like ${name}.`,
  hide: (name) => `${name} is hidden.`,
};

let state: State | null = null;
let list: List | null = null;
let shown = FIRST;
let asked = 0;
let ranking = false;
let again = false;
let toastTimer = 0;

const cards = new Cards((item, act, position) => void tapped(item, act, position));
const filters = new Filters(() => void rank());
const history = new HistoryView((eventIds) => void engine.call("forget", eventIds));
const profile = new ProfileView((said) => void engine.call("setProfile", said));
const device = new DeviceView({
  check: () => check(),
  goBack: () => void engine.call("goBack"),
  agree: (consent) => void engine.call("setConsent", consent),
});

if (typeof WebAssembly !== "object" || typeof Worker !== "function") {
  fail("This browser cannot run the model: it has no WebAssembly or no workers. Try a newer one.");
  throw new Error("no WebAssembly");
}
const engine = new EngineClient(heard, (reason) => fail(`The model cannot run here: ${reason}.`));
void start();

async function start(): Promise<void> {
  for (const name of ["online", "offline"]) addEventListener(name, networkChanged);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && Date.now() - asked > ASK_AGAIN_AFTER) void check();
  });
  setInterval(() => void check(), ASK_EVERY);
  for (const button of document.querySelectorAll<HTMLElement>(".tabs button"))
    button.addEventListener("click", () => open(button.dataset.view!));
  element("refused").addEventListener("click", () => open("device"));
  element("more").addEventListener("click", () => {
    shown = Math.min(2 * shown, MOST);
    void rank();
  });
  element("key").addEventListener("close", () => {
    const key = element<HTMLInputElement>("key-text").value;
    if (element<HTMLDialogElement>("key").returnValue === "use" && key) void engine.call("useKey", key);
  });
  open(innerWidth > 900 ? "history" : "list");
  showNetwork();
  cards.wait();
  fetching("Starting the model …", 0);
  try {
    took(await engine.call("open", new URLSearchParams(location.search).get("channel")), true, true);
  } catch (error) {
    fail(`The model cannot run here: ${(error as Error).message}.`);
    return;
  }
  await Promise.all([check(), keepOffline().then(showKept)]);
}

function showKept(kept: "kept" | "insecure" | "absent"): void {
  device.withoutNetwork = {
    kept: "opens and recommends",
    insecure: "does not open: the page did not come over https",
    absent: "does not open: this browser keeps no pages",
  }[kept];
  if (state) device.show(state, navigator.onLine);
}

function heard(news: News): void {
  if (news.news === "progress") return progressed(news.done, news.all);
  element("updating").hidden = true;
  const had = state?.bundle;
  took(news.state, news.bundleChanged, news.historyChanged);
  if (news.bundleChanged && had && news.state.bundle) toast(`Updated to bundle ${news.state.bundle.id}.`);
}

function progressed(done: number, all: number): void {
  const share = all ? done / all : 0;
  if (!state?.bundle) fetching(`Fetching model and items: ${megabytes(done)} of ${megabytes(all)} MB`, share);
  element("updating").hidden = !state?.bundle;
  element("updating").textContent = `Updating ${Math.round(100 * share)}%`;
}

/** Show a new state, and rank again where that may change the list. */
function took(next: State, bundleChanged: boolean, historyChanged: boolean): void {
  state = next;
  device.show(next, navigator.onLine);
  profile.show(next);
  element("shop").textContent = next.bundle ? `${next.bundle.name}, on this device` : "on this device";
  element("refused").hidden = next.refused === null;
  if (next.keyNeeded && !element<HTMLDialogElement>("key").open) element<HTMLDialogElement>("key").showModal();
  if (next.bundle) {
    element("fetching").hidden = true;
    filters.offer(next);
    note(null);
    if (bundleChanged || historyChanged || !list) void rank();
    if (bundleChanged || historyChanged) void showHistory();
  } else if (next.refused) {
    note("There is nothing to recommend from yet", `bundle ${next.refused.release} was not taken: ${next.refused.reason}.`);
  } else if (next.problem) {
    const what = navigator.onLine ? next.problem : "this device has no network, and the first start needs it";
    note("There is nothing to recommend from yet", `${what}. It is tried again as soon as it may work.`);
  }
}

/** Rank, and again where something changed meanwhile. */
async function rank(): Promise<void> {
  if (!state?.bundle) return;
  again = ranking;
  if (ranking) return;
  ranking = true;
  try {
    do {
      again = false;
      list = await engine.call("recommend", filters.ask(shown));
    } while (again);
  } catch (error) {
    note("This list could not be made", `${(error as Error).message}.`);
    return;
  } finally {
    ranking = false;
  }
  cards.show(list, state.wording.past);
  element("more").hidden = list.items.length < shown || shown >= MOST || list.items.length >= list.eligible;
  showLatency(list);
  void explain(list);
}

async function explain({ id, items }: List): Promise<void> {
  const rows = items.map(({ row }) => row);
  const reasons = await engine.call("reasons", rows).catch(() => []);
  if (list?.id === id) cards.explain(reasons);
}

async function tapped(item: Listed, act: Act, position: number): Promise<void> {
  if (act === "like" && item.liked) {
    await engine.call("unlike", item.item_id);
    return;
  }
  const before = await engine.call("act", item.item_id, act, list?.id ?? "", position);
  const [last] = await engine.call("history");
  toast(SAID[act](item.name, before.wording.past), () => void engine.call("forget", [last.event_id]));
}

async function check(): Promise<void> {
  asked = Date.now();
  await engine.call("check");
}

async function showHistory(): Promise<void> {
  history.show(await engine.call("history"), state?.wording.past ?? "had");
}

function networkChanged(): void {
  showNetwork();
  if (navigator.onLine) void check();
}

function showNetwork(): void {
  const pill = element("network");
  pill.textContent = navigator.onLine ? "Online" : "Offline";
  pill.classList.toggle("off", !navigator.onLine);
}

function showLatency({ timings, eligible }: List): void {
  const line = element("latency");
  const time = timings.all < 10 ? timings.all.toFixed(2) : timings.all.toFixed(0);
  line.replaceChildren(`${eligible.toLocaleString("en")} items ranked here in `, make("strong", {}, `${time} ms`));
  line.title = `inputs ${timings.inputs.toFixed(2)} ms, filters ${timings.filter.toFixed(2)} ms, model ${timings.model.toFixed(2)} ms`;
  line.dataset.ms = String(timings.all);
}

function open(view: string): void {
  document.body.dataset.view = view;
  for (const button of document.querySelectorAll<HTMLElement>(".tabs button"))
    button.setAttribute("aria-current", String(button.dataset.view === view));
  scrollTo({ top: 0 });
}

function fetching(text: string, share: number): void {
  element("fetching").hidden = false;
  element("fetching-text").textContent = text;
  element<HTMLProgressElement>("fetching-bar").value = share;
}

function note(title: string | null, text = ""): void {
  const box = element("note");
  box.hidden = title === null;
  if (title === null) return;
  box.replaceChildren(make("strong", {}, title), text);
  element("fetching").hidden = true;
  if (!list) element("cards").replaceChildren();
}

function fail(reason: string): void {
  note("Recommendations are not possible in this browser", reason);
}

function toast(text: string, undo: (() => void) | null = null): void {
  const button = element("undo");
  element("toast-text").textContent = text;
  button.hidden = undo === null;
  button.onclick = () => {
    undo?.();
    element("toast").hidden = true;
  };
  element("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (element("toast").hidden = true), TOAST_FOR);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
