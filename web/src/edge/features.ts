import { byCodePoints } from "./by_code_points";
import type { Catalogue } from "./catalogue";
import { Codes } from "./codes";
import { EdgeError } from "./edge_error";
import { type History, sessionLength } from "./history";

const FORMAT_VERSION = 1;
const HOUR = 3600;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

export type ProfileValue = string | number | readonly string[] | null;
/** What somebody said of themselves, by column. */
export type Profile = Readonly<Record<string, ProfileValue | undefined>>;
export type Inputs = Record<string, Float32Array | Int32Array>;

/** Whom inputs are made for: what they said, what they did, and the moment (UTC seconds). */
export interface Person {
  userId?: string;
  profile: Profile;
  history: History;
  now: number;
}

/** What a person can be asked. */
export interface Question {
  column: string;
  takes: "text" | "texts" | "number";
  values: readonly string[];
}

interface NumericColumn {
  column: string;
  logarithm: boolean;
  mean: number;
  deviation: number;
}

interface Entry {
  kind: string;
  dtype: "float32" | "int32";
  shape: number[];
  value?: number;
  column?: string;
  values?: string[];
  buckets?: number;
  columns?: NumericColumn[];
  limit?: number;
  most?: number;
}

interface Document {
  format_version: number;
  session_gap: number;
  events: { kinds: string[]; not_interest: string[]; wording: { present: string; past: string } };
  inputs: Record<string, Entry>;
  own_items?: { weight: number; half_life_days: number; kinds: string[] } | null;
}

type Maker = (person: Person) => Float32Array | Int32Array;

/** Makes the inputs of the model, as `features.json` says: the same numbers as the server makes. */
export class Features {
  readonly questions: Question[] = [];
  /** Kinds of events that the model was trained on. */
  readonly kinds: readonly string[];
  /** How to speak of having an item. */
  readonly wording: { present: string; past: string };
  /** Whether people take the same things again. */
  readonly repeats: boolean;
  private readonly notInterest: ReadonlySet<string>;
  private readonly gap: number;
  private readonly own: NonNullable<Document["own_items"]> | null;
  private readonly makers: [string, Maker][];

  private constructor(
    document: Document,
    private readonly catalogue: Catalogue,
  ) {
    this.kinds = document.events.kinds;
    this.wording = document.events.wording;
    this.notInterest = new Set(document.events.not_interest);
    this.gap = document.session_gap;
    this.own = document.own_items ?? null;
    this.repeats = this.own !== null;
    this.makers = Object.entries(document.inputs).map(([name, entry]) => [name, this.maker(name, entry)]);
  }

  /**
   * @param json `features.json`.
   * @param catalogue of the same bundle.
   * @throws EdgeError it is of another format, or asks for what this app cannot make.
   */
  static read(json: string, catalogue: Catalogue): Features {
    const document = JSON.parse(json) as Document;
    if (document.format_version !== FORMAT_VERSION)
      throw new EdgeError(`the features have format ${document.format_version}, and this app reads ${FORMAT_VERSION}`);
    return new Features(document, catalogue);
  }

  /** Whether events of this kind stand in the history that the model sees. */
  counts(kind: string): boolean {
    return this.kinds.includes(kind) || !this.notInterest.has(kind);
  }

  /** Whether an item with an event of this kind counts as one that the person takes again. */
  isOwn(kind: string): boolean {
    return this.own?.kinds.includes(kind) ?? false;
  }

  /** What is added to the score of each row, because the person had the item before; null where nothing is. */
  bonus(history: History, now: number): Float32Array | null {
    if (!this.own) return null;
    const { weight, half_life_days } = this.own;
    const sums = new Map<number, number>();
    for (const { item, time, own } of history)
      if (own && item < this.catalogue.length)
        sums.set(item, (sums.get(item) ?? 0) + 0.5 ** (Math.max(now - time, 0) / (half_life_days * DAY)));
    const made = new Float32Array(this.catalogue.length);
    for (const [item, sum] of sums) made[item] = weight * Math.log1p(sum);
    return made;
  }

  /** Every input by name, for a batch of one. */
  inputs(person: Person): Inputs {
    const history = person.history.map((deed) => ({ ...deed, time: Math.min(deed.time, person.now) }));
    return Object.fromEntries(this.makers.map(([name, make]) => [name, make({ ...person, history })]));
  }

