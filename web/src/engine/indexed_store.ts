import { MemoryStore } from "./memory_store";
import type { KeptEvent, Releases, Settings, Store } from "./store";

const NAME = "savor-device";
const VERSION = 1;

/** The store of this browser; one that forgets where the browser gives none. */
export async function openStore(): Promise<Store> {
  try {
    const opening = indexedDB.open(NAME, VERSION);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("settings");
      opening.result.createObjectStore("files");
      opening.result.createObjectStore("events", { keyPath: "event_id" }).createIndex("time", "time");
    };
    return new IndexedStore(await answered(opening));
  } catch {
    return new MemoryStore();
  }
}

/** Keeps everything in IndexedDB. */
class IndexedStore implements Store {
  readonly lasting = true;

  constructor(private readonly database: IDBDatabase) {
    database.onversionchange = () => database.close();
  }

  get<Name extends keyof Settings>(name: Name): Promise<Settings[Name] | undefined> {
    return answered(this.reading("settings").get(name));
  }

  put<Name extends keyof Settings>(name: Name, value: Settings[Name]): Promise<void> {
    return this.writing(["settings"], (settings) => settings.put(value, name));
  }

  file(sha256: string): Promise<ArrayBuffer | undefined> {
    return answered(this.reading("files").get(sha256));
  }

  async files(): Promise<Set<string>> {
    return new Set((await answered(this.reading("files").getAllKeys())) as string[]);
  }

  install(added: ReadonlyMap<string, ArrayBuffer>, releases: Releases, needed: ReadonlySet<string>): Promise<void> {
    return this.writing(["files", "settings"], (files, settings) => {
      for (const [name, content] of added) files.put(content, name);
      const listing = files.getAllKeys();
      listing.onsuccess = () => {
        for (const name of listing.result as string[]) if (!needed.has(name)) files.delete(name);
      };
      settings.put(releases, "releases");
    });
  }

  events(): Promise<KeptEvent[]> {
    return answered(this.reading("events").index("time").getAll());
  }

  keep(events: readonly KeptEvent[]): Promise<void> {
    return this.writing(["events"], (kept) => events.forEach((event) => kept.put(event)));
  }

  drop(eventIds: readonly string[]): Promise<void> {
    return this.writing(["events"], (kept) => eventIds.forEach((name) => kept.delete(name)));
  }

  private reading(name: string): IDBObjectStore {
    return this.database.transaction(name).objectStore(name);
  }

  private writing(names: string[], write: (...stores: IDBObjectStore[]) => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(names, "readwrite", { durability: "strict" });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("the browser's storage gave up"));
      write(...names.map((name) => transaction.objectStore(name)));
    });
  }
}

function answered<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
