import type { Act } from "./protocol";

/** One thing that a person did, as it is kept on the device. */
export interface KeptEvent {
  event_id: string;
  item_id: string;
  act: Act;
  /** Kind of event, as the server calls it. */
  kind: string;
  /** Milliseconds since 1970. */
  time: number;
  list: string;
  position: number;
  /** Whether it stays here, waits to be sent, was sent, or was refused by the server. */
  upload: "stays" | "waits" | "sent" | "refused";
}

export interface Releases {
  /** `edge.json` of what is at work, and of what was before. */
  current: string | null;
  previous: string | null;
}

/** Small things that are kept, by name. */
export interface Settings {
  releases: Releases;
  device: string;
  visitor: string;
  channel: string;
  key: string;
  consent: boolean;
  profile: Record<string, string | number | string[] | null>;
  refused: { release: string; reason: string; at: number };
}

/** Where bundle, history and settings are. */
export interface Store {
  /** Whether it outlives the page. */
  readonly lasting: boolean;
  get<Name extends keyof Settings>(name: Name): Promise<Settings[Name] | undefined>;
  put<Name extends keyof Settings>(name: Name, value: Settings[Name]): Promise<void>;
  file(sha256: string): Promise<ArrayBuffer | undefined>;
  /** Names of all files that are there. */
  files(): Promise<Set<string>>;
  /** All at once or nothing: add files, point to other releases, drop files that neither of them has. */
  install(added: ReadonlyMap<string, ArrayBuffer>, releases: Releases, needed: ReadonlySet<string>): Promise<void>;
  events(): Promise<KeptEvent[]>;
  keep(events: readonly KeptEvent[]): Promise<void>;
  drop(eventIds: readonly string[]): Promise<void>;
}