  private maker(name: string, entry: Entry): Maker {
    const { kind, shape } = entry;
    switch (kind) {
      case "constant": {
        const size = shape.reduce((product, length) => product * length, 1);
        const made = (entry.dtype === "int32" ? new Int32Array(size) : new Float32Array(size)).fill(entry.value ?? 0);
        return () => made;
      }
      case "user_id": {
        const codes = codesOf(entry);
        return ({ userId }) => Int32Array.of(codes.of(userId ?? ""));
      }
      case "category":
        return this.category(entry);
      case "tags":
        return this.several(entry);
      case "numeric":
        return this.numeric(entry);
      case "moment":
        return ({ now }) => moment(now);
    }
    const [, what, part] = /^(history|session)_(item|category|age|seconds)$/.exec(kind) ?? [];
    if (!part) throw new EdgeError(`the input ${name} is of kind ${kind}, which this app does not know: reload it`);
    return this.behaviour(name, entry, what === "session", part);
  }

  private category(entry: Entry): Maker {
    const codes = codesOf(entry);
    const column = entry.column!;
    this.questions.push({ column, takes: "text", values: codes.values });
    return ({ profile }) => Int32Array.of(codes.of(textOf(profile[column])));
  }

  private several(entry: Entry): Maker {
    const codes = codesOf(entry);
    const column = entry.column!;
    const width = entry.shape[0];
    this.questions.push({ column, takes: "texts", values: codes.values });
    return ({ profile }) => {
      const given = profile[column];
      const texts = Array.isArray(given) ? [...new Set(given.map(String).filter(Boolean))].sort(byCodePoints) : [];
      const made = new Int32Array(width);
      made.set(texts.slice(0, width).map((text) => codes.of(text)));
      return made;
    };
  }

  private numeric(entry: Entry): Maker {
    const columns = entry.columns!;
    const limit = entry.limit!;
    for (const { column } of columns) this.questions.push({ column, takes: "number", values: [] });
    return ({ profile }) =>
      Float32Array.from(
        columns.flatMap(({ column, logarithm, mean, deviation }) => {
          const given = profile[column];
          const value = typeof given === "number" ? Math.fround(given) : Number.NaN;
          if (!Number.isFinite(value)) return [0, 1];
          const scaled = ((logarithm ? Math.log1p(Math.max(value, 0)) : value) - mean) / deviation;
          return [Math.min(Math.max(scaled, -limit), limit), 0];
        }),
      );
  }

  private behaviour(name: string, entry: Entry, session: boolean, part: string): Maker {
    const length = entry.shape[0];
    const most = entry.most ?? 0;
    const codes = { item: this.catalogue.historyItem, category: this.catalogue.historyCategory }[part];
    if ((part === "item" || part === "category") && !codes)
      throw new EdgeError(`the catalogue has no history_${part}, which the input ${name} needs`);
    return ({ history, now }) => {
      const known = session ? sessionLength(history, now, this.gap, length) : Math.min(history.length, length);
      const made = new Int32Array(length);
      for (let place = 0; place < known; place++) {
        const { item, time } = history[history.length - 1 - place];
        const age = Math.max(now - time, 0);
        made[place] = codes ? codes[item] : part === "age" ? ageBucket(age, most) : Math.min(age, most);
      }
      return made;
    };
  }
}

/** Sine and cosine of the time of day, then of the time of the week, in UTC. */
export function moment(now: number): Float32Array {
  return Float32Array.from(
    [(now % DAY) / DAY, (now % WEEK) / WEEK].flatMap((share) => {
      const angle = share * 2 * Math.PI;
      return [Math.sin(angle), Math.cos(angle)];
    }),
  );
}

/** Seconds (not negative) to 1 + floor(log2(1 + hours)), at most `most`; made without a logarithm. */
export function ageBucket(age: number, most: number): number {
  let bucket = 1;
  while (bucket < most && age >= HOUR * (2 ** bucket - 1)) bucket++;
  return bucket;
}

function codesOf(entry: Entry): Codes {
  return new Codes(entry.values!, entry.buckets!);
}

function textOf(value: ProfileValue | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
