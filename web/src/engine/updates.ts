import { EdgeError } from "../edge/edge_error";
import { type EdgeManifest, readManifest, sizeOf } from "../edge/manifest";
import { sha256 } from "../edge/sha256";
import { Bundle } from "./bundle";
import { VERSION } from "./litert";
import { randomName } from "./random_name";
import { ask } from "./server";
import type { Store } from "./store";

/** Milliseconds for which a release that was refused is not fetched again. */
const LEFT_ALONE = 24 * 3600 * 1000;
const AT_ONCE = 4;

/** What came of asking for an update. */
export type Outcome =
  | { outcome: "same" | "nothing" }
  | { outcome: "new"; bundle: Bundle }
  | { outcome: "refused"; release: string; reason: string };

/** Fetches, checks and installs bundles over the air; what is at work stays so until another one is ready. */
export class Updates {
  constructor(
    private readonly store: Store,
    private readonly progress: (done: number, all: number) => void,
  ) {}

  /**
   * Ask which release this device is to have, and make it ready if it is another.
   *
   * @param current `edge.json` of what is at work; null for nothing.
   * @throws Away, Refusal
   */
  async check(current: Bundle | null): Promise<Outcome> {
    const text = await this.manifest(current?.manifest.id);
    if (text === null) return { outcome: current ? "same" : "nothing" };
    const release = String((JSON.parse(text) as { id?: unknown }).id);
    if (release === current?.manifest.id) return { outcome: "same" };
    const refused = await this.store.get("refused");
    if (refused?.release === release && Date.now() - refused.at < LEFT_ALONE) return { outcome: "refused", ...refused };
    try {
      const bundle = await this.install(text, current);
      await this.manifest(release).catch(() => null); // Lets the server count it.
      return { outcome: "new", bundle };
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error;
      await this.store.put("refused", { release, reason: error.message, at: Date.now() });
      await this.manifest(current?.manifest.id, release).catch(() => null);
      return { outcome: "refused", release, reason: error.message };
    }
  }

  /** Open what is installed; null where nothing is. */
  async installed(): Promise<Bundle | null> {
    const releases = await this.store.get("releases");
    for (const text of [releases?.current, releases?.previous]) {
      if (!text) continue;
      try {
        return await Bundle.open(text, (name) => this.store.file(name));
      } catch (error) {
        if (!(error instanceof EdgeError)) throw error;
      }
    }
    return null;
  }

  /** Put the bundle before to work again; the release that is left is not fetched again for a day. */
  async goBack(current: Bundle): Promise<Bundle | null> {
    const releases = await this.store.get("releases");
    if (!releases?.previous) return null;
    const bundle = await Bundle.open(releases.previous, (name) => this.store.file(name));
    await this.store.install(new Map(), { current: releases.previous, previous: null }, filesOf([bundle.manifest]));
    const reason = "you went back to the bundle before it";
    await this.store.put("refused", { release: current.manifest.id, reason, at: Date.now() });
    return bundle;
  }

  /** `edge.json` of the release for this device; null where it has that already. */
  private async manifest(current?: string, failed?: string): Promise<string | null> {
    const asked = new URLSearchParams({ device: await this.device() });
    const headers = new Headers();
    if (current) asked.set("current", current);
    if (current) headers.set("if-none-match", `"${current}"`);
    if (failed) asked.set("failed", failed);
    const channel = (await this.store.get("channel")) ?? "live";
    const key = (await this.store.get("key")) ?? "";
    const answer = await ask(`device/channels/${channel}/manifest?${asked}`, key, { headers, cache: "no-store" });
    return answer.status === 304 ? null : answer.text();
  }

  private async install(text: string, current: Bundle | null): Promise<Bundle> {
    const manifest = await readManifest(text, VERSION);
    const there = await this.store.files();
    const wanted = Object.entries(manifest.files).filter(([, { sha256: name }]) => !there.has(name));
    const added = new Map<string, ArrayBuffer>();
    const all = wanted.reduce((total, [, { size }]) => total + size, 0);
    let done = 0;
    this.progress(done, all);
    const next = async (): Promise<void> => {
      for (let entry = wanted.shift(); entry; entry = wanted.shift()) {
        const [name, { size, sha256: expected }] = entry;
        added.set(expected, await this.fetched(name, size, expected));
        this.progress((done += size), all);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    const bundle = await Bundle.open(text, async (name) => added.get(name) ?? this.store.file(name), true);
    try {
      const kept = current ? [current.manifest, manifest] : [manifest];
      await this.store.install(added, { current: text, previous: current?.text ?? null }, filesOf(kept));
    } catch (error) {
      bundle.model.close();
      throw new EdgeError(`the bundle (${sizeOf(manifest)} bytes) cannot be stored here: ${String(error)}`);
    }
    return bundle;
  }

  /** A file that is what the manifest says; one that comes damaged is asked for once more. */
  private async fetched(name: string, size: number, expected: string): Promise<ArrayBuffer> {
    const key = (await this.store.get("key")) ?? "";
    let fault = "";
    for (let attempt = 0; attempt < 2; attempt++) {
      const content = await (await ask(`device/files/${expected}`, key, { cache: "no-store" })).arrayBuffer();
      const found = await sha256(new Uint8Array(content));
      if (content.byteLength === size && found === expected) return content;
      fault = `${content.byteLength} bytes with the SHA-256 ${found.slice(0, 12)}…, not ${size} with ${expected.slice(0, 12)}…`;
    }
    throw new EdgeError(`${name} is damaged: it has ${fault}`);
  }

  /** The name by which the server knows this device, made at random; it is never sent with events. */
  private async device(): Promise<string> {
    const known = await this.store.get("device");
    if (known) return known;
    const made = randomName();
    await this.store.put("device", made);
    return made;
  }
}

function filesOf(manifests: readonly EdgeManifest[]): Set<string> {
  return new Set(manifests.flatMap(({ files }) => Object.values(files).map(({ sha256: name }) => name)));
}
