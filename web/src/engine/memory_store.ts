import type { KeptEvent, Releases, Settings, Store } from "./store";

/** Keeps everything until the page is closed: for browsers that give no storage. */
export class MemoryStore implements Store {
  readonly lasting = false;
  private readonly settings = new Map<string, unknown>();
  private readonly contents = new Map<string, ArrayBuffer>();
  private readonly kept = new Map<string, KeptEvent>();

  async get<Name extends keyof Settings>(name: Name): Promise<Settings[Name] | undefined> {
    return this.settings.get(name) as Settings[Name] | undefined;
  }

  async put<Name extends keyof Settings>(name: Name, value: Settings[Name]): Promise<void> {
    this.settings.set(name, value);
  }

  async file(sha256: string): Promise<ArrayBuffer | undefined> {
    return this.contents.get(sha256);
  }

  async files(): Promise<Set<string>> {
    return new Set(this.contents.keys());
  }

  async install(added: ReadonlyMap<string, ArrayBuffer>, releases: Releases, needed: ReadonlySet<string>): Promise<void> {
    for (const [name, content] of added) this.contents.set(name, content);
    for (const name of this.contents.keys()) if (!needed.has(name)) this.contents.delete(name);
    this.settings.set("releases", releases);
  }

  async events(): Promise<KeptEvent[]> {
    return [...this.kept.values()].sort((one, other) => one.time - other.time);
  }

  async keep(events: readonly KeptEvent[]): Promise<void> {
    for (const event of events) this.kept.set(event.event_id, event);
  }

  async drop(eventIds: readonly string[]): Promise<void> {
    for (const name of eventIds) this.kept.delete(name);
  }
}
