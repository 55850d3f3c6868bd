import type { Question, Profile } from "../edge/features";
import type { StructuredFilter } from "../edge/item_filter";

/** What a person says of an item. */
export type Act = "had" | "like" | "hide";

export interface Ask {
  number: number;
  filter: StructuredFilter;
  /** Words that the name must hold. */
  words: string;
  /** Also what the person had or likes already. */
  again: boolean;
}

export interface Listed {
  item_id: string;
  row: number;
  name: string;
  /** What kind of thing it is, in a word or two. */
  kind: string[];
  price: number | null;
  /** What the model says; null for what only fills the list. */
  score: number | null;
  liked: boolean;
}

export interface Timings {
  /** Milliseconds of all of it, of making the inputs, of filtering, and of the model. */
  all: number;
  inputs: number;
  filter: number;
  model: number;
}

export interface List {
  id: string;
  items: Listed[];
  timings: Timings;
  /** Items that pass the filter. */
  eligible: number;
  bundle: string;
}

export interface Reason {
  row: number;
  text: string;
}

export interface HistoryLine {
  event_id: string;
  item_id: string;
  name: string;
  act: Act;
  /** Milliseconds since 1970. */
  time: number;
  sent: boolean;
}

/** What is at work, and what stands around it. */
export interface State {
  bundle: BundleState | null;
  questions: Question[];
  profile: Profile;
  /** Columns that can be chosen from, those that tell most first. */
  choices: Choice[];
  prices: { least: number; most: number } | null;
  /** Whether people take the same things again. */
  repeats: boolean;
  wording: { present: string; past: string };
  consent: boolean;
  waiting: number;
  problem: string | null;
  refused: { release: string; reason: string } | null;
  checked: number | null;
  /** Whether what the person does is kept when the page is closed. */
  kept: boolean;
  /** Whether there is a bundle to go back to. */
  before: string | null;
  channel: string;
  keyNeeded: boolean;
}

export interface Choice {
  column: string;
  /** Values, those with most items first. */
  values: { value: string; label: string }[];
}

export interface BundleState {
  id: string;
  name: string;
  server: string;
  created: number;
  variant: string;
  items: number;
  of: number | null;
  size: number;
  runtime: string;
}

/** What the page asks the worker for. */
export interface Calls {
  open(channel: string | null): State;
  check(): State;
  goBack(): State;
  recommend(ask: Ask): List;
  reasons(rows: number[]): Reason[];
  act(item_id: string, act: Act, list: string, position: number): State;
  unlike(item_id: string): State;
  history(): HistoryLine[];
  forget(event_ids: string[] | null): State;
  setProfile(profile: Profile): State;
  setConsent(consent: boolean): State;
  useKey(key: string): State;
}

export type Request = { [Name in keyof Calls]: { id: number; call: Name; values: Parameters<Calls[Name]> } }[keyof Calls];

/** What the worker says on its own. */
export type News =
  | { news: "progress"; done: number; all: number }
  | { news: "state"; state: State; bundleChanged: boolean; historyChanged: boolean };

export type Answer = { id: number; value: unknown } | { id: number; error: string };
